"""S3 for tests: moto's server in a process of its own, and a bucket."""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.ports import free_port
from harness.wait import wait_until
from reports_worker.artifacts import parse_store
from reports_worker.artifacts.address import S3Address
from reports_worker.artifacts.s3 import S3Store

BUCKET = "reports"
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "us-east-1",
}


@dataclass(frozen=True)
class Moto:
    """A server with one bucket; `call` asks it past the store."""

    port: int
    _stores: dict[S3Address, S3Store] = field(default_factory=dict, compare=False)

    def address(self, *, port: int | None = None, bucket: str = BUCKET) -> str:
        return f"s3://{bucket}/some/prefix?endpoint_url=http://127.0.0.1:{port or self.port}&region=us-east-1"

    def store(
        self, *, port: int | None = None, bucket: str = BUCKET, answer_seconds: float | None = None
    ) -> S3Store:
        """A store; the same one again where it is asked alike, since its client takes long to make."""
        address = parse_store(self.address(port=port, bucket=bucket))
        assert isinstance(address, S3Address)
        if answer_seconds is not None:
            return S3Store(address, answer_seconds=answer_seconds)
        if address not in self._stores:
            self._stores[address] = S3Store(address)
        return self._stores[address]

    def call(self, method: str, **arguments: object) -> dict[str, Any]:
        found: dict[str, Any] = self.store()._client.call_s3(method, Bucket=BUCKET, **arguments)
        return found

    def require_keys(self, *, is_required: bool) -> None:
        """Have it look at who asks, or at nothing."""
        count = b"0" if is_required else b"1000000000"
        url = f"http://127.0.0.1:{self.port}/moto-api/reset-auth"
        request = urllib.request.Request(url, count, {"Content-Type": "text/plain"})
        with urllib.request.urlopen(request, timeout=5):
            pass

    def is_up(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/moto-api/data.json", timeout=1):
                return True
        except OSError:
            return False


@contextmanager
def serve_buckets(folder: Path) -> Iterator[Moto]:
    """Start the server; credentials for it must be in the environment of whoever asks."""
    port = free_port()
    command = [str(Path(sys.executable).parent / "moto_server"), "-H", "127.0.0.1", "-p", str(port)]
    with (folder / "moto.log").open("wb") as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=log, env={**os.environ, **CREDENTIALS}, start_new_session=True
        )
    try:
        moto = Moto(port)
        wait_until(moto.is_up, what="moto's server")
        moto.call("create_bucket")
        yield moto
    finally:
        process.kill()
        process.wait()
