"""A type of report as data: all that is needed to ask for one, without the code that makes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reports_worker.errors import DefinitionError
from reports_worker.parameters import Parameter, check_definitions, from_data

from .file_formats import check_formats


@dataclass(frozen=True)
class TypeDescription:
    """What can be requested. `formats` are the files of a request that names none; None for all.

    `version` changes with the definition; `source` says where it stands. Raises DefinitionError.
    """

    name: str
    title: str
    description: str = ""
    parameters: tuple[Parameter, ...] = ()
    formats: tuple[str, ...] | None = None
    version: str | None = None
    source: str | None = None

    def __post_init__(self) -> None:
        check_definitions(self.parameters)
        check_formats(self.formats)

    def to_data(self) -> dict[str, Any]:
        """Return it ready for JSON; `type_from_data` takes it back."""
        return {
            "name": self.name,
            "title": self.title,
            "description": self.description,
            "parameters": [parameter.to_data() for parameter in self.parameters],
            "formats": None if self.formats is None else list(self.formats),
            "version": self.version,
            "source": self.source,
        }


def type_from_data(data: Mapping[str, Any]) -> TypeDescription:
    """Make the description of what `to_data` gave; raise DefinitionError."""
    try:
        return TypeDescription(
            name=data["name"],
            title=data["title"],
            description=data.get("description", ""),
            parameters=tuple(from_data(one) for one in data.get("parameters", ())),
            formats=None if data.get("formats") is None else tuple(data["formats"]),
            version=data.get("version"),
            source=data.get("source"),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise DefinitionError(f"This is no description of a type: {str(data)[:200]!r}") from error
