"""`python -m reports_worker.catalog`: look at all definitions, print what was found as JSON, and end.

Each file is loaded in a process of its own, some at once, so that one that loops, exits or crashes neither hides
another nor keeps it waiting for long.
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
AT_ONCE = 8


def main() -> int:
    """Print `{"types": [...], "broken": [...]}`."""
    try:
        settings = DataSettings.from_environ(os.environ)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 1
    types, broken, names = [], [], set[str]()
    paths = list(list_files(settings))
    for path, found in zip(paths, look_at_all(paths, settings), strict=True):
        if "reason" in found:
            broken.append(found)
        elif path.stem in names:
            broken.append(
                asdict(Broken(path.name, f"There is another definition of {path.stem!r} before it."))
            )
        else:
            names.add(path.stem)
            types.append(found["type"])
            broken += found["warnings"]
    print(json.dumps({"types": types, "broken": broken}))
    return 0


def look_at_all(
    paths: Sequence[Path], settings: DataSettings, *, seconds: float = LOAD_SECONDS
) -> list[dict[str, Any]]:
    """Load each file in a process of its own; return its description, or what is wrong with it, in their order."""
    found: dict[Path, dict[str, Any]] = {}
    waiting = deque(paths)
    running: dict[int, _Look] = {}
    while waiting or running:
        while waiting and len(running) < AT_ONCE:
            look = _Look(waiting.popleft(), settings, seconds)
            running[look.reading] = look
        left = min(look.deadline for look in running.values()) - time.monotonic()
        readable = select.select(list(running), [], [], max(left, 0))[0]
        for reading, look in list(running.items()):
            if reading in readable:
                look.read()
            if look.has_ended or time.monotonic() >= look.deadline:
                found[look.path] = running.pop(reading).end()
    return [found[path] for path in paths]


class _Look:
    """A process that loads a file, and what it has told of it until now."""

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
            _answer(path, settings, seconds, writing)
        # Before another is forked, which would hold it open.
        os.close(writing)

    def read(self) -> None:
        part = os.read(self.reading, 2**16)
        self._text += part
        self.has_ended = not part

    def end(self) -> dict[str, Any]:
        """End the process; return what came of it."""
        os.close(self.reading)
        if os.waitpid(self._child, os.WNOHANG) == (0, 0):
            os.kill(self._child, signal.SIGKILL)
            os.waitpid(self._child, 0)
        if not self.has_ended:
            return self._complain(f"It does not end within {self._seconds:g} s of being loaded.")
        try:
            found: dict[str, Any] = json.loads(self._text)
        except ValueError:
            return self._complain("It ends the process that loads it.")
        return found

    def _complain(self, reason: str) -> dict[str, Any]:
        return asdict(Broken(self.path.name, reason))


def _answer(path: Path, settings: DataSettings, seconds: float, writing: int) -> None:
    """In the child: load, write what was found, and end. What the file prints goes nowhere."""

    def give_up(*_: object) -> None:
        raise BrokenFileError(f"It was not loaded within {seconds:g} s.")

    signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    try:
        text = json.dumps(_describe(path, settings))
    except BaseException as error:
        text = json.dumps(asdict(Broken(path.name, describe(error, length=LONGEST_REASON))))
    with os.fdopen(writing, "w") as out:
        out.write(text)
    os._exit(0)


def _describe(path: Path, settings: DataSettings) -> dict[str, Any]:
    try:
        loaded = load_file(path, settings)
        signal.setitimer(signal.ITIMER_REAL, 0)
    except BrokenFileError as error:
        return asdict(Broken(path.name, mask(str(error)), error.line))
    warnings = list[dict[str, Any]]()
    parameters = _fill_options(loaded.type.parameters, settings, path, warnings)
    source = "built in" if path.parent == BUILTIN else path.name
    described = loaded.type.describe(version=loaded.version, source=source).to_data()
    described["parameters"] = [parameter.to_data() for parameter in parameters]
    return {"type": described, "warnings": warnings}


def _fill_options(
    parameters: Iterable[Parameter], settings: DataSettings, path: Path, warnings: list[dict[str, Any]]
) -> list[Parameter]:
    """Ask the warehouse for the options of parameters that have a query for them."""
    filled = []
    for parameter in parameters:
        query = getattr(parameter, "query", None)
        if query and settings.warehouse:
            try:
                parameter = parameter.with_options(_ask(query, settings))  # type: ignore[attr-defined]  # noqa: PLW2901
            except ReportsError as error:
                words = say(error, length=LONGEST_REASON)
                reason = f"The options of {parameter.name!r} cannot be read, so any text is taken: {words}"
                warnings.append(asdict(Broken(path.name, reason)))
        filled.append(parameter)
    return filled


def _ask(query: str, settings: DataSettings) -> list[Any]:
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
