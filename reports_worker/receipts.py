"""Receipts as JSON: in a report's record, and for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from .model import Receipt


def describe_receipt(receipt: Receipt) -> dict[str, Any]:
    """Describe it for programs, without what it says nothing about."""
    known = {name: value for name, value in asdict(receipt).items() if value is not None}
    return known | {"complete": receipt.is_complete}


def to_text(receipts: Sequence[Receipt]) -> str:
    """Write them for the report's record."""
    return json.dumps([{k: v for k, v in asdict(one).items() if v is not None} for one in receipts])


def from_text(text: str) -> tuple[Receipt, ...]:
    """Read them; raises ValueError and TypeError for what is none."""
    return tuple(Receipt(**one) for one in json.loads(text))
