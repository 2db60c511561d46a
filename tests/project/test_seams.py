"""The tables of docs/reference/seams.md, held: what RQ, gunicorn and rq-dashboard do not promise to keep."""

from __future__ import annotations

import ast
import configparser
import importlib
import inspect
import re
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from reports_app.server.client_connection import ClientConnection
from reports_app.server.gunicorn_worker import SharingThreadWorker
from reports_worker.worker.job import ReportJob, ReportsQueue
from reports_worker.worker.lifecycle import OperatedWorker
from reports_worker.worker.report_worker import ReportWorker
from tests.project.sources import ROOT, find_files

PAGE = "docs/reference/seams.md"
# The import name of each library, and its name in setup.cfg.
LIBRARIES = {"rq": "rq", "gunicorn": "gunicorn", "rq_dashboard": "rq-dashboard"}
SUBCLASSES = (ReportWorker, OperatedWorker, ReportJob, ReportsQueue, SharingThreadWorker, ClientConnection)
# Where private names of the libraries, and of Python's thread pool, are looked for.
INTERNALS = (
    "rq.worker.base",
    "rq.worker.worker_classes",
    "rq.job",
    "rq.queue",
    "gunicorn.workers.gthread",
    "gunicorn.workers.base",
    "gunicorn.http.message",
    "gunicorn.arbiter",
    "concurrent.futures.thread",
)
# Private names that are Python's own, and those that our code defines and only shares with a library.
PUBLIC_ENOUGH = {"_exit"}


class Seam(NamedTuple):
    """A row of the tables."""

    name: str
    kind: str
    used_in: str
    here: str
    purpose: str

    @property
    def last(self) -> str:
        return self.name.rpartition(".")[2]


def read_seams() -> list[Seam]:
    text = (ROOT / PAGE).read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([\w.]+)` \| (.*?) \| (.*?) \| `([\w./]+)` \| (.*?) \|$", text, re.MULTILINE)
    assert len(rows) == len(re.findall(r"^\| `", text, re.MULTILINE))
    return [Seam(*row) for row in rows]


SEAMS = read_seams()


def resolve(name: str) -> Any:
    """Find what a dotted name stands for, without calling a property. Raises AttributeError."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found: Any = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for part in parts[length:]:
            found = inspect.getattr_static(found, part)
        return found
    raise AttributeError(name)


def find_function(found: Any) -> Any:
    """Find the function behind a property, a method or a command."""
    if isinstance(found, property):
        return found.fget
    found = getattr(found, "__func__", found)
    return getattr(found, "callback", found)


def describe_arguments(function: Callable[..., Any]) -> str:
    """Write names of arguments, with `=` behind those that have a default."""
    stars: dict[Any, str] = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
    names = [
        f"{stars.get(one.kind, '')}{one.name}{'=' if one.default is not one.empty else ''}"
        for one in inspect.signature(function).parameters.values()
    ]
    return f"`({', '.join(names)})`"


def describe_kind(name: str) -> str:
    """Describe what a name stands for now, in the words of the tables."""
    try:
        found = resolve(name)
    except AttributeError:
        return "instance attribute"
    if isinstance(found, property):
        return "property"
    function = getattr(found, "__func__", found)
    if inspect.isfunction(function):
        return describe_arguments(function)
    return "class" if inspect.isclass(found) else "attribute"


def normalise(text: str) -> str:
    return " ".join(text.split())


def find_change(seam: Seam) -> str | None:
    """Describe how the library differs from the row; None if the row still holds."""
    kind = describe_kind(seam.name)
    if kind != seam.kind:
        return f"it is {kind} now, not {seam.kind}" if kind != "instance attribute" else "it is gone"
    if not (used := re.fullmatch(r"`([\w.]+)`: `(.*)`", seam.used_in)):
        return None
    try:
        source = inspect.getsource(find_function(resolve(used[1])))
    except AttributeError:
        return f"{used[1]}, which used it, is gone"
    is_used = normalise(used[2]) in normalise(source)
    return None if is_used else f"{used[1]} no longer contains {used[2]!r}"


# Found while tests are collected: later, tests of the product replace parts of the libraries in this process.
CHANGES = {seam.name: find_change(seam) for seam in SEAMS}


@pytest.mark.parametrize("seam", SEAMS, ids=[seam.name for seam in SEAMS])
def test_each_seam_is_as_the_page_describes(seam: Seam) -> None:
    change = CHANGES[seam.name]
    library = seam.name.partition(".")[0]
    release = f"{library} {version(LIBRARIES[library])}" if library in LIBRARIES else "this Python"
    assert change is None, (
        f"{release} has changed {seam.name}: {change}. Read its release notes, then adapt {seam.here} "
        f"({seam.purpose}) and the row in {PAGE}."
    )


@pytest.mark.parametrize("seam", SEAMS, ids=[seam.name for seam in SEAMS])
def test_each_seam_is_in_use_in_the_file_of_its_row(seam: Seam) -> None:
    text = (ROOT / seam.here).read_text(encoding="utf-8")

    assert any(name in text for name in (seam.last, *re.findall("`([^`]+)`", seam.purpose)))


def find_overridden(subclass: type) -> Iterator[str]:
    """Yield what a class overrides of its library, by its dotted name there."""
    owners = [base for base in subclass.__mro__ if base.__module__.partition(".")[0] in LIBRARIES]
    for name in vars(subclass):
        if not name.startswith("__") and (owner := next((one for one in owners if name in vars(one)), None)):
            yield f"{owner.__module__}.{owner.__qualname__}.{name}"


@pytest.mark.parametrize("subclass", SUBCLASSES)
def test_each_override_stands_on_the_page(subclass: type) -> None:
    overridden = set(find_overridden(subclass))

    assert overridden - {seam.name for seam in SEAMS} == set()


def find_private_names(source: str) -> set[str]:
    names = {node.attr for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Attribute)}
    return {name for name in names if re.match(r"_[^_]", name)}


def list_files() -> list[Path]:
    """List our files that import one of the libraries."""
    files = [path for package in ("reports_worker", "reports_app") for path in find_files(package, ".py")]
    pattern = re.compile(rf"^(?:from|import) (?:{'|'.join(LIBRARIES)})\b", re.MULTILINE)
    return [path for path in files if pattern.search(path.read_text(encoding="utf-8"))]


def test_each_private_name_of_a_library_stands_on_the_page() -> None:
    internal = set[str]().union(
        *(find_private_names(inspect.getsource(import_module(name))) for name in INTERNALS)
    )
    known = {seam.last for seam in SEAMS} | PUBLIC_ENOUGH

    for path in list_files():
        source = path.read_text(encoding="utf-8")
        own = {
            node.name
            for node in ast.walk(ast.parse(source))
            if isinstance(node, (ast.FunctionDef, ast.ClassDef))
        }
        used = find_private_names(source)
        assert used & internal - own - known == set(), path


def find_replaced(path: Path) -> Iterator[str]:
    """Yield the names that a file assigns into a library: by attribute, by `vars(...)[...]` or by `setattr`."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imported: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported |= {(alias.asname or alias.name.partition(".")[0]): alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            imported |= {(alias.asname or alias.name): f"{node.module}.{alias.name}" for alias in node.names}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            yield from (ast.unparse(target) for target in node.targets if _is_foreign(target, imported))
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "setattr":
            yield from (ast.unparse(node.args[0]) for _ in range(_is_foreign(node.args[0], imported)))


def _is_foreign(target: ast.expr, imported: dict[str, str]) -> bool:
    """Test whether an assignment changes an object of a library."""
    if isinstance(target, ast.Name):
        return imported.get(target.id, "").partition(".")[0] in LIBRARIES
    if isinstance(target, ast.Call):
        return ast.unparse(target.func) == "vars" and _is_foreign(target.args[0], imported)
    return isinstance(target, (ast.Attribute, ast.Subscript)) and _is_foreign(target.value, imported)


def test_each_replacement_in_a_library_stands_on_the_page() -> None:
    replaced = {name for path in list_files() for name in find_replaced(path)}

    assert replaced == {
        "CliConfig",  # each of the four attributes has its row
        "rq.serializers.DefaultSerializer",
        "rq.serializers.PickleSerializer",
        "rq_dashboard.web.config.serializer",
        "rq_dashboard.web.from_url",
        "vars(rq_workers)['is_suspended']",
    }


def test_a_change_of_a_library_gives_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    seam = next(one for one in SEAMS if one.name == "rq.cli.workers.is_suspended")
    module = importlib.import_module("rq.cli.workers")

    assert find_change(seam) is None
    monkeypatch.setattr(module, "is_suspended", lambda **_: False)
    assert "it is `(**_)` now" in str(find_change(seam))
    monkeypatch.delattr(module, "is_suspended")
    assert find_change(seam) == "it is gone"
    gone = seam._replace(name="rq.suspension.is_suspended", used_in="`rq.cli.workers.worker`: `never there`")
    assert find_change(gone) == "rq.cli.workers.worker no longer contains 'never there'"


@pytest.mark.parametrize(("module", "name"), LIBRARIES.items())
def test_the_libraries_are_bound_to_one_minor_version(module: str, name: str) -> None:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    lines = setup["options"]["install_requires"].splitlines()
    bound = next(one.specifier for one in map(Requirement, filter(is_requirement, lines)) if one.name == name)
    installed = Version(version(name))

    assert installed in bound
    assert Version(f"{installed.major}.{installed.minor + 1}") not in bound, (
        f"{module} may be of two minor versions"
    )


def is_requirement(line: str) -> bool:
    return bool(line) and not line.startswith("#")
