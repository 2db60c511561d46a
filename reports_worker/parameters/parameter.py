"""The base class of all kinds of parameters."""

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
    """A parameter of a report request. Plain data, which can be written as JSON.

    `name` is a Python identifier in lower case. A parameter that is not `required` may be left out, and then has its
    `default`. Raises DefinitionError where the definition contradicts itself.

    A value has three forms: the given JSON value; the canonical form, which is JSON too and equal for all given values
    of the same meaning; and the Python value.
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
                f"A parameter is named {self.name!r}: give a name of up to 50 lower-case letters, digits and "
                "underscores that begins with a letter and is not a keyword of Python."
            )
        for text in (self.title, self.help):
            if not isinstance(text, str):
                raise self._contradiction(f"its title and help must be text, not {text!r}")
        self._check_limits()
        self._check_default()

    @property
    def label(self) -> str:
        """The title; where there is none, a title made from the name."""
        return self.title or self.name.replace("_", " ").capitalize()

    def parse(self, value: object, calendar: Calendar | None) -> Any:
        """Return the canonical form of a JSON value, without a conversion of types; raise ParameterError.

        Without a calendar, the value must be canonical already, and is only checked.
        """
        raise NotImplementedError

    def fill(self, calendar: Calendar) -> Any:
        """Return the default in canonical form; None where there is none."""
        return None if self.default is None else self.parse(self.default, calendar)

    def to_python(self, canonical: Any) -> Any:
        """Return the Python value of a canonical form; the form None stands for a parameter that is left out."""
        return canonical

    def from_texts(self, texts: Sequence[str]) -> Any:
        """Return the JSON value of text input; text that cannot be read stays text, and `parse` refuses it."""
        return self._from_text(texts[0]) if len(texts) == 1 else list(texts)

    def to_texts(self, value: Any) -> Sequence[str]:
        """Return the text input for a JSON value."""
        return [str(value)]

    @property
    def offered(self) -> Any:
        """The default as a JSON value; None where the default depends on the day."""
        return self.default

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema of the allowed values."""
        raise NotImplementedError

    def describe(self, canonical: Any) -> str:
        """Return a canonical form, or None, in words for people."""
        return "not given" if canonical is None else str(canonical)

    def to_data(self) -> dict[str, Any]:
        """Return the definition ready for JSON; `from_data` in registry.py reads it."""
        fields = {field.name: to_json(getattr(self, field.name)) for field in dataclasses.fields(self)}
        return {"kind": self.kind, **{name: value for name, value in fields.items() if value is not None}}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Parameter:
        """Make a parameter from the fields that `to_data` returned."""
        return cls(**data)

    def _from_text(self, text: str) -> Any:
        return text

    def _check_limits(self) -> None:
        """Raise DefinitionError where the limits contradict each other; normalize them."""

    def _check_default(self) -> None:
        if self.default is None:
            return
        try:
            self.fill(EXAMPLE)
        except ParameterError as error:
            raise self._contradiction(f"its default {self.default!r} is not allowed: {error}") from error

    def _set(self, **fields: Any) -> None:
        """Set normalized fields; only while the definition is being created."""
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    def _refusal(self, rule: str) -> ParameterError:
        return ParameterError(f"{self.label} {rule}.")

    def _contradiction(self, fault: str) -> DefinitionError:
        return DefinitionError(f"The parameter {self.name!r} contradicts itself: {fault}".rstrip(".") + ".")
