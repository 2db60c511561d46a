"""The decisions of the apphost, without a process."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from apphost.dashboard.app import describe_seconds
from apphost.errors import SettingsError
from apphost.logs.console_log import MASK, ConsoleLog, SecretMask
from apphost.logs.events import EventLog, parse_pairs
from apphost.settings import Settings
from apphost.supervision.health import describe_info
from apphost.supervision.restart_policy import RestartRecord

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def test_pauses_grow_with_each_death_in_a_row() -> None:
    record, pauses = RestartRecord(), []
    for _ in range(8):
        record = record.after_death(ran_seconds=0.1)
        pauses.append(record.pause_seconds)

    assert pauses == [0.5, 1, 2, 4, 8, 16, 30, 30]


def test_after_five_consecutive_deaths_the_restarts_end() -> None:
    record = RestartRecord()
    for _ in range(4):
        record = record.after_death(ran_seconds=9)

    assert not record.has_given_up
    assert record.after_death(ran_seconds=9).has_given_up


def test_a_death_after_running_well_begins_a_new_row() -> None:
    assert RestartRecord(4).after_death(ran_seconds=10) == RestartRecord(1)


def test_settings_have_defaults() -> None:
    assert Settings.from_environ({"PORT": ""}) == Settings(8000, 18888, 2, Path(".apphost"))


def test_settings_are_read() -> None:
    environ = {"PORT": "1", "DASHBOARD_PORT": "65535", "WORKERS": "64", "APPHOST_DIR": "/x"}

    assert Settings.from_environ(environ) == Settings(1, 65535, 64, Path("/x"))


@pytest.mark.parametrize(
    ("name", "value"),
    [("PORT", "0"), ("PORT", "65536"), ("PORT", "x"), ("PORT", "-1"), ("DASHBOARD_PORT", "1.5"),
     ("WORKERS", "0"), ("WORKERS", "65"), ("WORKERS", "٣")],
)  # fmt: skip
def test_an_invalid_setting_names_variable_value_and_range(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"{name}='{value}' is not valid: give a whole number from 1 to"):
        Settings.from_environ({name: value})


def test_lines_are_numbered_and_can_be_followed() -> None:
    log = ConsoleLog()
    for text in "abc":
        log.add(text, NOW)

    assert [(line.number, line.text) for line in log.read(after=1)] == [(2, "b"), (3, "c")]
    assert [line.text for line in log.read(limit=1)] == ["c"]
    assert log.read(after=3) == []


def test_a_log_keeps_its_last_lines_and_cuts_long_ones() -> None:
    log = ConsoleLog()
    for number in range(10_001):
        log.add(f"{number}" + "x" * 5000, NOW)

    lines = log.read()

    assert len(lines) == 10_000
    assert lines[0].number == 2
    assert len(lines[0].text) == 4000


def test_secrets_are_masked_at_every_position() -> None:
    mask = SecretMask(["geheim-und-lang", "geheim-und-lang-und-mehr", "", "kurz"])

    assert mask("password=geheim-und-lang-und-mehr; geheim-und-lang!") == f"password={MASK}; {MASK}!"
    assert mask("kurz bleibt") == "kurz bleibt"


def test_pairs_are_read_from_a_line() -> None:
    line = '2026-11-23 INFO event=task task_id=01-a stage="adding \\"up\\"" percent=40 empty= x'

    assert parse_pairs(line) == {
        "event": "task", "task_id": "01-a", "stage": 'adding "up"', "percent": "40", "empty": "",
    }  # fmt: skip


@pytest.mark.parametrize(
    "line", ['a="', 'event="\\x"', "=", "event", '"event=task"' * 3, "a=b=c", "\x00=\x01"]
)
def test_lines_that_are_no_pairs_do_no_harm(line: str) -> None:
    events = EventLog()
    events.add_line("api", line, NOW)

    assert events.read("request") == []


def test_the_last_requests_and_tasks_are_kept_newest_first() -> None:
    events = EventLog()
    for number in range(250):
        events.add_line("api", f"event=request path=/{number}", NOW)
    events.add_line("worker-1", "event=task type=sales", NOW)
    events.add_line("worker-1", "event=other", NOW)

    assert [one.fields["path"] for one in events.read("request")[:2]] == ["/249", "/248"]
    assert len(events.read("request")) == 200
    assert [(one.source, one.fields["type"]) for one in events.read("task")] == [("worker-1", "sales")]


def test_figures_of_the_broker_are_for_people() -> None:
    info = {
        "redis_version": "7.0.15", "connected_clients": 3, "used_memory_human": "1M",
        "instantaneous_ops_per_sec": 7, "db0": {"keys": 2}, "db1": {"keys": 3},
    }  # fmt: skip

    assert list(describe_info(info, 4).items()) == [
        ("version", "7.0.15"), ("clients", "3"), ("memory", "1M"), ("commands/s", "7"), ("keys", "5"),
        ("queue length", "4"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 s"), (59, "59 s"), (60, "1 min"), (3660, "1 h 1 min"), (200_000, "2 d")]
)
def test_the_duration_of_a_run_is_formatted(seconds: int, text: str) -> None:
    assert describe_seconds(NOW - timedelta(seconds=seconds), NOW) == text
    assert describe_seconds(None, NOW) == ""
