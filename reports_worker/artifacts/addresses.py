"""Where files are kept, as a connection string says it. Knows no store."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

_OPTIONS = ("endpoint_url", "region")


@dataclass(frozen=True)
class FolderAddress:
    """A folder, which all hosts of workers and API must share."""

    path: Path


@dataclass(frozen=True)
class S3Address:
    """A bucket, and what all keys in it begin with. Credentials come from AWS' own variables and files."""

    bucket: str
    prefix: str = ""
    options: tuple[tuple[str, str], ...] = field(default=(), repr=False)


StoreAddress = FolderAddress | S3Address


def parse_store(text: str) -> StoreAddress:
    """Read a path, `file:///path` or `s3://bucket/prefix?endpoint_url=...`; raise ValueError.

    The message repeats nothing of `text`, which may hold secrets by mistake.
    """
    url = urlsplit(text)
    if url.scheme == "s3":
        return _parse_s3(url.netloc, url.path, url.query)
    if url.scheme == "file" and not url.netloc:
        return FolderAddress(Path(url.path))
    if "://" in text:
        raise ValueError("give the path of a folder, or s3://bucket/prefix")
    return FolderAddress(Path(text).expanduser().absolute())


def _parse_s3(bucket: str, path: str, query: str) -> S3Address:
    if not bucket or "@" in bucket:
        raise ValueError("give s3://bucket/prefix, and credentials by AWS_ACCESS_KEY_ID and its like")
    options = tuple(parse_qsl(query, keep_blank_values=True))
    for name, _ in options:
        if name not in _OPTIONS:
            raise ValueError(f"{name!r} is not an option of s3://: {' and '.join(_OPTIONS)} are")
    return S3Address(bucket, path.strip("/"), options)
