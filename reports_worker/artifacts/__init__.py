"""Where the files of reports are kept."""

from __future__ import annotations

from .addresses import parse_store
from .errors import CHANGED, ArtifactGoneError, StorageError
from .opening import open_store
from .scratch import make_scratch, remove_scratch
from .stores import OpenFile, Store

__all__ = [
    "CHANGED",
    "ArtifactGoneError",
    "OpenFile",
    "StorageError",
    "Store",
    "make_scratch",
    "open_store",
    "parse_store",
    "remove_scratch",
]
