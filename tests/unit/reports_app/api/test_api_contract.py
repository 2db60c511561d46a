"""The contract of the JSON API."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask.testing import FlaskClient

from reports_worker import Reason, is_task_id
from reports_worker.domain.task_id import new_task_id
from tests.unit.reports_app.report_factory import FIGURES, ReportFactory

FIELDS = [
    "task_id",
    "title",
    "type",
    "status",
    "parameters",
    "created_at",
    "started_at",
    "ended_at",
    "progress",
    "artifacts",
    "as_of",
    "formats",
    "version",
]


def get(client: FlaskClient, task_id: str) -> Any:
    response = client.get(f"/api/reports/{task_id}")
    assert (response.status_code, response.mimetype) == (200, "application/json")
    return response.get_json()


def test_a_submit_is_accepted_with_exactly_three_fields(client: FlaskClient) -> None:
    response = client.post("/api/reports", json={"title": "Q4", "type": "sales"})

    body = response.get_json()
    assert response.status_code == 202
    assert list(body) == ["task_id", "status", "message"]
    assert body["status"] == "pending"
    assert body["message"] == "Report generation started"
    assert is_task_id(body["task_id"])


def test_the_location_of_a_submit_leads_to_the_report(client: FlaskClient) -> None:
    response = client.post("/api/reports", json={"title": " Q4 ", "type": "users", "parameters": {}})

    body = client.get(response.headers["Location"]).get_json()
    assert body["task_id"] == response.get_json()["task_id"]
    assert (body["title"], body["type"], body["parameters"]) == ("Q4", "users", {})


@pytest.mark.parametrize("report_type", ["sales", "inventory", "users"])
def test_each_type_can_be_requested(client: FlaskClient, report_type: str) -> None:
    response = client.post("/api/reports", json={"title": "Q4", "type": report_type})

    assert client.get(response.headers["Location"]).get_json()["type"] == report_type


def test_json_with_a_charset_is_accepted(client: FlaskClient) -> None:
    body = '{"title": "Übersicht", "type": "sales"}'.encode()

    response = client.post("/api/reports", data=body, content_type="application/json; charset=utf-8")

    assert client.get(response.headers["Location"]).get_json()["title"] == "Übersicht"


def test_a_pending_report_has_not_started(client: FlaskClient, factory: ReportFactory) -> None:
    task_id = factory.request("Waiting")

    body = get(client, task_id)

    assert list(body) == [*FIELDS, "position"]
    assert body["status"] == "pending"
    assert body["position"] == 0
    assert body["started_at"] is None
    assert body["ended_at"] is None
    assert body["progress"] == {"percent": 0, "stage": ""}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", body["created_at"])


def test_a_running_report_has_its_progress(client: FlaskClient, factory: ReportFactory) -> None:
    task_id = factory.start("Busy", percent=40, stage="adding up revenue")

    body = get(client, task_id)

    assert list(body) == FIELDS
    assert body["status"] == "running"
    assert body["progress"] == {"percent": 40, "stage": "adding up revenue"}
    assert body["started_at"] >= body["created_at"]
    assert body["ended_at"] is None


def test_a_completed_report_carries_title_and_type_within_its_result(
    client: FlaskClient, factory: ReportFactory
) -> None:
    task_id = factory.complete("Q4 2024 Sales Report")

    body = get(client, task_id)

    assert list(body) == [*FIELDS, "complete", "result"]
    assert body["status"] == "completed"
    assert body["result"] == {"title": "Q4 2024 Sales Report", "type": "sales", **FIGURES}
    assert list(body["result"])[:2] == ["title", "type"]
    assert body["progress"] == {"percent": 100, "stage": ""}
    assert body["ended_at"] >= body["started_at"]


def test_a_failed_report_has_an_error_for_people_and_a_reason_for_programs(
    client: FlaskClient, factory: ReportFactory
) -> None:
    task_id = factory.fail("Late", error="It took too long.", reason=Reason.TIMEOUT)

    body = get(client, task_id)

    assert list(body) == [*FIELDS, "error", "reason"]
    assert (body["status"], body["error"], body["reason"]) == ("failed", "It took too long.", "timeout")


@pytest.mark.parametrize(
    ("in_redis", "status"),
    [
        ("created", "pending"),
        ("queued", "pending"),
        ("deferred", "pending"),
        ("scheduled", "pending"),
        ("rate_limited", "pending"),
        ("ready_to_enqueue", "pending"),
        ("started", "running"),
        ("finished", "completed"),
        ("failed", "failed"),
        ("stopped", "failed"),
        ("canceled", "failed"),
    ],
)
def test_no_status_of_the_queue_itself_gets_out(
    client: FlaskClient, factory: ReportFactory, in_redis: str, status: str
) -> None:
    task_id = factory.request()
    factory.connection.hset(f"rq:job:{task_id}", "status", in_redis)

    assert get(client, task_id)["status"] == status


def test_an_empty_list_is_an_empty_array(client: FlaskClient) -> None:
    response = client.get("/api/reports")

    assert response.get_json() == []
    assert response.headers["X-Total-Count"] == "0"
    assert "Link" not in response.headers


def test_the_list_is_an_array_with_the_newest_first(client: FlaskClient, factory: ReportFactory) -> None:
    ids = [factory.complete("first"), factory.fail("second"), factory.start("third"), factory.request("4th")]

    response = client.get("/api/reports")

    assert [report["task_id"] for report in response.get_json()] == ids[::-1]
    assert [report["status"] for report in response.get_json()] == [
        "pending",
        "running",
        "failed",
        "completed",
    ]
    pending = get(client, ids[-1])
    assert (
        pending.pop("position") == 0
    )  # only for a single report: a list would need a look-up for each report
    assert response.get_json() == [pending, *(get(client, task_id) for task_id in ids[2::-1])]
    assert response.headers["X-Total-Count"] == "4"
    assert "Link" not in response.headers


def test_a_list_has_a_hundred_reports_by_default(client: FlaskClient, factory: ReportFactory) -> None:
    for number in range(101):
        factory.request(f"number {number}")

    response = client.get("/api/reports")

    assert [report["title"] for report in response.get_json()] == [f"number {n}" for n in range(100, 0, -1)]
    assert response.headers["X-Total-Count"] == "101"
    assert len(client.get("/api/reports?limit=1").get_json()) == 1
    assert len(client.get("/api/reports?limit=500").get_json()) == 101


def test_a_full_last_page_has_no_next(client: FlaskClient, factory: ReportFactory) -> None:
    for _ in range(4):
        factory.request()

    first = client.get("/api/reports?limit=2")
    last = client.get(next_url(first) or "")

    assert len(last.get_json()) == 2
    assert next_url(last) is None


def test_the_pages_list_every_report_once_while_others_are_added_and_removed(
    client: FlaskClient, factory: ReportFactory
) -> None:
    ids = [factory.request(f"number {number}") for number in range(23)]
    seen: list[str] = []

    url: str | None = "/api/reports?limit=5"
    while url:
        response = client.get(url)
        seen += [report["task_id"] for report in response.get_json()]
        factory.request("came meanwhile")
        factory.remove(seen[-1])  # the very report that the next cursor names
        url = next_url(response)

    assert seen == ids[::-1]


def test_a_report_whose_record_is_gone_is_left_out(client: FlaskClient, factory: ReportFactory) -> None:
    ids = [factory.request() for _ in range(3)]
    factory.connection.delete(f"rq:job:{ids[1]}")

    assert [report["task_id"] for report in client.get("/api/reports").get_json()] == [ids[2], ids[0]]
    assert client.get(f"/api/reports/{ids[1]}").status_code == 404


def test_a_cursor_may_name_a_report_that_never_was(client: FlaskClient, factory: ReportFactory) -> None:
    factory.request()

    assert len(client.get(f"/api/reports?cursor={new_task_id()}").get_json()) == 1


def test_health_is_exactly_this(client: FlaskClient) -> None:
    response = client.get("/health")

    assert response.status_code == 200
    assert response.get_json() == {"status": "healthy", "service": "report-api"}


def test_alive_reports_the_process(client: FlaskClient) -> None:
    response = client.get("/alive")

    assert response.status_code == 200
    assert response.get_json() == {"status": "alive", "service": "report-api"}


@pytest.mark.parametrize("path", ["/api/reports", "/health", "/alive"])
def test_head_gives_the_headers_of_get(client: FlaskClient, path: str) -> None:
    get_answer, head_answer = client.get(path), client.head(path)

    assert head_answer.status_code == 200
    assert head_answer.data == b""
    assert head_answer.content_type == get_answer.content_type


def test_options_lists_the_allowed_methods(client: FlaskClient) -> None:
    response = client.options("/api/reports")

    assert response.status_code == 204
    assert response.headers["Allow"] == "GET, HEAD, OPTIONS, POST"


def next_url(response: Any) -> str | None:
    """The address in the Link header, as a client follows it."""
    match = re.fullmatch(r'<([^>]+)>; rel="next"', response.headers.get("Link", ""))
    return match[1] if match else None
