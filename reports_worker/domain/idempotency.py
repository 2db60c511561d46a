"""Idempotency keys: the same key and request give the same report, for a day."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import timedelta

from reports_worker.errors import FieldError, InvalidSubmissionError

from .submission import Submission

KEPT = timedelta(hours=24)
LONGEST_KEY = 255
_ENCODER = json.JSONEncoder(sort_keys=True)


@dataclass(frozen=True)
class IdempotencyKey:
    """A requester's key, as a name in Redis, and the digest of the request that it stands for."""

    name: str
    digest: str

    @classmethod
    def of(cls, text: str, submission: Submission) -> IdempotencyKey:
        """Check the value of a header; raise InvalidSubmissionError if it cannot be a key."""
        if not (1 <= len(text) <= LONGEST_KEY and text.isascii() and text.isprintable()):
            message = f"The Idempotency-Key must have 1 to {LONGEST_KEY} printable ASCII characters."
            raise InvalidSubmissionError(FieldError("Idempotency-Key", message))
        return cls(name=digest([submission.requester, text]), digest=digest(_describe(submission)))


def _describe(submission: Submission) -> list[object]:
    """Return the request in its own words: at a repetition "yesterday" may be another day."""
    callback = [submission.callback_url] if submission.callback_url else []
    rest = {name: value for name, value in submission.asked.items() if name != "parameters"}
    parameters = submission.asked.get("parameters", submission.parameters)
    return [submission.title, submission.type, parameters, *callback, *([rest] if rest else [])]


def digest_report(submission: Submission) -> str:
    """Return the same text for all requests of which one report could serve another."""
    parts = (submission.requester, submission.type, submission.parameters, submission.version)
    return digest([*parts, submission.formats])


def digest(value: object) -> str:
    """Return the same text for values that are equal as JSON."""
    return hashlib.sha256(_ENCODER.encode(value).encode()).hexdigest()
