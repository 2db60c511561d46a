"""Idempotency keys: the same key and request give the same report, for a day."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import timedelta

from .errors import FieldError, InvalidSubmissionError
from .submissions import Submission

KEPT = timedelta(hours=24)
LONGEST_KEY = 255


@dataclass(frozen=True)
class IdempotencyKey:
    """A requester's key, as a name in Redis, and the digest of the request that it stands for."""

    name: str
    digest: str

    @classmethod
    def of(cls, text: str, submission: Submission) -> IdempotencyKey:
        """Check what a header brought; raise InvalidSubmissionError if it cannot be a key."""
        if not (1 <= len(text) <= LONGEST_KEY and text.isascii() and text.isprintable()):
            message = f"The Idempotency-Key must have 1 to {LONGEST_KEY} printable ASCII characters."
            raise InvalidSubmissionError(FieldError("Idempotency-Key", message))
        callback = [submission.callback_url] if submission.callback_url else []
        return cls(
            name=_digest([submission.requester, text]),
            digest=_digest([submission.title, submission.type, submission.parameters, *callback]),
        )


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
