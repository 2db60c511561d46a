"""From a connection string to its store."""

from __future__ import annotations

from .address import FolderAddress, StoreAddress, parse_store
from .filesystem import FolderStore
from .s3 import S3Store
from .store import Store


def open_store(address: str | StoreAddress) -> Store:
    """Open the store; nothing is asked of it yet. Raises ValueError for what is no address."""
    where = parse_store(address) if isinstance(address, str) else address
    return FolderStore(where.path) if isinstance(where, FolderAddress) else S3Store(where)
