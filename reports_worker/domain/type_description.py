"""A report type as data: everything that a request needs, without the code that makes the report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from reports_worker.errors import DefinitionError
from reports_worker.parameters import Parameter, check_definitions, from_data

from .file_formats import check_formats


class Definition(Protocol):
    """The data of a ReportType."""

    @property
    def name(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def description(self) -> str: ...
    @property
    def parameters(self) -> Sequence[Parameter]: ...
    @property
    def formats(self) -> Sequence[str] | None: ...


@dataclass(frozen=True)
class TypeDescription:
    """A report type. `formats` are the files of a request that names none; None for all.

    `version` changes with the definition; `source` is its file. Raises DefinitionError.
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
        """Return the description ready for JSON, as `type_from_data` reads it."""
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
    """Read a description from the result of `to_data`; raise DefinitionError."""
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


def describe_type(
    definition: Definition, *, version: str | None = None, source: str | None = None
) -> TypeDescription:
    """Describe a type of report, leaving out its code."""
    return TypeDescription(
        name=definition.name,
        title=definition.title,
        description=definition.description,
        parameters=tuple(definition.parameters),
        formats=None if definition.formats is None else tuple(definition.formats),
        version=version,
        source=source,
    )


def describe_types(definitions: Iterable[Definition]) -> Mapping[str, TypeDescription]:
    """Describe types, by name."""
    return {one.name: describe_type(one) for one in definitions}
