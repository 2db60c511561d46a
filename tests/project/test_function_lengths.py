"""No function is so long that a reader has to scroll."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.project.sources import ROOT, find_files

PACKAGES = ("reports_worker", "reports_app", "apphost", "harness", "faults", "benchmarks")
MOST_LINES = 45
LEAST_FUNCTIONS = 1000


def measure(path: Path) -> dict[str, int]:
    """Count the lines of each function and method of a file, with decorators and docstring."""
    return {
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}": (node.end_lineno or 0)
        - min([node.lineno, *(one.lineno for one in node.decorator_list)])
        + 1
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    }


def test_no_function_has_more_than_45_lines() -> None:
    lengths: dict[str, int] = {}
    for package in PACKAGES:
        for path in find_files(package, ".py"):
            lengths |= measure(path)

    assert len(lengths) > LEAST_FUNCTIONS
    assert {name: lines for name, lines in lengths.items() if lines > MOST_LINES} == {}
