"""Open the store of a connection string."""

from __future__ import annotations

from .address import FolderAddress, StoreAddress, parse_store
from .filesystem import FolderStore
from .s3 import S3Store
from .store import Store


def open_store(address: str | StoreAddress) -> Store:
    """Return the store, without access to it yet. Raises ValueError if the address is not valid."""
    parsed = parse_store(address) if isinstance(address, str) else address
    return FolderStore(parsed.path) if isinstance(parsed, FolderAddress) else S3Store(parsed)
