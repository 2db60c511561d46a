"""`python -m reports_worker.definitions`: look at all definitions, print what was found as JSON, and end.

Each of the user's files is loaded in a process of its own, so that one that loops, exits or crashes hides no other.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

from reports_worker.data_settings import DataSettings
from reports_worker.errors import ReportsError, SettingsError
from reports_worker.parameters import Parameter
from reports_worker.type_descriptions import describe_type

from .faults import Broken, BrokenFileError
from .loading import BUILTIN, list_files, load_file

LOAD_SECONDS = 10.0
OPTION_SECONDS = 20.0
MOST_OPTIONS = 10_000


def main() -> int:
    """Print `{"types": [...], "broken": [...]}`."""
    try:
        settings = DataSettings.from_environ(os.environ)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 1
    types, broken, names = [], [], set[str]()
    for path in list_files(settings):
        found = look_at(path, settings)
        if "reason" not in found and path.stem in names:
            found = asdict(Broken(path.name, f"There is another definition of {path.stem!r} before it."))
        if "reason" in found:
            broken.append(found)
        else:
            names.add(path.stem)
            types.append(found["type"])
            broken += found["warnings"]
    print(json.dumps({"types": types, "broken": broken}))
    return 0


def look_at(path: Path, settings: DataSettings) -> dict[str, Any]:
    """Load a file in a process of its own; return its description, or what is wrong with it."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _answer(path, settings, writing)
    os.close(writing)
    try:
        text = _receive(reading, time.monotonic() + LOAD_SECONDS + OPTION_SECONDS)
    finally:
        os.close(reading)
        if os.waitpid(child, os.WNOHANG) == (0, 0):
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
    if text is None:
        return asdict(
            Broken(path.name, f"It does not end within {LOAD_SECONDS + OPTION_SECONDS:g} s of being loaded.")
        )
    try:
        found: dict[str, Any] = json.loads(text)
    except ValueError:
        return asdict(Broken(path.name, "It ends the process that loads it."))
    return found


def _answer(path: Path, settings: DataSettings, writing: int) -> None:
    """In the child: load, write what was found, and end. What the file prints goes nowhere."""
    signal.signal(signal.SIGALRM, _give_up)
    signal.alarm(int(LOAD_SECONDS))
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    try:
        text = json.dumps(_describe(path, settings))
    except BaseException as error:
        text = json.dumps(asdict(Broken(path.name, f"{type(error).__name__}: {str(error)[:300]}")))
    with os.fdopen(writing, "w") as out:
        out.write(text)
    os._exit(0)


def _give_up(*_: object) -> None:
    raise BrokenFileError(f"It was not loaded within {LOAD_SECONDS:g} s.")


def _describe(path: Path, settings: DataSettings) -> dict[str, Any]:
    try:
        loaded = load_file(path, settings)
        signal.alarm(0)
    except BrokenFileError as error:
        return asdict(Broken(path.name, str(error), error.line))
    warnings = list[dict[str, Any]]()
    parameters = _fill_options(loaded.type.parameters, settings, path, warnings)
    source = "built in" if path.parent == BUILTIN else path.name
    described = describe_type(loaded.type, version=loaded.version, source=source).to_data()
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
                reason = f"The options of {parameter.name!r} cannot be read, so any text is taken: {error}"
                warnings.append(asdict(Broken(path.name, reason)))
        filled.append(parameter)
    return filled


def _ask(query: str, settings: DataSettings) -> list[Any]:
    from reports_worker.warehouse.engines import Bounds
    from reports_worker.warehouse.opening import open_warehouse

    with tempfile.TemporaryDirectory() as scratch:
        bounds = Bounds(timedelta(seconds=OPTION_SECONDS), 500 * 10**6, Path(scratch))
        warehouse = open_warehouse(settings, bounds)
        try:
            rows = warehouse.fetch(query)
        finally:
            warehouse.close()
    return [row[0] if len(row) == 1 else row for row in rows[:MOST_OPTIONS] if row[0] is not None]


def _receive(reading: int, deadline: float) -> bytes | None:
    """Read until the other end is closed; None if that takes too long."""
    text = b""
    while (left := deadline - time.monotonic()) > 0:
        if select.select([reading], [], [], left)[0]:
            part = os.read(reading, 2**16)
            if not part:
                return text
            text += part
    return None


if __name__ == "__main__":
    sys.exit(main())
