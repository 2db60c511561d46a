"""Receipts as JSON: in a report's record, and for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from reports_worker.lib.strict_json import parse_json

from .report import Receipt

_NOTHING = type(None)
_LARGEST = 2**63
# In the order in which programs see them.
_KINDS = {
    **dict.fromkeys(("name", "format", "media_type"), (str,)),
    "size": (int,),
    "sha256": (str,),
    "seconds": (int, float),
    **dict.fromkeys(("table", "chart"), (str, _NOTHING)),
    **dict.fromkeys(("rows_written", "rows_expected"), (int, _NOTHING)),
    "cut": (str, _NOTHING),
}
# Of keys that another version did not write; the report is shown all the same.
_DEFAULTS = {
    "format": "",
    "media_type": "application/octet-stream",
    "size": 0,
    "sha256": "",
    "seconds": 0.0,
}


def describe_receipt(receipt: Receipt) -> dict[str, Any]:
    """Serialize a receipt for programs, without absent values."""
    return _list_known(receipt) | {"complete": receipt.is_complete}


def to_text(receipts: Sequence[Receipt]) -> str:
    """Write receipts for the report's record."""
    return json.dumps([_list_known(receipt) for receipt in receipts])


def from_text(text: str) -> tuple[Receipt, ...]:
    """Read receipts: keys of a newer version are ignored, and absent ones have a default.

    Raises ValueError and TypeError for what is no list of receipts.
    """
    found = parse_json(text)
    if not isinstance(found, list):
        raise TypeError("It is no list of receipts.")
    return tuple(_to_receipt(one) for one in found)


def _list_known(receipt: Receipt) -> dict[str, Any]:
    values = ((name, getattr(receipt, name)) for name in _KINDS)
    return {name: value for name, value in values if value is not None}


def _to_receipt(found: Mapping[str, Any]) -> Receipt:
    receipt = Receipt(**{**_DEFAULTS, **{name: found[name] for name in _KINDS if name in found}})
    for name, value in vars(receipt).items():
        if not isinstance(value, _KINDS[name]):
            raise TypeError(f"The {name} of a receipt is {type(value).__name__}.")
        if isinstance(value, int) and abs(value) > _LARGEST:
            raise ValueError(f"The {name} of a receipt is more than any file has.")
    return receipt
