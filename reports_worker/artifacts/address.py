"""The connection string of the store. This module opens no store."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from reports_worker.lib.extras import write_install_command

_ALLOWED = "give the path of a folder, or s3://bucket/prefix"
# The options of s3://, with the advice for a value that is not valid.
_OPTIONS = {
    "endpoint_url": "endpoint_url=http://host:port or https://host, without a password",
    "region": "region=... the name of a region",
}
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,62}", re.ASCII)


@dataclass(frozen=True)
class FolderAddress:
    """A folder that all hosts of workers and API must share."""

    path: Path


@dataclass(frozen=True)
class S3Address:
    """A bucket, and the prefix of all keys. Credentials come from AWS' own variables and files."""

    bucket: str
    prefix: str = ""
    options: tuple[tuple[str, str], ...] = field(default=(), repr=False)


StoreAddress = FolderAddress | S3Address


def parse_store(text: str) -> StoreAddress:
    """Parse a path, `file:///path` or `s3://bucket/prefix?endpoint_url=...`; raise ValueError.

    The message contains no part of `text`, which may hold secrets by mistake.
    """
    if not text.isprintable():
        raise ValueError(_ALLOWED)
    url = urlsplit(text)
    if url.scheme == "s3":
        return _parse_s3(url.netloc, url.path, url.query)
    if url.scheme == "file" and url.netloc in ("", "localhost"):
        return _parse_folder(unquote(url.path))
    if "://" in text:
        raise ValueError(_ALLOWED)
    return _parse_folder(text)


def _parse_folder(text: str) -> FolderAddress:
    try:
        path = Path(text).expanduser().absolute()
    except RuntimeError as error:
        raise ValueError(f"{error}: give an absolute path") from error
    if path.exists() and not path.is_dir():
        raise ValueError("the path exists and is not a folder")
    return FolderAddress(path)


def _parse_s3(bucket: str, path: str, query: str) -> S3Address:
    if find_spec("s3fs") is None:
        raise ValueError(f"s3:// needs a package that is not installed: {write_install_command('s3')}")
    if "@" in bucket:
        raise ValueError(
            "give s3://bucket/prefix, and credentials by AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        )
    if not _BUCKET.fullmatch(bucket):
        raise ValueError("give s3://bucket/prefix, with the name of a bucket")
    options = tuple(parse_qsl(query, keep_blank_values=True))
    for name, value in options:
        if name not in _OPTIONS:
            raise ValueError(f"the options of s3:// are {' and '.join(_OPTIONS)}")
        if not value or (name == "endpoint_url" and not _is_http(value)):
            raise ValueError(f"give {_OPTIONS[name]}")
    return S3Address(bucket, path.strip("/"), options)


def _is_http(text: str) -> bool:
    try:
        url = urlsplit(text)
        return url.scheme in ("http", "https") and bool(url.hostname) and "@" not in url.netloc
    except ValueError:
        return False
