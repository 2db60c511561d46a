"""What stands in Redis, where others can write too: ids, outcomes, rows and JSON."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from redis import Redis

from reports_worker import is_task_id
from reports_worker.broker import keys
from reports_worker.broker.lock import take_lock
from reports_worker.domain.task_id import new_task_id
from reports_worker.lib.strict_json import parse_json
from reports_worker.queue.job_hash import FIELDS
from reports_worker.queue.scripts import read_script
from reports_worker.queue.stored_entries import decode_id, decode_ids, read_outcomes, read_rows

GOOD = "019f1c2e-7b3a-7abc-8def-0123456789ab"
NEARLY = [
    GOOD.upper(),
    GOOD.replace("-7", "-4"),
    GOOD.replace("-8", "-c"),
    GOOD[:-1],
    GOOD + "0",
    GOOD + "\n",
    f"{GOOD}:execution",
    "",
    "../../etc/passwd",
    "<img src=x>",
]
ENTRIES = [*(text.encode() for text in NEARLY), b"\xff\xfe", b"\x00" * 36, b"x" * 10**6]


@given(st.binary(max_size=80) | st.text(max_size=40).map(str.encode))
@example(GOOD.encode())
def test_an_entry_is_a_task_id_or_nothing(entry: bytes) -> None:
    task_id = decode_id(entry)

    assert task_id is None or (is_task_id(task_id) and task_id.encode() == entry)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: repr(entry[:20]))
def test_what_is_nearly_a_task_id_is_left_out(entry: bytes) -> None:
    assert decode_ids([entry, GOOD.encode(), entry]) == [GOOD]


@pytest.mark.parametrize("entry", [*ENTRIES, GOOD.encode()], ids=lambda entry: repr(entry[:20]))
def test_scripts_and_python_agree_about_what_a_task_id_is(connection: Redis, entry: bytes) -> None:
    script = read_script("renew").partition("-- Extend")[0] + "return is_task_id(ARGV[1]) and 1 or 0"

    assert connection.eval(script, 0, entry) == (decode_id(entry) is not None)


def test_what_a_script_took_out_is_logged_and_not_yielded(caplog: pytest.LogCaptureFixture) -> None:
    flat = [b"\x1b[2J\xff", b"taken out of rq:reports", GOOD.encode(), b"queued"]

    assert list(read_outcomes(flat)) == [(GOOD, "queued")]
    assert caplog.messages == [r"b'\x1b[2J\xff' names no report, so it is taken out of rq:reports"]


def test_a_key_of_another_type_is_a_row_without_values(connection: Redis, task_id: str) -> None:
    other = new_task_id()
    connection.set(keys.job(other), "no hash")

    rows = read_rows(connection, [other, task_id], FIELDS)

    assert rows[0] == [None] * len(FIELDS)
    assert rows[1][0] == b"queued"


@pytest.mark.parametrize("value", [None, {"ex": 10**6}])
def test_a_lock_that_another_has_written_ends_by_itself(
    connection: Redis, value: dict[str, int] | None
) -> None:
    connection.set("lock", "x", **(value or {}))  # type: ignore[arg-type]

    assert not take_lock(connection, "lock", 10)
    assert 0 < connection.ttl("lock") <= 10
    connection.delete("lock")
    assert take_lock(connection, "lock", 10)
    assert not take_lock(connection, "lock", 10)


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "NaN",
        "[Infinity]",
        "1e999",
        '"\\ud800"',
        '{"\\udfff": 1}',
        "[" * 10**5,
        "9" * 5000,
        "",
        "\ufeff1",
    ],
    ids=lambda text: text[:12],
)
def test_what_could_not_be_written_out_again_is_no_json(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_json(text)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(), st.lists
    )
)
def test_what_is_written_is_read_again(value: object) -> None:
    assert parse_json(json.dumps(value)) == value
