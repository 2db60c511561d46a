"""From a connection string to its store."""

from __future__ import annotations

from .addresses import FolderAddress, StoreAddress, parse_store
from .folder_store import FolderStore
from .s3_store import S3Store
from .stores import Store


def open_store(address: str | StoreAddress) -> Store:
    """Open the store; nothing is asked of it yet. Raises ValueError for what is no address."""
    where = parse_store(address) if isinstance(address, str) else address
    return FolderStore(where.path) if isinstance(where, FolderAddress) else S3Store(where)
