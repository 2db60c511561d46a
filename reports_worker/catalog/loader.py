"""Load one definition from its file. Only job processes and the processes of the inspection do this."""

from __future__ import annotations

import errno
import hashlib
import importlib.util
import os
import re
import stat
import sys
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from reports_worker.errors import DefinitionError, ReportsError
from reports_worker.lib.masking import describe, say
from reports_worker.report_types.report_type import ReportType
from reports_worker.settings.data import DataSettings
from reports_worker.simulated import SIMULATED

from .errors import BrokenFileError

BUILTIN = Path(__file__).parents[1] / "builtin"
LARGEST_FILE = 2**20
LONGEST_REASON = 300
_NAME = re.compile(r"[a-z][a-z0-9_]{0,49}", re.ASCII)
_SUFFIXES = (".py", ".sql")
_NO_FILE = (
    f"The entry is not a regular file: only a regular file of {LARGEST_FILE // 2**20} MiB at most is loaded."
)
# `open` refuses a folder; the kernel refuses a socket, and a device without a driver.
_NO_FILE_ERRORS = (errno.EISDIR, errno.ENXIO, errno.ENODEV)


class UnknownTypeError(ReportsError):
    """There is no definition of this name."""


@dataclass(frozen=True)
class Loaded:
    """A report type with its code, and the version of its definition."""

    type: ReportType
    version: str


def list_files(settings: DataSettings) -> Iterator[Path]:
    """List the files of definitions, built-in ones first; a file whose name begins with `_` is a helper module."""
    for folder in ((BUILTIN,) if settings.warehouse else ()) + settings.report_folders:
        try:
            found = sorted(folder.iterdir())
        except OSError:
            continue
        yield from (path for path in found if path.suffix in _SUFFIXES and path.name[0] not in "._")


def load(name: str, settings: DataSettings) -> Loaded:
    """Load the definition with this name from the current file.

    Raises UnknownTypeError, and DefinitionError with the reason where the definition cannot be used.
    """
    if settings.warehouse is None and name in SIMULATED:
        return Loaded(SIMULATED[name], "simulated")
    for path in list_files(settings):
        if path.stem == name:
            return load_file(path, settings)
    raise UnknownTypeError(f"There is no report type {name[:100]!r}.")


def load_file(path: Path, settings: DataSettings) -> Loaded:
    """Load one file; raise BrokenFileError."""
    if not _NAME.fullmatch(path.stem):
        raise BrokenFileError(
            "The file's name must have only lower-case letters, digits and underscores, and begin with a letter."
        )
    if path.parent != BUILTIN and _is_builtin(path.stem):
        raise BrokenFileError(f"{path.stem!r} is a built-in type: give the file another name.")
    data = _read(path)
    found = _load_python(path) if path.suffix == ".py" else _load_sql(path, data, settings)
    return Loaded(found, hashlib.sha256(data).hexdigest()[:12])


def _is_builtin(name: str) -> bool:
    return name in SIMULATED or (BUILTIN / f"{name}.py").exists()


def _read(path: Path) -> bytes:
    """Read a regular file; others, such as a pipe or a device, might block or never end."""
    try:
        with open(path, "rb", opener=_open_at_once) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise BrokenFileError(_NO_FILE)
            data = file.read(LARGEST_FILE + 1)
    except OSError as error:
        reason = _NO_FILE if error.errno in _NO_FILE_ERRORS else f"The file cannot be read: {error.strerror}."
        raise BrokenFileError(reason) from error
    if len(data) > LARGEST_FILE:
        raise BrokenFileError(f"The file is larger than {LARGEST_FILE // 2**20} MiB.")
    return data


def _open_at_once(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY)


def _load_sql(path: Path, data: bytes, settings: DataSettings) -> ReportType:
    from .sql_file import read_sql  # noqa: PLC0415 - needs sqlglot, which Python types may not

    if settings.warehouse is None:
        raise BrokenFileError(
            "The file reads a warehouse, and none is set: set ConnectionStrings__warehouse."
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BrokenFileError(
            "The file is not text in UTF-8.", line=data[: error.start].count(b"\n") + 1
        ) from error
    return read_sql(path.stem, text)


def _load_python(path: Path) -> ReportType:
    is_builtin = path.parent == BUILTIN
    name = f"reports_worker.builtin.{path.stem}" if is_builtin else f"reports_definition_{path.stem}"
    if not is_builtin and str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))  # for helper modules in the same folder
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise BrokenFileError("The file is not a Python module.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException as error:  # also SystemExit: a file that raises is broken
        raise BrokenFileError(_describe_import_error(error), line=_find_line(error, path)) from error
    found = getattr(module, "TYPE", None)
    if not isinstance(found, ReportType):
        raise BrokenFileError("The file has no TYPE: write `TYPE = ReportType(...)`.")
    if found.name != path.stem:
        raise BrokenFileError(
            f"The TYPE is named {found.name!r}, and must be named as the file: {path.stem!r}."
        )
    return found


def _describe_import_error(error: BaseException) -> str:
    if isinstance(error, DefinitionError):
        return say(error, length=LONGEST_REASON)
    if isinstance(error, SyntaxError):
        return f"The file is not valid Python: {error.msg}."
    return f"The file cannot be loaded: {describe(error, length=LONGEST_REASON)}"


def _find_line(error: BaseException, path: Path) -> int | None:
    if isinstance(error, SyntaxError):
        return error.lineno
    frames: Sequence[traceback.FrameSummary] = traceback.extract_tb(error.__traceback__)
    return next((frame.lineno for frame in reversed(frames) if frame.filename == str(path)), None)
