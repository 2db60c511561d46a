"""The message about a report's end, and its signature."""

from __future__ import annotations

import json
import shutil
import subprocess
from datetime import UTC, datetime

import pytest

from reports_worker import Report, Status
from reports_worker.settings.webhooks import parse_secret
from reports_worker.webhooks.message import sign, write_body

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
AT = datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC)
COMPLETED = Report(
    "id-1", "Quärter", "sales", Status.COMPLETED, AT, started_at=AT, ended_at=AT, result={"total": 7}
)
FAILED = Report(
    "id-2", "Quarter", "sales", Status.FAILED, AT, ended_at=AT, error="It broke.", reason="cancelled"
)


def test_a_signature_is_that_of_the_standards_own_example() -> None:
    # https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
    headers = sign(
        b'{"test": 2432232314}',
        message_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        sent_at=datetime.fromtimestamp(1614265330, UTC),
        secret=parse_secret(SECRET),
    )

    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_a_signature_is_what_openssl_makes_of_the_same() -> None:
    body = write_body(COMPLETED)
    key = parse_secret(SECRET)

    theirs = subprocess.run(
        ["openssl", "dgst", "-sha256", "-mac", "HMAC", "-macopt", f"hexkey:{key.hex()}", "-binary"],
        input=b"id-1:1." + str(int(AT.timestamp())).encode() + b"." + body,
        capture_output=True,
        check=True,
    ).stdout

    ours = sign(body, message_id="id-1:1", sent_at=AT, secret=key)["webhook-signature"]
    encoded = subprocess.run(["base64"], input=theirs, capture_output=True, check=True).stdout
    assert ours == f"v1,{encoded.decode().strip()}"


def test_a_completed_report_is_told_with_its_result() -> None:
    assert json.loads(write_body(COMPLETED)) == {
        "type": "report.completed",
        "timestamp": "2026-01-02T03:04:05.678Z",
        "data": {
            "task_id": "id-1",
            "title": "Quärter",
            "type": "sales",
            "status": "completed",
            "result": {"total": 7},
        },
    }


def test_a_failed_report_is_told_with_its_reason() -> None:
    message = json.loads(write_body(FAILED))

    assert message["type"] == "report.failed"
    assert message["data"]["status"] == "failed"
    assert (message["data"]["error"], message["data"]["reason"]) == ("It broke.", "cancelled")
    assert "result" not in message["data"]


@pytest.mark.parametrize(
    "text",
    [
        "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "whsec_",
        "whsec_not base64!",
        "whsec_" + "QUFB" * 7,
        "whsec_" + "QUFB" * 22,
        "whsec_ööö",
    ],
)
def test_what_is_no_secret_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(ValueError, match=r"^give whsec_ and 24 to 64 random bytes in base64$"):
        parse_secret(text)


def test_a_secret_has_24_to_64_bytes() -> None:
    assert len(parse_secret("whsec_" + "QUFB" * 8)) == 24
    assert len(parse_secret("whsec_" + "QUFB" * 21 + "QQ==")) == 64
