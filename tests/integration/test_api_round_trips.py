"""What a request costs in round trips to the broker, for few reports and for many."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis import Connection, ConnectionPool, Redis

from harness.broker import Broker
from reports_app import create_blueprint
from reports_app.services.container import Services
from reports_worker import TYPES, ReportQueue, Submission


class CountingConnection(Connection):
    """Counts how often something is sent; a pipeline sends once."""

    sent = 0

    def send_packed_command(self, *arguments: Any, **options: Any) -> None:
        type(self).sent += 1
        super().send_packed_command(*arguments, **options)  # type: ignore[no-untyped-call]


COSTS = {
    "/reports?partial=1": 2,
    "/": 2,
    "/reports": 2,
    "the part of a page just loaded": 0,
    "/api/reports": 2,
    "/api/reports?limit=500": 2,
    "the next page": 2,
    "a status": 1,
    "a submit": 1,
    "/health": 1,
    "/alive": 0,
    "/api/nothing": 0,
    "/api/reports/7": 0,
    "a filtered list": 3,
    "a filtered page": 3,
    "a report's page": 1,
    "a cancel": 1,
    "a retry": 1,
    "a delete": 1,
    "/api/report-types": 0,
    "/openapi.json": 0,
    "/docs": 0,
}


@pytest.fixture
def queue(broker: Broker) -> Iterator[ReportQueue]:
    """A queue that counts its round trips."""
    pool = ConnectionPool(connection_class=CountingConnection, host="127.0.0.1", port=broker.port)
    yield ReportQueue(Redis(connection_pool=pool), timeout=timedelta(hours=1))
    pool.disconnect()


def make_client(queue: ReportQueue) -> FlaskClient:
    app = Flask("host")
    app.config.update(SECRET_KEY="a secret for tests alone")
    app.register_blueprint(create_blueprint(services=Services(queue, TYPES)))
    return app.test_client()


def send_scripts(client: FlaskClient) -> None:
    """Use each script once: the broker then keeps it, however many clients come."""
    url = client.post("/api/reports", json={"title": "Q4", "type": "sales"}).headers["Location"]
    client.get(url)
    client.post(f"{url}/cancel")
    client.post(f"{url}/retry")
    client.delete(url)


def count_round_trips(client: FlaskClient, path: str) -> int:
    """Make the request that `path` names, and tell what it cost."""
    newest = client.get("/api/reports?limit=1")
    before = CountingConnection.sent
    match path:
        case "a submit":
            client.post("/api/reports", json={"title": "Q4", "type": "sales"})
        case "a status":
            client.get(f"/api/reports/{newest.get_json()[0]['task_id']}")
        case "the part of a page just loaded":
            client.get("/?q=number")
            before = CountingConnection.sent
            client.get("/reports?partial=1&q=number")
        case "the next page":
            client.get(newest.headers["Link"].partition(";")[0].strip("<>"))
        case "a filtered list":
            client.get("/api/reports?q=number&status=pending&limit=500")
        case "a filtered page":
            client.get("/?q=number&type=sales")
        case "a report's page":
            client.get(f"/reports/{newest.get_json()[0]['task_id']}")
        case "a cancel" | "a retry":
            url = f"/api/reports/{newest.get_json()[0]['task_id']}/{path.removeprefix('a ')}"
            assert client.post(url).status_code == 202
        case "a delete":
            client.delete(f"/api/reports/{newest.get_json()[0]['task_id']}")
        case _:
            client.get(path)
    return CountingConnection.sent - before


@pytest.mark.parametrize("stored", [10, 600])
def test_a_request_costs_the_same_round_trips_however_many_reports_there_are(
    queue: ReportQueue, stored: int
) -> None:
    client = make_client(queue)
    send_scripts(client)
    for number in range(stored):
        queue.submit(Submission(f"number {number}", "sales"))

    assert {path: count_round_trips(client, path) for path in COSTS} == COSTS
