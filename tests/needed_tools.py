"""What some machines lack: a test that needs it is skipped with the reason. CI fails on a skip."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from harness import postgresql
from harness.errors import MissingToolError
from harness.small_disk import mount_small_disk


def need_program(name: str, *, package: str) -> None:
    """Skip the test where a program is not on PATH."""
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed: apt install {package}")


def need_postgresql() -> None:
    """Skip the test where the server is not installed."""
    if not postgresql.is_installed():
        pytest.skip("PostgreSQL is not installed: apt install postgresql")


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """Mount a file system of a few MB on `folder`; skip the test where that is not allowed."""
    with ExitStack() as stack:
        try:
            disk = stack.enter_context(mount_small_disk(folder))
        except MissingToolError as error:
            pytest.skip(str(error))
        yield disk
