"""What the machine must offer; looked at before anything starts."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path

from apphost.broker.server import choose_server
from apphost.errors import NoServerError
from harness.errors import MissingToolError
from harness.small_disk import mount_small_disk

from .deployment import Needs
from .shifted_clock import find_library
from .versions.previous import prepare_environment


def check_tools(needs: Iterable[Needs]) -> None:
    """Raise MissingToolError, naming what is missing and how to get it."""
    wanted = list(needs)
    try:
        with tempfile.TemporaryDirectory() as folder:
            choose_server(Path(folder))
    except NoServerError as error:
        raise MissingToolError(str(error)) from error
    if any(need.shifted_clock for need in wanted):
        find_library()
    if any(need.previous_version for need in wanted):
        prepare_environment()
    if any(need.small_disk for need in wanted):
        with tempfile.TemporaryDirectory() as folder, mount_small_disk(Path(folder) / "disk"):
            pass
