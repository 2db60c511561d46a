"""`python -m reports_worker.catalog`: inspect all definitions, print the types and errors as JSON, and end.

Each file is loaded in a process of its own, and several run at once, so that a file that loops, exits or crashes
neither hides nor delays the others.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

import reports_worker.authoring
import reports_worker.catalog.sql_file  # noqa: F401 - loaded once, for all children
from reports_worker.errors import ReportsError, SettingsError
from reports_worker.lib.masking import describe, mask, say
from reports_worker.parameters import Parameter
from reports_worker.settings.data import DataSettings

from .errors import Broken, BrokenFileError
from .loader import BUILTIN, LONGEST_REASON, list_files, load_file

LOAD_SECONDS = 10.0
OPTION_SECONDS = 20.0
MOST_OPTIONS = 10_000
MAX_CONCURRENT = 8


def main() -> int:
    """Print `{"types": [...], "broken": [...]}`."""
    try:
        settings = DataSettings.from_environ(os.environ)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 1
    types, broken, names = [], [], set[str]()
    paths = list(list_files(settings))
    for path, found in zip(paths, inspect_all(paths, settings), strict=True):
        if "reason" in found:
            broken.append(found)
        elif path.stem in names:
            broken.append(
                asdict(
                    Broken.of(path, f"An earlier file defines {path.stem!r}: rename one of the two files.")
                )
            )
        else:
            names.add(path.stem)
            types.append(found["type"])
            broken += found["warnings"]
    print(json.dumps({"types": types, "broken": broken}))
    return 0


def inspect_all(
    paths: Sequence[Path], settings: DataSettings, *, seconds: float = LOAD_SECONDS
) -> list[dict[str, Any]]:
    """Load each file in a process of its own; return the description or the error of each file, in order."""
    found: dict[Path, dict[str, Any]] = {}
    waiting = deque(paths)
    running: dict[int, _Inspection] = {}
    while waiting or running:
        while waiting and len(running) < MAX_CONCURRENT:
            inspection = _Inspection(waiting.popleft(), settings, seconds)
            running[inspection.reading] = inspection
        left = min(inspection.deadline for inspection in running.values()) - time.monotonic()
        readable = select.select(list(running), [], [], max(left, 0))[0]
        for reading, inspection in list(running.items()):
            if reading in readable:
                inspection.read()
            if inspection.has_ended or time.monotonic() >= inspection.deadline:
                found[inspection.path] = running.pop(reading).end()
    return [found[path] for path in paths]


class _Inspection:
    """A process that loads a file, and the output that it has written until now."""

    def __init__(self, path: Path, settings: DataSettings, seconds: float) -> None:
        self.path = path
        self._seconds = seconds + OPTION_SECONDS
        self.deadline = time.monotonic() + self._seconds
        self.has_ended = False
        self._text = b""
        self.reading, writing = os.pipe()
        self._child = os.fork()
        if self._child == 0:
            os.close(self.reading)
            _run_child(path, settings, seconds, writing)
        # Before the next fork, whose child would keep the pipe open.
        os.close(writing)

    def read(self) -> None:
        part = os.read(self.reading, 2**16)
        self._text += part
        self.has_ended = not part

    def end(self) -> dict[str, Any]:
        """End the process; return the description or the error of the file."""
        os.close(self.reading)
        if os.waitpid(self._child, os.WNOHANG) == (0, 0):
            os.kill(self._child, signal.SIGKILL)
            os.waitpid(self._child, 0)
        if not self.has_ended:
            return self._to_error(f"The file's process does not end within {self._seconds:g} s.")
        try:
            found: dict[str, Any] = json.loads(self._text)
        except ValueError:
            return self._to_error("The file ends the process that loads it.")
        return found

    def _to_error(self, reason: str) -> dict[str, Any]:
        return asdict(Broken.of(self.path, reason))


def _run_child(path: Path, settings: DataSettings, seconds: float, writing: int) -> None:
    """Load the file in the child, write the result, and exit. Output of the file itself is discarded."""

    def abort(*_: object) -> None:
        raise BrokenFileError(f"The file was not loaded within {seconds:g} s.")

    signal.signal(signal.SIGALRM, abort)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)
    try:
        text = json.dumps(_inspect_file(path, settings))
    except BaseException as error:
        text = json.dumps(asdict(Broken.of(path, describe(error, length=LONGEST_REASON))))
    with os.fdopen(writing, "w") as out:
        out.write(text)
    os._exit(0)


def _inspect_file(path: Path, settings: DataSettings) -> dict[str, Any]:
    try:
        loaded = load_file(path, settings)
        signal.setitimer(signal.ITIMER_REAL, 0)
    except BrokenFileError as error:
        return asdict(Broken.of(path, mask(str(error)), error.line))
    warnings = list[dict[str, Any]]()
    parameters = _fill_options(loaded.type.parameters, settings, path, warnings)
    source = "built in" if path.parent == BUILTIN else path.name
    described = loaded.type.describe(version=loaded.version, source=source).to_data()
    described["parameters"] = [parameter.to_data() for parameter in parameters]
    return {"type": described, "warnings": warnings}


def _fill_options(
    parameters: Iterable[Parameter], settings: DataSettings, path: Path, warnings: list[dict[str, Any]]
) -> list[Parameter]:
    """Query the warehouse for the options of parameters that have a query."""
    filled = []
    for parameter in parameters:
        query = getattr(parameter, "query", None)
        if query and settings.warehouse:
            try:
                parameter = parameter.with_options(_query_options(query, settings))  # type: ignore[attr-defined]  # noqa: PLW2901
            except ReportsError as error:
                description = say(error, length=LONGEST_REASON)
                reason = f"The options of {parameter.name!r} cannot be read, so any text is accepted: {description}"
                warnings.append(asdict(Broken.of(path, reason)))
        filled.append(parameter)
    return filled


def _query_options(query: str, settings: DataSettings) -> list[Any]:
    from reports_worker.warehouse.engine import Bounds
    from reports_worker.warehouse.open import open_warehouse

    with tempfile.TemporaryDirectory() as scratch:
        bounds = Bounds(timedelta(seconds=OPTION_SECONDS), 500 * 10**6, Path(scratch))
        warehouse = open_warehouse(settings.warehouse, bounds)
        try:
            rows = warehouse.fetch(query)
        finally:
            warehouse.close()
    return [row[0] if len(row) == 1 else row for row in rows[:MOST_OPTIONS] if row[0] is not None]
