"""The tables of docs/reference/packages.md, held: which package may import which, and how large a package may be."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests.project.sources import ROOT, find_files

PRODUCT = ("reports_worker", "reports_app", "apphost")
# Packages beside the product, and those that they may import besides themselves.
BESIDE = {
    "harness": {"apphost", "reports_worker"},
    "faults": {"apphost", "harness", "reports_worker"},
    "benchmarks": {"apphost", "harness", "reports_app", "reports_worker"},
    "tools": set(),
}
MOST_MODULES = 20
MOST_FLOORS = 10
# Few files know RQ; others call these.
KNOW_RQ = {
    "reports_app/rq_dashboard.py",
    "reports_worker/__main__.py",
    "reports_worker/broker/key_prefix.py",
    "reports_worker/broker/keys.py",
    "reports_worker/queue/job_hash.py",
    "reports_worker/queue/json_serializer.py",
    "reports_worker/rq_config.py",
    "reports_worker/worker/job.py",
    "reports_worker/worker/lifecycle.py",
    "reports_worker/worker/report_worker.py",
}
# Packages of values and decisions: they know neither Redis nor the web.
PURE = {
    "reports_worker.content",
    "reports_worker.domain",
    "reports_worker.errors",
    "reports_worker.parameters",
}


def source_files(package: str) -> list[Path]:
    return [path for path in find_files(package, ".py") if "peer" not in path.parts]


def find_modules() -> Mapping[str, Path]:
    paths = [path for package in PRODUCT for path in source_files(package)]
    return {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for path in paths
    }


MODULES = find_modules()


@cache
def imported_names(path: Path) -> Sequence[str]:
    """Find the absolute name of each import of a file, wherever in the file it is: of the module, and of the name."""
    return [*_find_imported_names(path)]


def _find_imported_names(path: Path) -> Iterator[str]:
    package = path.relative_to(ROOT).with_suffix("").parts[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{module}.{alias.name}" for alias in node.names)


def package_of(name: str) -> str | None:
    """Find the package of the tables that a module or a name in it belongs to; None for what is not ours."""
    module = name if name in MODULES else name.rpartition(".")[0]
    if module not in MODULES:
        return None
    return ".".join(module.split(".")[:2])


def read_tables() -> Mapping[str, set[str]]:
    text = (ROOT / "docs" / "reference" / "packages.md").read_text(encoding="utf-8")
    allowed = {}
    for section in re.split(r"^### ", text, flags=re.MULTILINE)[1:]:
        product = section.split("\n", 1)[0]

        def absolute(name: str, product: str = product) -> str:
            return name if name.partition(".")[0] in PRODUCT else f"{product}.{name}"

        for row in re.findall(r"^\| (`[^|]*) \| ([^|]*) \|", section, re.MULTILINE):
            names = [re.findall(r"`([\w.]+)`", cell) for cell in row]
            allowed[absolute(names[0][0])] = {absolute(name) for name in names[1]}
    return allowed


ALLOWED = read_tables()


def test_every_package_stands_in_the_tables() -> None:
    assert {package_of(name) for name in MODULES} == ALLOWED.keys()


@pytest.mark.parametrize("package", ALLOWED)
def test_a_package_imports_those_of_its_row_alone(package: str) -> None:
    found = {
        other
        for name, path in MODULES.items()
        if package_of(name) == package
        for imported in imported_names(path)
        if (other := package_of(imported)) and other != package
    }

    assert found == ALLOWED[package]


def test_there_is_no_circle_and_no_more_than_ten_floors_below_the_api() -> None:
    floors: dict[str, int] = {}
    for package in TopologicalSorter(ALLOWED).static_order():
        floors[package] = 1 + max((floors[other] for other in ALLOWED[package]), default=0)

    assert max(floor for name, floor in floors.items() if not name.startswith("reports_app")) <= MOST_FLOORS


def test_no_folder_has_more_than_twenty_modules() -> None:
    folders = Counter(path.parent for package in (*PRODUCT, *BESIDE) for path in source_files(package))

    assert {str(folder.relative_to(ROOT)): n for folder, n in folders.items() if n > MOST_MODULES} == {}


def test_each_package_of_the_product_imports_only_what_is_below_it() -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in MODULES.values()
        for name in imported_names(path)
        if name.partition(".")[0] in (*BESIDE, "tests")
    ]

    assert wrong == []


@pytest.mark.parametrize("package", BESIDE)
def test_what_stands_beside_the_product_imports_what_it_may(package: str) -> None:
    others = {*PRODUCT, *BESIDE, "tests"} - {package} - BESIDE[package]

    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in source_files(package)
        for name in imported_names(path)
        if name.partition(".")[0] in others
    ]

    assert source_files(package)
    assert wrong == []


def test_few_files_know_rq() -> None:
    knowing = {
        str(path.relative_to(ROOT))
        for path in MODULES.values()
        for name in imported_names(path)
        if name.partition(".")[0] in ("rq", "rq_dashboard")
    }

    assert knowing == KNOW_RQ


def test_pure_packages_import_neither_redis_nor_the_web() -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for module, path in MODULES.items()
        if package_of(module) in PURE
        for name in imported_names(path)
        if name.partition(".")[0] in ("redis", "rq", "flask")
    ]

    assert wrong == []
