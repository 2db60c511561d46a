"""Who may import whom: the arrows of docs/architecture.md, held."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ALLOWED = {
    "apphost": set[str](),
    "faults": {"apphost", "reports_worker"},
    "reports_app": {"reports_worker"},
    "reports_worker": set[str](),
}
# Few files know RQ; whatever else needs it asks them.
KNOW_RQ = {
    "reports_app/rq_dashboard.py",
    "reports_worker/__main__.py",
    "reports_worker/worker/job.py",
    "reports_worker/queue/json_serializer.py",
    "reports_worker/broker/keys.py",
    "reports_worker/worker/lifecycle.py",
    "reports_worker/queue/job_hash.py",
    "reports_worker/rq_config.py",
    "reports_worker/worker/report_worker.py",
}
# Values and decisions: they know neither Redis nor the web.
PURE = {"callback_urls", "clock", "errors", "formats.names", "logs", "masking", "model", "submissions", "task_ids",
        "type_descriptions", "webhooks"}  # fmt: skip
PURE_PACKAGES = ("reports_worker.parameters",)


def imported_modules(path: Path) -> Iterator[str]:
    """Yield the absolute name of each module that a file imports, wherever in the file it does."""
    package = path.relative_to(ROOT).with_suffix("").parts[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            names = [node.module] if node.module else [alias.name for alias in node.names]
            yield from (".".join([*base, name]) for name in names)


def source_files(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


@pytest.mark.parametrize("package", ALLOWED)
def test_a_package_imports_only_the_packages_below_it(package: str) -> None:
    others = ALLOWED.keys() - {package} - ALLOWED[package]

    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in source_files(package)
        for name in imported_modules(path)
        if name.partition(".")[0] in others
    ]

    assert source_files(package)
    assert wrong == []


def test_few_files_know_rq() -> None:
    knowing = {
        str(path.relative_to(ROOT))
        for package in ALLOWED
        for path in source_files(package)
        for name in imported_modules(path)
        if name.partition(".")[0] in ("rq", "rq_dashboard")
    }

    assert knowing == KNOW_RQ


def test_pure_files_import_neither_redis_nor_the_web_nor_a_file_that_does() -> None:
    allowed = {f"reports_worker.{name}" for name in PURE}
    pure = [path for path in source_files("reports_worker") if is_pure(name_of(path), allowed)]

    wrong = [
        f"{path.name} imports {name}"
        for path in pure
        for name in imported_modules(path)
        if name.partition(".")[0] in ("redis", "rq", "flask")
        or (name.startswith("reports_worker") and not is_pure(name, allowed))
    ]

    assert len(pure) > len(PURE)
    assert wrong == []


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def is_pure(name: str, allowed: set[str]) -> bool:
    return name in allowed or name.startswith(PURE_PACKAGES)


def test_nothing_of_the_product_imports_the_tests() -> None:
    importing = [
        str(path)
        for package in ALLOWED
        for path in source_files(package)
        if any(name.partition(".")[0] == "tests" for name in imported_modules(path))
    ]

    assert importing == []
