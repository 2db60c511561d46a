"""Callbacks in the JSON contract."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis

from reports_app import create_blueprint
from reports_app.services.container import Services
from reports_worker import TYPES, ReportQueue
from reports_worker.broker import keys

URL = "https://hooks.example.com/x"


@pytest.fixture
def callback_client(queue: ReportQueue) -> FlaskClient:
    """A client of an API whose callbacks may go to one host."""
    app = Flask("host_application", template_folder=None, static_folder=None)
    services = Services(queue, TYPES, callback_hosts=("hooks.example.com",))
    app.register_blueprint(create_blueprint(services=services))
    return app.test_client()


def submit(client: FlaskClient, url: object, **headers: str) -> tuple[int, dict[str, object]]:
    body = {"title": "Quarter", "type": "sales", "callback_url": url}
    response = client.post("/api/reports", json=body, headers=headers)
    return response.status_code, response.get_json()


def test_a_report_with_a_callback_shows_the_state_of_its_delivery(
    callback_client: FlaskClient, memory: Redis
) -> None:
    status, accepted = submit(callback_client, URL)
    task_id = str(accepted["task_id"])

    requested = callback_client.get(f"/api/reports/{task_id}").get_json()["callback"]
    fields: dict[Any, Any] = {
        "callback_status": "delivered",
        "callback_attempts": "2",
        "callback_last_status": "204",
    }
    memory.hset(keys.job(task_id), mapping=fields | {"callback_delivered_at": "2026-01-02T03:04:05.678000Z"})
    delivered = callback_client.get(f"/api/reports/{task_id}").get_json()["callback"]

    assert status == 202
    nothing = {"last_status": None, "last_error": None, "delivered_at": None}
    assert requested == {"url": URL, "status": "pending", "attempts": 0, **nothing}
    assert delivered == {
        "url": URL,
        "status": "delivered",
        "attempts": 2,
        "last_status": 204,
        "last_error": None,
        "delivered_at": "2026-01-02T03:04:05.678Z",
    }
    assert callback_client.get("/api/reports").get_json()[0]["callback"] == delivered


@pytest.mark.parametrize(
    "url", ["https://evil.example/", "http://169.254.169.254/latest/meta-data/", None, 7]
)
def test_a_callback_that_is_not_allowed_is_a_field_at_fault(
    callback_client: FlaskClient, queue: ReportQueue, url: object
) -> None:
    status, problem = submit(callback_client, url)

    assert status == 400
    assert isinstance(problem["errors"], list)
    assert [error["field"] for error in problem["errors"]] == ["callback_url"]
    assert queue.list().total == 0


def test_without_allowed_hosts_the_refusal_names_the_setting(client: FlaskClient) -> None:
    status, problem = submit(client, URL)

    assert status == 400
    assert "REPORTS_CALLBACK_HOSTS" in str(problem["detail"])


def test_another_callback_with_the_same_key_is_a_conflict(callback_client: FlaskClient) -> None:
    first = submit(callback_client, URL, **{"Idempotency-Key": "k"})
    again = submit(callback_client, URL, **{"Idempotency-Key": "k"})
    other = submit(callback_client, URL + "y", **{"Idempotency-Key": "k"})

    assert first == again
    assert other[0] == 409


def test_the_description_offers_no_callback_that_would_be_refused(client: FlaskClient) -> None:
    schemas = client.get("/openapi.json").get_json()["components"]["schemas"]

    assert "callback_url" not in schemas["Submission"]["properties"]


def test_the_description_knows_callbacks(callback_client: FlaskClient) -> None:
    schemas = callback_client.get("/openapi.json").get_json()["components"]["schemas"]

    assert schemas["Submission"]["properties"]["callback_url"]["maxLength"] == 2000
    assert schemas["Report"]["properties"]["callback"] == {"$ref": "#/components/schemas/Callback"}
    assert schemas["Callback"]["properties"]["status"]["enum"] == ["pending", "delivered", "failed"]


def test_a_form_names_no_callback(client: FlaskClient, queue: ReportQueue) -> None:
    response = client.post("/reports", data={"title": "T", "type": "sales", "callback_url": URL})

    assert response.status_code in (303, 400)
    assert all(report.callback is None for report in queue.list().reports)
