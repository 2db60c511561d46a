"""Receipts as JSON, as this version and others write them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from reports_worker.domain.receipt import describe_receipt, from_text, to_text
from reports_worker.domain.report import Receipt

WHOLE = Receipt(
    "csv", "text/csv", 0.1, "orders", None, 2, 9, "It is cut.", name="orders.csv", size=12, sha256="0" * 64
)
SMALL = Receipt("svg", "image/svg+xml", 0.1, chart="trend", name="trend.svg", size=1, sha256="1" * 64)


def test_receipts_are_read_as_they_were_written() -> None:
    assert from_text(to_text([WHOLE, SMALL])) == (WHOLE, SMALL)


def test_a_receipt_is_described_by_its_name_first_and_without_what_is_not_known() -> None:
    described = describe_receipt(SMALL)

    assert list(described) == [
        "name",
        "format",
        "media_type",
        "size",
        "sha256",
        "seconds",
        "chart",
        "complete",
    ]
    assert described["complete"]
    assert not describe_receipt(WHOLE)["complete"]


def test_keys_of_a_newer_version_are_ignored() -> None:
    (stored,) = json.loads(to_text([WHOLE]))

    assert from_text(json.dumps([stored | {"pages": 7, "signature": {"by": "x"}}])) == (WHOLE,)


def test_what_another_version_did_not_write_has_a_default() -> None:
    (receipt,) = from_text('[{"name": "orders.csv"}]')

    assert (receipt.name, receipt.media_type) == ("orders.csv", "application/octet-stream")
    assert receipt.is_complete


@pytest.mark.parametrize(
    "text", ['{"name": "a"}', "[7]", '["name"]', "[{}]", '[{"name": 7}]', '[{"name": "a", "size": "b"}]', "["]
)
def test_what_is_no_list_of_receipts_is_refused(text: str) -> None:
    with pytest.raises((TypeError, ValueError)):
        from_text(text)


@pytest.mark.parametrize("size", [2**63 + 1, -(2**64)])
def test_a_number_that_no_file_has_is_refused(size: Any) -> None:
    with pytest.raises(ValueError, match="more than any file"):
        from_text(json.dumps([{"name": "a", "size": size}]))
