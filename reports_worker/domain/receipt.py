"""Receipts as JSON: in a report's record, and for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from reports_worker.lib.strict_json import parse_json

from .report import Receipt

_NOTHING = type(None)
_LARGEST = 2**63
_KINDS = {
    **dict.fromkeys(("name", "format", "media_type", "sha256"), (str,)),
    **dict.fromkeys(("table", "chart", "cut"), (str, _NOTHING)),
    **dict.fromkeys(("rows_written", "rows_expected"), (int, _NOTHING)),
    "size": (int,),
    "seconds": (int, float),
}


def describe_receipt(receipt: Receipt) -> dict[str, Any]:
    """Describe it for programs, without what it says nothing about."""
    known = {name: value for name, value in asdict(receipt).items() if value is not None}
    return known | {"complete": receipt.is_complete}


def to_text(receipts: Sequence[Receipt]) -> str:
    """Write them for the report's record."""
    return json.dumps([{k: v for k, v in asdict(one).items() if v is not None} for one in receipts])


def from_text(text: str) -> tuple[Receipt, ...]:
    """Read them, without what a newer version says beside.

    Raises ValueError and TypeError for what is none.
    """
    found = parse_json(text)
    if not isinstance(found, list):
        raise TypeError("It is no list of receipts.")
    return tuple(_to_receipt(one) for one in found)


def _to_receipt(found: Mapping[str, Any]) -> Receipt:
    receipt = Receipt(**{name: found[name] for name in _KINDS if name in found})
    for name, value in vars(receipt).items():
        if not isinstance(value, _KINDS[name]):
            raise TypeError(f"The {name} of a receipt is {type(value).__name__}.")
        if isinstance(value, int) and abs(value) > _LARGEST:
            raise ValueError(f"The {name} of a receipt is more than any file has.")
    return receipt
