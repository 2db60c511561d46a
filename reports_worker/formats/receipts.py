"""Receipts of files, and the file that contains all receipts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

from reports_worker.domain.receipt import describe_receipt
from reports_worker.domain.report import FileFacts, Receipt
from reports_worker.lib import clock

from .document import Document, WrittenFile

NAME = "receipts.json"
_CHUNK = 2**20


def make_receipt(file: WrittenFile) -> Receipt:
    """Read a file once, and describe it."""
    size, digest = _digest(file.path)
    facts = {one.name: getattr(file, one.name) for one in fields(FileFacts)}
    facts["seconds"] = round(file.seconds, 3)
    return Receipt(**facts, name=file.name, size=size, sha256=digest)


def write_receipts(document: Document, receipts: Sequence[Receipt], folder: Path) -> WrittenFile:
    """Write all receipts as one file, with the facts that they share."""
    path = folder / NAME
    text = json.dumps(
        {
            "task_id": document.task_id,
            "title": document.title,
            "type": document.type,
            "parameters": document.raw_parameters,
            "as_of": clock.to_json(document.as_of),
            "made_at": clock.to_json(document.made_at),
            "definition_version": document.version,
            "files": [describe_receipt(receipt) for receipt in receipts],
        },
        ensure_ascii=False,
        indent=2,
    )
    path.write_text(text + "\n", encoding="utf-8")
    return WrittenFile("receipts", "application/json", 0.0, path=path)


def _digest(path: Path) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return size, digest.hexdigest()
