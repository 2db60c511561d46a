"""Where the files of reports are kept."""

from __future__ import annotations

from .addresses import parse_store
from .errors import ArtifactGoneError, StorageError
from .opening import open_store
from .stores import Store

__all__ = ["ArtifactGoneError", "StorageError", "Store", "open_store", "parse_store"]
