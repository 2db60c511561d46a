"""Cancel, retry, delete and idempotent submit in the JSON API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import fakeredis
import pytest
from flask.testing import FlaskClient

from reports_worker import CATALOG, Reason, ReportQueue
from tests.unit.reports_app.api.test_api_refusals import assert_problem, fields_of
from tests.unit.reports_app.report_factory import UNKNOWN_ID, ReportFactory

SUBMISSION = {"title": "Q4", "type": "sales"}
CHANGES = {
    "cancel": ("POST", "/api/reports/{}/cancel"),
    "retry": ("POST", "/api/reports/{}/retry"),
    "delete": ("DELETE", "/api/reports/{}"),
}
changes = pytest.mark.parametrize("change", CHANGES)


def change_report(client: FlaskClient, change: str, task_id: str) -> Any:
    method, path = CHANGES[change]
    return client.open(path.format(task_id), method=method)


def submit(client: FlaskClient, key: str, body: object = SUBMISSION) -> Any:
    return client.post("/api/reports", json=body, headers={"Idempotency-Key": key})


def state_of(client: FlaskClient, task_id: str) -> Any:
    return client.get(f"/api/reports/{task_id}").get_json()


def make(factory: ReportFactory, state: str) -> str:
    makers: dict[str, Callable[[], str]] = {
        "pending": factory.request,
        "running": factory.start,
        "completed": factory.complete,
        "failed": factory.fail,
    }
    return makers[state]()


def test_a_pending_report_is_cancelled_at_once(client: FlaskClient, factory: ReportFactory) -> None:
    task_id = factory.request()

    response = change_report(client, "cancel", task_id)

    assert (response.status_code, response.mimetype) == (202, "application/json")
    assert response.get_json() == {"task_id": task_id, "status": "failed", "message": "Report cancelled"}
    body = client.get(response.headers["Location"]).get_json()
    assert (body["task_id"], body["status"], body["reason"]) == (task_id, "failed", "cancelled")
    assert body["ended_at"] is not None


def test_a_running_report_is_being_cancelled_and_never_completes(
    client: FlaskClient, factory: ReportFactory
) -> None:
    task_id = factory.start()

    response = change_report(client, "cancel", task_id)

    assert response.status_code == 202
    assert response.get_json()["status"] == "running"
    assert response.get_json()["message"] == "Report is being cancelled"
    factory.end(task_id)
    assert state_of(client, task_id)["reason"] == "cancelled"


def test_a_cancel_can_be_repeated_while_the_report_runs(client: FlaskClient, factory: ReportFactory) -> None:
    task_id = factory.start()

    answers = [change_report(client, "cancel", task_id) for _ in range(2)]

    assert [response.status_code for response in answers] == [202, 202]


@pytest.mark.parametrize("state", ["completed", "failed"])
def test_a_report_that_has_ended_cannot_be_cancelled(
    client: FlaskClient, factory: ReportFactory, state: str
) -> None:
    task_id = make(factory, state)
    before = state_of(client, task_id)

    problem = assert_problem(change_report(client, "cancel", task_id), 409)

    assert problem["title"] == "Conflict"
    assert "nothing to cancel" in problem["detail"]
    assert state_of(client, task_id) == before


@pytest.mark.parametrize("reason", Reason)
def test_a_failed_report_is_made_again_under_its_id(
    client: FlaskClient, factory: ReportFactory, reason: Reason
) -> None:
    task_id = factory.fail(reason=reason)

    response = change_report(client, "retry", task_id)

    assert (response.status_code, response.mimetype) == (202, "application/json")
    assert response.headers["Location"] == f"/api/reports/{task_id}"
    assert response.get_json() == {
        "task_id": task_id,
        "status": "pending",
        "message": "Report generation started",
    }
    body = state_of(client, task_id)
    assert (body["status"], body["started_at"], body["ended_at"]) == ("pending", None, None)
    assert not {"error", "reason"} & body.keys()
    factory.begin(task_id)
    factory.end(task_id)
    assert state_of(client, task_id)["status"] == "completed"


def test_a_second_retry_is_refused_and_the_report_keeps_its_place(
    client: FlaskClient, factory: ReportFactory
) -> None:
    task_id = factory.fail()
    change_report(client, "retry", task_id)
    factory.request("behind it")
    before = state_of(client, task_id)

    assert_problem(change_report(client, "retry", task_id), 409)
    assert state_of(client, task_id) == before
    assert before["position"] == 0


@pytest.mark.parametrize("state", ["running", "completed"])
def test_only_a_failed_report_can_be_made_again(
    client: FlaskClient, factory: ReportFactory, state: str
) -> None:
    task_id = make(factory, state)
    before = state_of(client, task_id)

    problem = assert_problem(change_report(client, "retry", task_id), 409)

    assert state in problem["detail"]
    assert state_of(client, task_id) == before


@pytest.mark.parametrize("state", ["pending", "running", "completed", "failed"])
def test_a_report_is_deleted_in_any_status(client: FlaskClient, factory: ReportFactory, state: str) -> None:
    kept, task_id = factory.request("kept"), make(factory, state)

    response = change_report(client, "delete", task_id)

    assert (response.status_code, response.data) == (204, b"")
    assert_problem(client.get(f"/api/reports/{task_id}"), 404)
    assert [report["task_id"] for report in client.get("/api/reports").get_json()] == [kept]
    assert_problem(change_report(client, "delete", task_id), 404)


@changes
@pytest.mark.parametrize("task_id", [UNKNOWN_ID, UNKNOWN_ID.upper(), "7", "%00", "%ff", "*", "x" * 3000])
def test_an_unknown_report_cannot_be_changed_by_the_api(
    client: FlaskClient, change: str, task_id: str
) -> None:
    response = change_report(client, change, task_id)

    assert_problem(response, 404)
    assert len(response.data) < 1000


@changes
def test_with_the_broker_away_nothing_changes_and_the_response_has_a_retry_time(
    client: FlaskClient, memory_server: fakeredis.FakeServer, factory: ReportFactory, change: str
) -> None:
    task_id = factory.fail() if change == "retry" else factory.request()
    before = state_of(client, task_id)
    memory_server.connected = False

    response = change_report(client, change, task_id)

    assert_problem(response, 503)
    assert int(response.headers["Retry-After"]) > 0
    memory_server.connected = True
    assert state_of(client, task_id) == before


@changes
def test_looking_at_the_address_of_a_change_changes_nothing(
    client: FlaskClient, factory: ReportFactory, change: str
) -> None:
    task_id = factory.fail() if change == "retry" else factory.request()
    before = state_of(client, task_id)

    statuses = {client.open(CHANGES[change][1].format(task_id), method=name).status_code
                for name in ("GET", "HEAD", "OPTIONS")}  # fmt: skip

    assert statuses == ({200, 204} if change == "delete" else {405, 204})
    assert state_of(client, task_id) == before


def test_the_same_key_and_body_give_the_same_report(client: FlaskClient, queue: ReportQueue) -> None:
    answers = [submit(client, "key-1"), submit(client, "key-1")]
    answers.append(submit(client, "key-1", {"parameters": {}, "type": "sales", "title": " Q4 "}))

    assert [response.status_code for response in answers] == [202] * 3
    assert len({response.get_json()["task_id"] for response in answers}) == 1
    assert len({response.headers["Location"] for response in answers}) == 1
    assert queue.list().total == 1


def test_other_keys_and_none_give_other_reports(client: FlaskClient, queue: ReportQueue) -> None:
    for key in ("key-1", "key-2", "KEY-1", "*"):
        assert submit(client, key).status_code == 202
    for _ in range(2):
        assert client.post("/api/reports", json=SUBMISSION).status_code == 202

    assert queue.list().total == 6


@pytest.mark.parametrize(
    "body", [{"title": "Q3", "type": "sales"}, {"title": "Q4", "type": "users"}], ids=["title", "type"]
)
def test_the_same_key_for_another_body_is_a_conflict(
    client: FlaskClient, queue: ReportQueue, body: dict[str, str]
) -> None:
    submit(client, "key-1")

    problem = assert_problem(submit(client, "key-1", body), 409)

    assert "Idempotency-Key" in problem["detail"]
    assert queue.list().total == 1


@pytest.mark.parametrize("key", ["", "x" * 256, "ü", "a\tb", "a\x7fb"], ids=ascii)
def test_a_bad_key_is_named_and_nothing_is_queued(
    client: FlaskClient, factory: ReportFactory, key: str
) -> None:
    problem = assert_problem(submit(client, key), 400)

    assert fields_of(problem) == ["Idempotency-Key"]
    assert factory.connection.keys() == []


@pytest.mark.parametrize("key", ["x", "x" * 255, "with space", '"quoted"', "~!@#$%^&*()"])
def test_any_other_key_is_accepted(client: FlaskClient, key: str) -> None:
    first, second = submit(client, key), submit(client, key)

    assert first.status_code == second.status_code == 202
    assert first.get_json() == second.get_json()


def test_a_key_of_a_refused_request_is_still_free(client: FlaskClient) -> None:
    assert_problem(submit(client, "key-1", {"title": "", "type": "sales"}), 400)

    assert submit(client, "key-1").status_code == 202


def test_with_the_broker_away_a_key_is_still_free(
    client: FlaskClient, memory_server: fakeredis.FakeServer, queue: ReportQueue
) -> None:
    memory_server.connected = False
    assert_problem(submit(client, "key-1"), 503)
    memory_server.connected = True

    assert submit(client, "key-1", {"title": "Q3", "type": "users"}).status_code == 202
    assert queue.list().total == 1


def test_a_waiting_report_has_its_position_in_the_queue(client: FlaskClient, factory: ReportFactory) -> None:
    ids = [factory.request() for _ in range(3)]

    assert [state_of(client, task_id)["position"] for task_id in ids] == [0, 1, 2]
    change_report(client, "cancel", ids[0])
    factory.begin(ids[1])

    assert state_of(client, ids[2])["position"] == 0
    assert "position" not in state_of(client, ids[0])
    assert "position" not in state_of(client, ids[1])


def test_the_report_types_are_those_of_the_catalog(client: FlaskClient) -> None:
    response = client.get("/api/report-types")

    assert (response.status_code, response.mimetype) == (200, "application/json")
    assert [one["name"] for one in response.get_json()] == list(CATALOG)
    for one in response.get_json():
        assert list(one) == ["name", "title", "description", "parameters", "formats", "version"]
        assert one["title"]
        assert one["parameters"] == {"type": "object", "properties": {}, "additionalProperties": False}
        assert client.post("/api/reports", json={"title": "Q4", "type": one["name"]}).status_code == 202


def test_the_report_types_are_listed_without_a_broker(
    client: FlaskClient, memory_server: fakeredis.FakeServer
) -> None:
    memory_server.connected = False

    assert client.get("/api/report-types").status_code == 200


@pytest.mark.parametrize("state", ["completed", "failed"])
def test_a_wait_for_an_ended_report_returns_at_once(
    client: FlaskClient, factory: ReportFactory, state: str
) -> None:
    task_id = make(factory, state)

    response = client.get(f"/api/reports/{task_id}?wait=30")

    assert response.get_json() == state_of(client, task_id)
    assert "Retry-After" not in response.headers


def test_a_wait_for_an_unknown_report_returns_at_once(client: FlaskClient) -> None:
    assert_problem(client.get(f"/api/reports/{UNKNOWN_ID}?wait=30"), 404)


def test_no_wait_is_a_wait_of_no_time(client: FlaskClient, factory: ReportFactory) -> None:
    task_id = factory.request()

    response = client.get(f"/api/reports/{task_id}?wait=0")

    assert response.get_json()["status"] == "pending"
    assert "Retry-After" not in response.headers


@pytest.mark.parametrize("wait", ["", "-1", "31", "1.5", "1e1", "ten", " 1", "+1", "²", "٣", "9" * 5000])
def test_a_bad_wait_is_named(client: FlaskClient, factory: ReportFactory, wait: str) -> None:
    for task_id in (factory.request(), UNKNOWN_ID):
        response = client.get(f"/api/reports/{task_id}", query_string={"wait": wait})

        problem = assert_problem(response, 400)
        assert fields_of(problem) == ["wait"]
        assert "0 to 30" in problem["detail"]
