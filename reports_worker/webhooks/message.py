"""The end of a report as a message: its body, and the headers of Standard Webhooks that sign the body.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from reports_worker.domain.report import Report, Status
from reports_worker.lib import clock


def write_body(report: Report) -> bytes:
    """Write the message about a report that has ended: the same bytes for each attempt."""
    ends: Mapping[str, Any] = {"result": report.result, "error": report.error, "reason": report.reason}
    data = {"task_id": report.task_id, "title": report.title, "type": report.type, "status": report.status}
    message = {
        "type": "report.completed" if report.status is Status.COMPLETED else "report.failed",
        "timestamp": clock.to_json(report.ended_at or report.created_at),
        "data": data | {name: value for name, value in ends.items() if value is not None},
    }
    return json.dumps(message, separators=(",", ":"), allow_nan=False).encode()


def sign(body: bytes, *, message_id: str, sent_at: datetime, secret: bytes) -> Mapping[str, str]:
    """Return the headers for `body`."""
    seconds = str(int(sent_at.timestamp()))
    signed = b".".join((message_id.encode(), seconds.encode(), body))
    signature = base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": seconds,
        "webhook-signature": f"v1,{signature}",
    }
