"""The pages of the repository: each link leads to a file and a heading, and the index of docs/ lists every page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.project.sources import ROOT, find_files

DOCS = ROOT / "docs"
# Licences of others, as they wrote them.
NOTICES = ROOT / "THIRD-PARTY-NOTICES.md"
PAGES = sorted({*ROOT.glob("*.md"), *DOCS.rglob("*.md")} - {NOTICES})
PACKAGES = (
    "apphost",
    "benchmarks",
    "faults",
    "harness",
    "reports_app",
    "reports_worker",
    "templates",
    "tests",
    "tools",
)
# Files that name pages of docs/ in comments, messages and constants.
CODE = [
    ROOT / "Makefile",
    *(path for package in PACKAGES for path in find_files(package, ".html", ".lua", ".md", ".py")),
]
_FENCE = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} +(.+?) *$", re.MULTILINE)
_ELSEWHERE = ("http://", "https://", "mailto:")


def read_prose(page: Path) -> str:
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


def to_anchor(heading: str) -> str:
    """Convert the text of a heading as GitHub does."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


@cache
def list_anchors(page: Path) -> frozenset[str]:
    return frozenset(to_anchor(heading) for heading in _HEADING.findall(read_prose(page)))


def find_links(page: Path) -> Iterator[tuple[str, Path, str]]:
    """Yield each link to this repository: as it is written, its file and its anchor."""
    for link in _LINK.findall(read_prose(page)):
        if not link.startswith(_ELSEWHERE):
            file, _, anchor = link.partition("#")
            yield link, (page.parent / file).resolve() if file else page, anchor


def leads_somewhere(target: Path, anchor: str) -> bool:
    if not target.is_relative_to(ROOT) or not target.exists():
        return False
    return not anchor or (target.suffix == ".md" and anchor in list_anchors(target))


def test_there_are_pages_with_links() -> None:
    assert {ROOT / "README.md", ROOT / "CONTRIBUTING.md", DOCS / "README.md"} <= set(PAGES)
    assert sum(1 for page in PAGES for _ in find_links(page)) > 100


@pytest.mark.parametrize(
    ("heading", "anchor"),
    [
        ("`GET /api/reports/{task_id}`", "get-apireportstask_id"),
        ("Parquet or CSV: what's read", "parquet-or-csv-whats-read"),
        ("See [the API](api.md)", "see-the-api"),
    ],
)
def test_an_anchor_is_made_as_github_makes_it(heading: str, anchor: str) -> None:
    assert to_anchor(heading) == anchor


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_each_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    assert [link for link, target, anchor in find_links(page) if not leads_somewhere(target, anchor)] == []


def test_the_index_lists_every_page_of_docs() -> None:
    index = DOCS / "README.md"
    listed = {target for _, target, _ in find_links(index)}

    assert {page for page in PAGES if DOCS in page.parents} - listed == {index}


def test_a_page_that_is_named_by_its_path_exists() -> None:
    named = {
        (str(path.relative_to(ROOT)), name)
        for path in (*PAGES, *CODE)
        for name in re.findall(r"\bdocs/[\w./-]*\.(?:md|py)\b", path.read_text(encoding="utf-8"))
    }

    assert len(named) > 10
    assert {(path, name) for path, name in named if not (ROOT / name).exists()} == set()
