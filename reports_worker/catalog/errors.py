"""Errors in definitions, with file and line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from reports_worker.errors import DefinitionError


@dataclass(frozen=True)
class Broken:
    """A definition that cannot be used: its file, the line if it is known, and the reason in a sentence."""

    file: str
    reason: str
    line: int | None = None

    @classmethod
    def of(cls, path: Path, reason: str, line: int | None = None) -> Broken:
        """Describe the file of `path`; a line break in its name, or a byte that is no text, is escaped."""
        characters = (
            one if one.isprintable() else one.encode("unicode_escape").decode() for one in path.name
        )
        return cls("".join(characters), reason, line)

    def __str__(self) -> str:
        where = f"{self.file}, line {self.line}" if self.line else self.file
        return f"{where}: {self.reason}"


class BrokenFileError(DefinitionError):
    """A file holds no usable definition."""

    def __init__(self, reason: str, *, line: int | None = None) -> None:
        super().__init__(reason)
        self.line = line
