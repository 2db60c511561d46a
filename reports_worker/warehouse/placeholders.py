"""Placeholders `:name` in a statement, found by tokens, and written with the mark of each driver."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

import sqlglot
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import Token, TokenType

from .errors import WarehouseError

# `IN` this query is never true, and `NOT IN` always: the meaning of `IN ()`, which SQL does not allow.
_NOTHING = "SELECT NULL WHERE 1 = 0"


@dataclass(frozen=True)
class Style:
    """The form that a driver needs: the mark of one value, the escaping of other text, and arrays as values.

    With arrays, `x IN (:several)` becomes `x = ANY (...)` with one value; otherwise each value has a mark of its own.
    """

    mark: Callable[[str], str]
    escape: Callable[[str], str] = str
    arrays: bool = False


@dataclass(frozen=True)
class _Place:
    """The position of a placeholder. `inside` is the position of the `[NOT] IN (:name)` around it, if there is one."""

    name: str
    start: int
    end: int
    inside: tuple[int, int] | None
    negated: bool


def bind(sql: str, values: Mapping[str, Any], *, dialect: str, style: Style) -> tuple[str, dict[str, Any]]:
    """Return the statement and the values in the form of the driver.

    Raises WarehouseError where names and values do not agree, or where there is more than one statement.
    """
    places, end = _find_places(sql, dialect)
    _check_names([place.name for place in places], values)
    parts: list[str] = []
    bound: dict[str, Any] = {}
    at = 0
    for place in places:
        start, stop, text = _write(place, values[place.name], style, values, bound)
        parts += [style.escape(sql[at:start]), text]
        at = stop
    return "".join([*parts, style.escape(sql[at:end])]), bound


def find_names(sql: str, *, dialect: str) -> tuple[str, ...]:
    """Return the names of the placeholders of a statement, each once, in order."""
    places, _ = _find_places(sql, dialect)
    return tuple(dict.fromkeys(place.name for place in places))


def _write(
    place: _Place, value: Any, style: Style, taken: Collection[str], bound: dict[str, Any]
) -> tuple[int, int, str]:
    if not isinstance(value, tuple):
        bound[place.name] = value
        return place.start, place.end, style.mark(place.name)
    if place.inside is None:
        raise WarehouseError(f"Several values of {place.name!r} can be used only as IN (:{place.name}).")
    if style.arrays:
        bound[place.name] = list(value)
        operator = "<> ALL" if place.negated else "= ANY"
        return *place.inside, f"{operator} ({style.mark(place.name)})"
    stem = f"{place.name}_"
    while any(name.startswith(stem) for name in taken):
        stem += "_"
    names = [f"{stem}{number}" for number in range(len(value))]
    bound.update(zip(names, value, strict=True))
    return place.start, place.end, ", ".join(map(style.mark, names)) or _NOTHING


def _check_names(names: Sequence[str], values: Mapping[str, Any]) -> None:
    if missing := sorted(set(names) - values.keys()):
        raise WarehouseError(f"The query needs a value for :{missing[0]}, and none was given.")
    if unknown := sorted(values.keys() - set(names)):
        raise WarehouseError(f"A value for {unknown[0]!r} was given, and the query has no :{unknown[0]}.")


@lru_cache(maxsize=256)
def _find_places(sql: str, dialect: str) -> tuple[tuple[_Place, ...], int]:
    """Find the placeholders, and the end of the statement without its semicolon."""
    try:
        tokens = sqlglot.tokenize(sql, read=dialect)
    except SqlglotError as error:
        raise WarehouseError("The query cannot be read: a quote or a comment has no end.") from error
    last = len(tokens)
    while last and tokens[last - 1].token_type is TokenType.SEMICOLON:
        last -= 1
    if any(token.token_type is TokenType.SEMICOLON for token in tokens[:last]):
        raise WarehouseError("A query must be one statement, and this has a semicolon in its middle.")
    end = tokens[last].start if last < len(tokens) else len(sql)
    return tuple(_read_places(sql, tokens[:last])), end


def _read_places(sql: str, tokens: Sequence[Token]) -> Iterator[_Place]:
    for number, (colon, name) in enumerate(pairwise(tokens)):
        if colon.token_type is TokenType.COLON and _is_placeholder(sql, colon, name):
            around = [token.token_type for token in tokens[max(0, number - 2) : number]]
            after = tokens[number + 2 : number + 3]
            inside, negated = None, False
            if (
                around == [TokenType.IN, TokenType.L_PAREN]
                and after
                and after[0].token_type is TokenType.R_PAREN
            ):
                negated = number > 2 and tokens[number - 3].token_type is TokenType.NOT
                inside = tokens[number - 3 if negated else number - 2].start, after[0].end + 1
            yield _Place(name.text, colon.start, name.end + 1, inside, negated)


def _is_placeholder(sql: str, colon: Token, name: Token) -> bool:
    """Distinguish `:name` from a slice `[1:n]` and a field `{a:b}`: a name follows at once, and no value precedes."""
    before = sql[colon.start - 1 : colon.start]
    return (
        name.start == colon.end + 1
        and name.text.isidentifier()
        and sql[name.start : name.end + 1] == name.text
        and not (before.isalnum() or before in ("_", ")", "]", "}", "'", '"'))
    )
