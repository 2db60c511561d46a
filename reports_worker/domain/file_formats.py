"""The names of the formats of a report's files, without the code that writes them."""

from __future__ import annotations

from collections.abc import Iterable

from reports_worker.errors import DefinitionError

FORMATS = ("csv", "parquet", "xlsx", "pdf", "svg", "png", "json")


def check_formats(names: Iterable[str] | None) -> None:
    """Raise DefinitionError for an unknown name; None stands for all."""
    if names is None:
        return
    if isinstance(names, str) or not all(name in FORMATS for name in names):
        raise DefinitionError(f"The formats must be of {', '.join(FORMATS)}, not {names!r}.")
