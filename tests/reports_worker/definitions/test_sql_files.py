"""Types of report written as SQL: what a file says, and what is wrong with it."""

from __future__ import annotations

import pytest

from reports_worker.definitions.faults import BrokenFileError
from reports_worker.definitions.sql_files import read_sql

GOOD = """\
-- title = "Refunds"
-- description = "What went back."
-- units = { amount = "EUR" }
-- [[parameters]]
-- kind = "period"
-- name = "period"
-- default = "last_quarter"
-- [[charts]]
-- table = "by_reason"
-- kind = "bar"
-- x = "amount"
-- y = "reason"
-- title = "Refunds by reason"

-- summary
SELECT count(*) AS refunds FROM refunds WHERE day BETWEEN :period_from AND :period_to

-- table: by_reason, Refunds by reason
SELECT reason, sum(amount) AS amount FROM refunds GROUP BY reason
"""


def test_a_file_declares_title_and_parameters() -> None:
    found = read_sql("refunds", GOOD)

    assert (found.name, found.title, found.description) == ("refunds", "Refunds", "What went back.")
    assert [(one.kind, one.name) for one in found.parameters] == [("period", "period")]


@pytest.mark.parametrize(
    ("old", "new", "line", "reason"),
    [
        ('-- title = "Refunds"', "--", 1, "no title"),
        ('-- title = "Refunds"', "-- title = Refunds", 1, "no TOML"),
        ("-- [[charts]]", "-- [charts]", 1, "'charts' in its header must be written as"),
        (
            '-- units = { amount = "EUR" }',
            "-- units = 5",
            1,
            "'units' in its header must be a table of texts",
        ),
        ('-- units = { amount = "EUR" }', "-- formats = 5", 1, "'formats' in its header must be a list"),
        ("-- units =", "-- colour =", 1, "'colour' is not known in a header"),
        ('kind = "period"', 'kind = "moon"', 1, "moon"),
        (":period_from", ":begin", 16, "wants :begin, and no parameter gives it: there are :period_from"),
        ("-- summary\n", "", 15, "This query has no name"),
        ("-- table: by_reason,", "-- table: Reason,", 18, "small letters"),
        ('table = "by_reason"', 'table = "nothing"', 1, "there is none of that name"),
        ('kind = "bar"', 'kind = "pie"', 1, "'pie' is no kind of chart"),
        ('-- x = "amount"\n', "", 1, "needs x"),
        ("SELECT reason, sum(amount) AS amount FROM refunds GROUP BY reason", "", 18, "no query below"),
        ("SELECT reason", "SELECT 'reason", 19, "a quote or a comment has no end"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(old: str, new: str, line: int, reason: str) -> None:
    assert old in GOOD

    with pytest.raises(BrokenFileError, match=reason) as caught:
        read_sql("refunds", GOOD.replace(old, new, 1))

    assert caught.value.line == line


def test_two_tables_of_one_name_are_refused() -> None:
    with pytest.raises(BrokenFileError, match="two of 'by_reason'"):
        read_sql("refunds", GOOD + "\n-- table: by_reason\nSELECT 1\n")
