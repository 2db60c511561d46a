"""What every kind of parameter is."""

from __future__ import annotations

import dataclasses
import keyword
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from reports_worker.errors import DefinitionError, ParameterError

from .calendar import EXAMPLE, Calendar
from .values import to_json

_NAME = re.compile(r"[a-z][a-z0-9_]{0,49}", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One thing that can be chosen when a report is asked for. Plain data: it can be written as JSON.

    `name` is a Python identifier in lower case. One that is not `required` may be left out, and then has its
    `default`. Raises DefinitionError where the definition contradicts itself.

    A value has three forms: as it was given in JSON; canonical, which is JSON too and the same for all that
    mean the same; and Python's own.
    """

    kind: ClassVar[str]

    name: str
    title: str = ""
    help: str = ""
    required: bool = False
    default: Any = None

    def __post_init__(self) -> None:
        if not (isinstance(self.name, str) and _NAME.fullmatch(self.name)) or keyword.iskeyword(self.name):
            raise DefinitionError(
                f"A parameter is called {self.name!r}: give it a name of up to 50 lower-case letters, digits "
                "and underscores that begins with a letter and is no keyword of Python."
            )
        for text in (self.title, self.help):
            if not isinstance(text, str):
                raise self._contradiction(f"its title and help must be text, not {text!r}")
        self._check_limits()
        self._check_default()

    @property
    def label(self) -> str:
        """The title, made of the name where there is none."""
        return self.title or self.name.replace("_", " ").capitalize()

    def parse(self, value: object, calendar: Calendar | None) -> Any:
        """Return the canonical form of a JSON value, which is never converted; raise ParameterError.

        Without a calendar the value is canonical already, and is only checked.
        """
        raise NotImplementedError

    def fill(self, calendar: Calendar) -> Any:
        """Return the default in canonical form; None where there is none."""
        return None if self.default is None else self.parse(self.default, calendar)

    def to_python(self, canonical: Any) -> Any:
        """Return the value that a canonical form stands for; that of None is what is left out."""
        return canonical

    def from_texts(self, texts: Sequence[str]) -> Any:
        """Return the JSON value of what was typed; what makes no sense stays text, for `parse` to refuse."""
        return self._from_text(texts[0]) if len(texts) == 1 else list(texts)

    def to_texts(self, value: Any) -> Sequence[str]:
        """Return what one would type for a JSON value."""
        return [str(value)]

    @property
    def offered(self) -> Any:
        """The default as a JSON value, where it is one on every day."""
        return self.default

    def schema(self) -> dict[str, Any]:
        """Return what is allowed as JSON Schema."""
        raise NotImplementedError

    def describe(self, canonical: Any) -> str:
        """Say a canonical form, or None, to people."""
        return "not given" if canonical is None else str(canonical)

    def to_data(self) -> dict[str, Any]:
        """Return the definition ready for JSON; `from_data` in kinds.py takes it back."""
        fields = {field.name: to_json(getattr(self, field.name)) for field in dataclasses.fields(self)}
        return {"kind": self.kind, **{name: value for name, value in fields.items() if value is not None}}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Parameter:
        """Make one of the fields that `to_data` gave."""
        return cls(**data)

    def _from_text(self, text: str) -> Any:
        return text

    def _check_limits(self) -> None:
        """Raise DefinitionError where the limits contradict each other, and bring them to one form."""

    def _check_default(self) -> None:
        if self.default is None:
            return
        try:
            self.fill(EXAMPLE)
        except ParameterError as error:
            raise self._contradiction(f"its default {self.default!r} is not allowed: {error}") from error

    def _set(self, **fields: Any) -> None:
        """Bring fields to the form in which they are kept; only while the definition is being made."""
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    def _refusal(self, rule: str) -> ParameterError:
        return ParameterError(f"{self.label} {rule}.")

    def _contradiction(self, fault: str) -> DefinitionError:
        return DefinitionError(f"The parameter {self.name!r} contradicts itself: {fault}".rstrip(".") + ".")
