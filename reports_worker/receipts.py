"""Receipts as JSON: in a report's record, and for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import Any

from .model import Receipt
from .stored_entries import parse_json

_TEXTS = ("name", "format", "media_type", "sha256")
_OPTIONAL_TEXTS = ("table", "chart", "cut")
_OPTIONAL_COUNTS = ("rows_written", "rows_expected")
_NAMES = {field.name for field in fields(Receipt)}


def describe_receipt(receipt: Receipt) -> dict[str, Any]:
    """Describe it for programs, without what it says nothing about."""
    known = {name: value for name, value in asdict(receipt).items() if value is not None}
    return known | {"complete": receipt.is_complete}


def to_text(receipts: Sequence[Receipt]) -> str:
    """Write them for the report's record."""
    return json.dumps([{k: v for k, v in asdict(one).items() if v is not None} for one in receipts])


def from_text(text: str) -> tuple[Receipt, ...]:
    """Read them, without what a newer version says beside; raises ValueError and TypeError for what is none."""
    found = parse_json(text)
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise TypeError("it is no list of receipts")
    return tuple(_check(Receipt(**{name: one[name] for name in one if name in _NAMES})) for one in found)


def _check(receipt: Receipt) -> Receipt:
    """Return a receipt whose values are of their types."""
    kinds = {
        **dict.fromkeys(_TEXTS, str),
        **dict.fromkeys(_OPTIONAL_TEXTS, str | None),
        **dict.fromkeys(_OPTIONAL_COUNTS, int | None),
        "size": int,
        "seconds": int | float,
    }
    for name, kind in kinds.items():
        if not isinstance(getattr(receipt, name), kind):
            raise TypeError(f"{name} of a receipt is of another type")
    return receipt
