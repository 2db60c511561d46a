"""The store in a bucket, by fsspec's s3fs: `s3://<bucket>/<prefix>/<task id>/<execution>/<name>`."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any, TypeVar, cast

from reports_worker.domain.task_id import is_task_id

from .address import S3Address
from .errors import AWAY, CHANGED, GONE, ArtifactGoneError, StorageError, to_storage_error
from .store import OpenFile, StoredExecution, check_names, is_safe

T = TypeVar("T")

# The limits of one call; each part of a multipart upload is one call.
_CONNECT_SECONDS, RESPONSE_SECONDS, _ATTEMPTS = 3, 10.0, 2
_CHUNK = 2**18
# A file larger than two parts is uploaded in parts. S3 sets both limits.
_SMALLEST_PART, _MOST_PARTS = 5 * 2**20, 10_000
_PARTS_AT_ONCE = 2
_MOST_REMOVED = 1000


class S3Store:
    """Stores a file by one upload, which S3 completes in one step. Scratch folders are on the local disk."""

    def __init__(self, address: S3Address, *, answer_seconds: float = RESPONSE_SECONDS) -> None:
        # The import takes half a second. Here, only processes with an S3 store import it, and they do so before a fork.
        import s3fs  # noqa: F401, PLC0415

        self._address = address
        self._answer_seconds = answer_seconds
        self._root = f"{address.prefix}/" if address.prefix else ""
        self._client_of_process: tuple[int, Any] | None = None

    @property
    def _client(self) -> Any:
        """The client of this process. Its loop runs on a thread, which a forked process does not have."""
        if self._client_of_process is None or self._client_of_process[0] != os.getpid():
            self._client_of_process = os.getpid(), _make_client(self._address, self._answer_seconds)
        return self._client_of_process[1]

    @property
    def scratch_root(self) -> Path:
        # One folder for each store: the worker of another deployment does not know the executions of this one.
        name = hashlib.sha256(f"{self._address.bucket}/{self._root}".encode()).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"reports-scratch-{os.getuid()}-{name}"

    def put(self, task_id: str, execution: str, name: str, path: Path) -> None:
        target = f"{self._address.bucket}/{self._key(task_id, execution, name)}"
        part = max(_SMALLEST_PART, -(-path.stat().st_size // _MOST_PARTS))
        client = self._client
        try:
            _call_translated(
                lambda: client.put_file(str(path), target, chunksize=part, max_concurrency=_PARTS_AT_ONCE)
            )
        except ArtifactGoneError as error:  # another client has aborted the upload
            raise StorageError(AWAY) from error

    def open(
        self, task_id: str, execution: str, name: str, *, start: int = 0, end: int | None = None
    ) -> OpenFile:
        whole = start == 0 and end is None
        part = {} if whole else {"Range": f"bytes={start}-{'' if end is None else end - 1}"}
        found = self._call("get_object", Key=self._key(task_id, execution, name), **part)
        size = found["ContentLength"] if whole else int(found["ContentRange"].rpartition("/")[2])
        body = found["Body"]
        return OpenFile(size, self._read(body, found["ContentLength"]), body.close)

    def measure(self, task_id: str, execution: str, name: str) -> int:
        return int(self._call("head_object", Key=self._key(task_id, execution, name))["ContentLength"])

    def find_executions(self, task_id: str) -> list[str]:
        check_names(task_id)
        keys = [about["Key"] for about in self._list(f"{task_id}/")]
        keys += [upload["Key"] for upload in self._find_uploads(task_id)]
        return sorted({execution for key in keys if (execution := self._split(key)[1])})

    def remove(self, task_id: str, executions: Collection[str]) -> None:
        check_names(task_id, *executions)
        for upload in self._find_uploads(task_id):
            if self._split(upload["Key"])[1] in executions:
                self._abort(upload)
        for execution in executions:
            keys = [{"Key": about["Key"]} for about in self._list(f"{task_id}/{execution}/")]
            for begin in range(0, len(keys), _MOST_REMOVED):
                some = {"Objects": keys[begin : begin + _MOST_REMOVED], "Quiet": True}
                if self._call("delete_objects", Delete=some).get("Errors"):
                    raise to_storage_error(PermissionError())

    def find_all(self) -> Iterator[StoredExecution]:
        # S3 lists keys in order, so the keys of an execution are adjacent.
        for (task_id, execution), abouts in groupby(
            self._list(""), key=lambda about: self._split(about["Key"])
        ):
            if is_task_id(task_id) and execution:
                modified = max(about.get("LastModified") or datetime.now(UTC) for about in abouts)
                yield StoredExecution(task_id, execution, modified)

    def _list(self, below: str) -> Iterator[dict[str, Any]]:
        more: dict[str, str] = {}
        while True:
            page = self._call("list_objects_v2", Prefix=self._root + below, **more)
            yield from page.get("Contents", ())
            if not page.get("IsTruncated"):
                return
            more = {"ContinuationToken": page["NextContinuationToken"]}

    def _find_uploads(self, task_id: str) -> list[dict[str, Any]]:
        """Find incomplete uploads. The upload of a killed worker takes space, and a list of objects omits it."""
        found = self._call("list_multipart_uploads", Prefix=f"{self._root}{task_id}/")
        return cast(list[dict[str, Any]], found.get("Uploads", []))

    def _abort(self, upload: dict[str, Any]) -> None:
        with suppress(ArtifactGoneError):  # another worker has aborted it
            self._call("abort_multipart_upload", Key=upload["Key"], UploadId=upload["UploadId"])

    def _read(self, body: Any, count: int) -> Iterator[bytes]:
        while count > 0:
            chunk = _call_translated(
                lambda count=count: self._sync(body.read, min(_CHUNK, count))  # type: ignore[misc]
            )
            if not chunk:
                raise ArtifactGoneError(CHANGED)
            count -= len(chunk)
            yield chunk

    def _sync(self, do: Callable[..., Any], *arguments: object) -> bytes:
        from fsspec.asyn import sync  # noqa: PLC0415 - as above

        return cast(bytes, sync(self._client.loop, do, *arguments, timeout=2 * self._answer_seconds))

    def _key(self, *names: str) -> str:
        check_names(*names)
        return self._root + "/".join(names)

    def _split(self, key: str) -> tuple[str, str]:
        """Split a key into task id and execution; empty where the key is not of this store's form."""
        task_id, _, rest = key.removeprefix(self._root).partition("/")
        execution = rest.partition("/")[0] if "/" in rest else ""
        return task_id, execution if is_safe(execution) else ""

    def _call(self, method: str, **arguments: object) -> dict[str, Any]:
        """Call S3. Raises StorageError, and ArtifactGoneError for a key that does not exist."""
        call, bucket = self._client.call_s3, self._address.bucket
        return cast(dict[str, Any], _call_translated(lambda: call(method, Bucket=bucket, **arguments)))


def _make_client(address: S3Address, answer_seconds: float) -> Any:
    from s3fs import S3FileSystem  # noqa: PLC0415 - as above

    options = dict(address.options)
    client = S3FileSystem(
        endpoint_url=options.get("endpoint_url"),
        client_kwargs={"region_name": options["region"]} if "region" in options else {},
        config_kwargs={
            "connect_timeout": _CONNECT_SECONDS,
            "read_timeout": answer_seconds,
            "retries": {"total_max_attempts": _ATTEMPTS},
        },
        use_listings_cache=False,
        skip_instance_cache=True,
    )
    # s3fs retries five times by default, and a store that hangs would block a thread for minutes.
    client.retries = 1
    return client


def _call_translated(function: Callable[[], T]) -> T:
    """Call a function; translate the errors of the client and of the libraries below it."""
    try:
        return function()
    except Exception as error:
        code = _find_code(error)
        if code == "InvalidRange":
            raise ArtifactGoneError(CHANGED) from error
        if code == "NoSuchUpload" or (isinstance(error, FileNotFoundError) and code != "NoSuchBucket"):
            raise ArtifactGoneError(GONE) from error
        raise to_storage_error(error) from error


def _find_code(error: BaseException) -> str:
    """Find the error code of S3, which is in the cause of the error that s3fs raises."""
    response = getattr(error.__cause__ or error, "response", None) or {}
    return str(response.get("Error", {}).get("Code", ""))
