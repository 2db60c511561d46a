"""Refused starts of a worker: one sentence with the reason, and exit code 1."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.broker import Broker
from harness.worker_process import RQ_COMMAND, StartWorker, StartWorkerOf, WorkerProcess


def read_refusal(process: WorkerProcess) -> str:
    """The one line that a worker printed before it ended."""
    assert process.wait() == 1
    lines = process.output.splitlines()
    assert len(lines) == 1, process.output
    return lines[0]


def test_another_serializer_is_refused(worker: StartWorker) -> None:
    assert read_refusal(worker(command=[*RQ_COMMAND, "-S", "pickle"])) == (
        "This worker does not start: it needs the JSON serializer: leave out --serializer."
    )


@pytest.mark.parametrize(
    ("queues", "named"),
    [
        pytest.param(["other"], "'other'", marks=pytest.mark.wide),
        (["reports", "other"], "'reports, other'"),
    ],
)
def test_another_queue_is_refused(worker: StartWorker, queues: list[str], named: str) -> None:
    assert read_refusal(worker(command=[*RQ_COMMAND, *queues])) == (
        f"This worker does not start: it serves only the queue 'reports', not {named}."
    )


# The sentence is that of the settings, and they are refused together with the address of the broker.
@pytest.mark.wide
def test_a_setting_that_is_not_valid_is_refused(worker: StartWorker) -> None:
    assert read_refusal(worker(REPORTS_GRACE="nonsense")) == (
        "REPORTS_GRACE='nonsense' is not valid: give a number with ms, s, m, h or d, such as 30s"
    )


def test_a_malformed_broker_is_refused_without_its_password(worker: StartWorker) -> None:
    process = worker(ConnectionStrings__broker="redis://:hunter2@localhost:six")

    assert read_refusal(process) == (
        "ConnectionStrings__broker is not valid: the port must be a number from 1 to 65535"
    )


# The refusal is that of a broker that is too old, in `test_health`.
@pytest.mark.wide
def test_a_broker_that_does_not_report_its_version_is_refused(
    tmp_path: Path, start_worker: StartWorkerOf
) -> None:
    broker = Broker(tmp_path / "broker", "--rename-command", "INFO", "").start()
    try:
        refusal = read_refusal(start_worker(broker.url))
    finally:
        broker.stop()

    assert refusal.startswith("This worker does not start: The broker does not report its version (INFO): ")
    assert refusal.endswith(" Allow INFO for this user.")


def test_a_wrong_password_ends_the_worker(tmp_path: Path, start_worker: StartWorkerOf) -> None:
    broker = Broker(tmp_path / "broker").start()
    with broker.client() as client:
        client.config_set("requirepass", "secret")
    try:
        refusal = read_refusal(start_worker(f"127.0.0.1:{broker.port},password=hunter2"))
    finally:
        broker.stop()

    assert "password" in refusal
    assert "hunter2" not in refusal


@pytest.mark.wide
def test_a_warehouse_that_cannot_be_read_is_refused_without_its_password(worker: StartWorker) -> None:
    refusal = read_refusal(worker(ConnectionStrings__warehouse="Host=db;Password=hush;more"))

    assert refusal.startswith("ConnectionStrings__warehouse is not valid: each part must be Name=value")
    assert "hush" not in refusal
