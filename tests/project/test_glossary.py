"""docs/reference/glossary.md can be looked up: each word once, in alphabetical order, with the words of the code."""

from __future__ import annotations

import re
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
WORDS = re.findall(
    r"^\| ([\w ]+?) \|", (DOCS / "reference" / "glossary.md").read_text(encoding="utf-8"), re.MULTILINE
)[1:]


def test_each_word_stands_once_in_alphabetical_order() -> None:
    assert len(WORDS) > 40
    assert sorted(set(WORDS), key=str.casefold) == WORDS


def test_the_words_of_the_architecture_are_explained() -> None:
    needed = {
        "apphost resource",
        "artifact store",
        "broker",
        "callback",
        "completion waiter",
        "export",
        "graceful shutdown",
        "job process",
        "lease",
        "lease renewal",
        "receipt",
        "reconciler",
        "report",
        "report context",
        "report type",
        "requester",
        "requeue",
        "run",
        "standby process",
        "sweep",
        "task id",
        "warehouse",
    }

    assert needed - set(WORDS) == set()
