"""Reports from Python, by a real worker."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from harness.broker import Broker
from harness.ports import free_port
from harness.worker_process import StartWorker
from reports_worker import (
    Accepted,
    BrokerAddress,
    BrokerUnavailableError,
    IdempotencyConflictError,
    InvalidSubmissionError,
    NoSuchReportError,
    Reason,
    Report,
    Reports,
    Settings,
    SettingsError,
    Status,
    WrongStateError,
)
from reports_worker.settings.webhooks import CallbackSettings

UNKNOWN_ID = "0190a2b4-5c6d-7000-8000-00000000abcd"


@pytest.fixture
def door(broker: Broker) -> Iterator[Reports]:
    reports = Reports(Settings(broker=BrokerAddress(broker.url)))
    yield reports
    reports._queue.connection.close()


def test_reports_are_asked_for_waited_for_and_made_again(door: Reports, worker: StartWorker) -> None:
    seen: list[Report] = []
    cancelled = door.submit("First", "users")
    door.cancel(cancelled)
    door.retry(cancelled)
    worker()

    report = door.wait(door.submit("Second", "sales"), on_progress=seen.append)
    again = door.wait(cancelled, timeout=timedelta(seconds=60))

    assert (report.title, report.type, report.status) == ("Second", "sales", Status.COMPLETED)
    assert report.result is not None
    assert report.result["total_sales"] > 0
    assert (seen[0].task_id, seen[-1]) == (report.task_id, report)
    assert (again.status, again.reason) == (Status.COMPLETED, None)
    assert [one.title for one in door.list().reports] == ["Second", "First"]


def test_a_wait_that_is_over_gives_the_report_as_it_is(door: Reports) -> None:
    report = door.wait(door.submit("Quarter", "sales"), timeout=timedelta(milliseconds=1))

    assert (report.status, report.position) == (Status.PENDING, 0)


def test_a_wait_for_a_report_that_is_deleted_ends(door: Reports) -> None:
    task_id = door.submit("Quarter", "sales")

    with pytest.raises(NoSuchReportError, match="There is no report"):
        door.wait(task_id, on_progress=lambda _: door.delete(task_id))


def test_the_same_key_gives_the_same_report_and_another_request_a_conflict(door: Reports) -> None:
    first = door.submit("Quarter", "sales", idempotency_key="k")

    assert door.submit("Quarter", "sales", {}, idempotency_key="k") == first
    with pytest.raises(IdempotencyConflictError):
        door.submit("Quarter", "users", idempotency_key="k")
    with pytest.raises(InvalidSubmissionError, match="1 to 255 printable ASCII"):
        door.submit("Quarter", "sales", idempotency_key="")


@pytest.mark.parametrize(
    ("arguments", "field", "allowed"),
    [
        ({"title": " ", "type": "sales"}, "title", "1 to 200"),
        ({"title": 7, "type": "sales"}, "title", "text"),
        ({"title": "Quarter", "type": "forecast"}, "type", "sales, inventory, users"),
        ({"title": "Quarter", "type": "sales", "parameters": {"year": 1}}, "parameters.year", "'year'"),
        ({"title": "Quarter", "type": "sales", "parameters": []}, "parameters", "an object"),
        (
            {"title": "Quarter", "type": "sales", "callback_url": "http://a/"},
            "callback_url",
            "REPORTS_CALLBACK_HOSTS",
        ),
    ],
)
def test_fields_at_fault_are_named(
    door: Reports, arguments: dict[str, object], field: str, allowed: str
) -> None:
    with pytest.raises(InvalidSubmissionError) as caught:
        door.submit(**arguments)  # type: ignore[arg-type]

    (error,) = caught.value.errors
    assert error.field == field
    assert allowed in error.message
    assert door.list().total == 0


def test_an_earlier_report_serves_where_it_is_not_too_old(door: Reports) -> None:
    first = door.submit("Quarter", "sales", formats=["pdf", "csv"])

    assert door.get(first).formats == ("csv", "pdf")
    assert door.submit("Other", "sales", formats=("csv", "pdf"), max_age=timedelta(hours=1)) == first
    assert door.submit("Other", "sales", formats=["csv"], max_age=3600) != first
    accepted = door.accept({"title": "Quarter", "type": "sales", "formats": ["pdf", "csv"], "max_age": 60})
    assert accepted == Accepted(first, Status.PENDING, is_earlier=True)
    with pytest.raises(InvalidSubmissionError, match="whole number of seconds"):
        door.submit("Quarter", "sales", max_age=timedelta(milliseconds=1))


def test_the_types_that_there_are_can_be_asked_for(door: Reports) -> None:
    assert list(door.types) == ["sales", "inventory", "users"]


def test_a_callback_may_go_where_the_settings_allow_it(broker: Broker) -> None:
    callbacks = CallbackSettings(hosts=("hooks.example.com",), secret=bytes(32))
    reports = Reports(Settings(broker=BrokerAddress(broker.url), callbacks=callbacks))

    task_id = reports.submit("Quarter", "sales", callback_url="https://hooks.example.com/x")

    callback = reports.get(task_id).callback
    assert callback is not None
    assert callback.url == "https://hooks.example.com/x"


def test_what_cannot_be_done_says_why(door: Reports) -> None:
    task_id = door.submit("Quarter", "sales")

    with pytest.raises(WrongStateError, match="only a failed report"):
        door.retry(task_id)
    assert door.cancel(task_id) is Status.FAILED
    assert door.get(task_id).reason == Reason.CANCELLED
    with pytest.raises(WrongStateError, match="ended already"):
        door.cancel(task_id)
    door.delete(task_id)
    for change in (door.get, door.wait, door.cancel, door.retry, door.delete):
        for unknown in (task_id, UNKNOWN_ID, "x"):
            with pytest.raises(NoSuchReportError, match="There is no report"):
                change(unknown)


def test_a_list_is_read_by_pages_and_chosen_from(door: Reports) -> None:
    ids = [door.submit(f"Quarter {number}", "sales") for number in range(3)]
    door.cancel(ids[0])

    first = door.list(limit=2)
    second = door.list(limit=2, cursor=first.next_cursor)

    assert [report.task_id for report in (*first.reports, *second.reports)] == ids[::-1]
    assert second.next_cursor is None
    assert [report.task_id for report in door.list(status=Status.FAILED).reports] == ids[:1]
    assert [report.task_id for report in door.list(query="QUARTER 2").reports] == ids[2:]
    assert door.list(type="users").reports == ()
    for limit in (0, -1, 501):
        with pytest.raises(ValueError, match="give 1 to 500"):
            door.list(limit=limit)


def test_without_a_broker_everything_says_so() -> None:
    door = Reports(Settings(broker=BrokerAddress(f"redis://127.0.0.1:{free_port()}")))

    for call in (door.get, door.wait, door.cancel, door.retry, door.delete):
        with pytest.raises(BrokerUnavailableError, match="The broker cannot be used"):
            call(UNKNOWN_ID)
    with pytest.raises(BrokerUnavailableError):
        door.submit("Quarter", "sales")
    with pytest.raises(BrokerUnavailableError):
        door.list()


def test_the_settings_are_those_of_the_environment(monkeypatch: pytest.MonkeyPatch, broker: Broker) -> None:
    monkeypatch.delenv("ConnectionStrings__broker", raising=False)
    monkeypatch.setenv("BROKER_URI", broker.url)
    Reports().submit("Quarter", "sales")
    monkeypatch.setenv("REPORTS_RETENTION", "for ever")

    assert Reports(Settings(broker=BrokerAddress(broker.url))).list().total == 1
    with pytest.raises(SettingsError, match="REPORTS_RETENTION='for ever'"):
        Reports()
