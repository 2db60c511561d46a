"""The store of the files of reports."""

from __future__ import annotations

from .address import parse_store
from .errors import CHANGED, ArtifactGoneError, StorageError
from .open import open_store
from .scratch import make_scratch, remove_scratch
from .store import OpenFile, Store

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
