"""Files in a bucket, by fsspec: `s3://<bucket>/<prefix>/<task id>/<execution>/<name>`."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Collection, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, TypeVar, cast

from reports_worker.task_ids import is_task_id

from .addresses import S3Address
from .errors import ArtifactGoneError, StorageError
from .folder_store import GONE
from .stores import check_names

T = TypeVar("T")

_CONNECT_SECONDS, _READ_SECONDS, _ATTEMPTS = 3, 20, 3
# What is larger goes in parts of this size; S3 takes none that is smaller.
_PART = 5 * 2**20
_MISSING = "Files go to S3, and the package for it is not installed: pip install background-reports[s3]"
_AWAY = "The store of files does not answer, or refuses. Try again in a moment, or tell who runs this."


class S3Store:
    """A file is there once its upload is complete, which S3 makes one step. Scratch is on the local disk."""

    def __init__(self, address: S3Address) -> None:
        try:
            from s3fs import S3FileSystem  # noqa: PLC0415 - half a second, for those alone who need it
        except ImportError as error:
            raise StorageError(_MISSING) from error
        options = dict(address.options)
        self._files = S3FileSystem(
            endpoint_url=options.get("endpoint_url"),
            client_kwargs={"region_name": options["region"]} if "region" in options else {},
            config_kwargs={
                "connect_timeout": _CONNECT_SECONDS,
                "read_timeout": _READ_SECONDS,
                "retries": {"max_attempts": _ATTEMPTS},
            },
            use_listings_cache=False,
            skip_instance_cache=True,
        )
        self._root = "/".join(part for part in (address.bucket, address.prefix) if part)

    @property
    def scratch_root(self) -> Path:
        return Path(tempfile.gettempdir()) / f"reports-scratch-{os.getuid()}"

    def put(self, task_id: str, execution: str, name: str, path: Path) -> None:
        key = self._key(task_id, execution, name)
        self._ask(lambda: self._files.put_file(str(path), key, chunksize=_PART))

    def open(self, task_id: str, execution: str, name: str) -> BinaryIO:
        key = self._key(task_id, execution, name)
        found = self._ask(lambda: self._files.open(key, "rb", block_size=2**20, cache_type="readahead"))
        return cast(BinaryIO, found)

    def measure(self, task_id: str, execution: str, name: str) -> int:
        key = self._key(task_id, execution, name)
        return int(self._ask(lambda: self._files.info(key, refresh=True))["size"])

    def remove(self, task_id: str, *, keep: Collection[str] = ()) -> None:
        check_names(task_id)
        folder = f"{self._root}/{task_id}"
        for path in self._find(folder):
            execution = path.removeprefix(folder).strip("/").partition("/")[0]
            if execution not in keep:
                self._ask(lambda path=path: self._files.rm_file(path))  # type: ignore[misc]

    def list(self) -> Iterator[tuple[str, datetime]]:
        seen: dict[str, datetime] = {}
        for path, about in self._find(self._root).items():
            task_id = path.removeprefix(self._root).strip("/").partition("/")[0]
            modified = about.get("LastModified") or datetime.now(UTC)
            if is_task_id(task_id):
                seen[task_id] = max(modified, seen.get(task_id, modified))
        yield from seen.items()

    def _find(self, folder: str) -> dict[str, dict[str, Any]]:
        try:
            found = self._ask(lambda: self._files.find(folder, detail=True, refresh=True))
        except ArtifactGoneError:
            return {}
        return cast(dict[str, dict[str, Any]], found)

    def _key(self, *names: str) -> str:
        check_names(*names)
        return "/".join((self._root, *names))

    @staticmethod
    def _ask(do: Callable[[], T]) -> T:
        """Do it; whatever its many layers raise, a file that is not there or a store that is away."""
        try:
            return do()
        except FileNotFoundError as error:
            raise ArtifactGoneError(GONE) from error
        except Exception as error:
            raise StorageError(_AWAY) from error
