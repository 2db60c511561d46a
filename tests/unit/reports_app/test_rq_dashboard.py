"""rq-dashboard: its content, its access rules, and that it is read-only."""

from __future__ import annotations

import json
import os
import pickle
from functools import cache
from pathlib import Path
from typing import Any

import fakeredis
import jinja2
import pytest
from flask import Flask
from flask.testing import FlaskClient

from reports_app.services.container import Services, add_services
from tests.unit.reports_app.conftest import make_product
from tests.unit.reports_app.html_tree import parse_html
from tests.unit.reports_app.report_factory import FIGURES, UNKNOWN_ID, ReportFactory

EVIL = "<script>window.evil=1</script><img src=x onerror=window.evil=1>"
HTML = {"Accept": "text/html"}
REGISTRIES = ("queued", "started", "finished", "failed")


@cache
def share_product(**settings: Any) -> Flask:
    """The product with lenient templates, since rq-dashboard's templates use undefined names."""
    app = make_product(**settings)
    app.jinja_env.undefined = jinja2.Undefined
    return app


def client_for(services: Services, **settings: Any) -> FlaskClient:
    app = share_product(**settings)
    add_services(app, services)
    return app.test_client()


@pytest.fixture
def product_client(services: Services) -> FlaskClient:
    return client_for(services)


def list_of(client: FlaskClient, registry: str) -> Any:
    return client.get(f"/rq/0/data/jobs/reports/{registry}/8/asc/1.json")


def state_of(factory: ReportFactory) -> dict[Any, Any]:
    """All keys and values in the broker."""
    return {key: factory.connection.dump(key) for key in factory.connection.keys()}  # noqa: SIM118


@pytest.mark.parametrize("path", ["/rq/", "/rq/0/view/workers", "/rq/0/view/jobs"])
def test_its_pages_are_shown(product_client: FlaskClient, factory: ReportFactory, path: str) -> None:
    factory.request()

    response = product_client.get(path)

    assert (response.status_code, response.mimetype) == (200, "text/html")
    assert "RQ dashboard" in response.text


def test_its_queue_is_counted(product_client: FlaskClient, factory: ReportFactory) -> None:
    for make in (factory.request, factory.start, factory.complete, factory.fail):
        make()

    body = product_client.get("/rq/0/data/queues.json").get_json()

    queue = body["queues"][0]
    assert queue["name"] == "reports"
    assert queue["started_job_registry_count"] == 1
    assert queue["finished_job_registry_count"] == 1
    assert queue["failed_job_registry_count"] == 1


@pytest.mark.parametrize(
    ("registry", "state"),
    [("queued", "request"), ("started", "start"), ("finished", "complete"), ("failed", "fail")],
)
def test_each_list_shows_the_titles_of_reports(
    product_client: FlaskClient, factory: ReportFactory, registry: str, state: str
) -> None:
    task_id = getattr(factory, state)("Q4 sales")

    job = list_of(product_client, registry).get_json()["jobs"][0]

    assert (job["id"], job["description"]) == (task_id, "sales: Q4 sales")
    assert job["exc_info"] == ("It broke." if state == "fail" else None)


def test_a_job_shows_its_report(product_client: FlaskClient, factory: ReportFactory) -> None:
    task_id = factory.complete("Q4 sales")

    page = product_client.get(f"/rq/0/view/job/{task_id}")
    body = product_client.get(f"/rq/0/data/job/{task_id}.json").get_json()

    assert page.status_code == 200
    assert task_id in page.text
    assert body["description"] == "sales: Q4 sales"
    assert body["status"] == "finished"
    assert body["result"] == {"title": "Q4 sales", "type": "sales", **FIGURES}


@pytest.mark.parametrize("state", ["request", "start", "complete", "fail"])
def test_markup_in_a_job_is_escaped(product_client: FlaskClient, factory: ReportFactory, state: str) -> None:
    task_id = getattr(factory, state)(EVIL)
    evil_fields: dict[Any, Any] = {
        "error": EVIL,
        "stage": EVIL,
        "summary": json.dumps({EVIL: [EVIL, {"a": EVIL}]}),
    }
    factory.connection.hset(f"rq:job:{task_id}", mapping=evil_fields)

    response = product_client.get(f"/rq/0/data/job/{task_id}.json")

    assert response.status_code == 200
    assert "<" not in repr(response.get_json())
    assert "&lt;script&gt;" in response.text


def test_a_job_that_is_no_report_is_shown_escaped_too(
    product_client: FlaskClient, factory: ReportFactory
) -> None:
    task_id = factory.request()
    factory.connection.hdel(f"rq:job:{task_id}", "title")
    factory.connection.hset(f"rq:job:{task_id}", "description", EVIL)

    response = product_client.get(f"/rq/0/data/job/{task_id}.json")

    assert response.status_code == 200
    assert "<" not in json.loads(response.text)["description"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/rq/requeue/reports"),
        ("HEAD", "/rq/requeue/reports"),
        ("POST", "/rq/requeue/reports"),
        ("POST", "/rq/queue/reports/queued/empty"),
        ("POST", "/rq/queue/reports/failed/empty"),
        ("POST", "/rq/queue/reports/compact"),
        ("POST", "/rq/job/{task_id}/delete"),
        ("POST", "/rq/job/{task_id}/requeue"),
        ("DELETE", "/rq/job/{task_id}/delete"),
        ("PUT", "/rq/"),
        ("POST", "/rq/0/data/queues.json"),
    ],
)
def test_it_changes_nothing(
    product_client: FlaskClient, factory: ReportFactory, method: str, path: str
) -> None:
    for make in (factory.request, factory.start, factory.complete):
        make()
    task_id = factory.fail()
    before = state_of(factory)

    response = product_client.open(path.format(task_id=task_id), method=method, headers=HTML)

    assert response.status_code == 405
    assert state_of(factory) == before


def test_looking_changes_nothing(product_client: FlaskClient, factory: ReportFactory) -> None:
    for make in (factory.request, factory.start, factory.complete, factory.fail):
        task_id = make()
    factory.connection.hset(f"rq:job:{task_id}", "data", b"\x80\x04N.")
    before = state_of(factory)

    product_client.get("/rq/")
    product_client.get("/rq/0/data/queues.json")
    for registry in REGISTRIES:
        list_of(product_client, registry)

    assert state_of(factory) == before


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("X-Forwarded-For", "127.0.0.1"),
        ("X-Forwarded-Host", "localhost"),
        ("X-Real-IP", "127.0.0.1"),
        ("Forwarded", "for=127.0.0.1"),
        ("Via", "1.1 proxy"),
    ],
)
@pytest.mark.parametrize("path", ["/rq/", "/rq/0/data/queues.json", "/rq/static/css/main.css"])
def test_through_a_proxy_the_dashboard_is_refused(
    product_client: FlaskClient, header: str, value: str, path: str
) -> None:
    with product_client.get(path, headers={header: value, **HTML}) as response:
        assert response.status_code == 403


@pytest.mark.parametrize("address", ["192.0.2.7", "10.0.0.1", "::2", "2001:db8::1"])
def test_from_another_machine_the_dashboard_is_refused(product_client: FlaskClient, address: str) -> None:
    response = product_client.get("/rq/", environ_overrides={"REMOTE_ADDR": address})

    assert response.status_code == 403


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_from_this_machine_the_dashboard_is_served(product_client: FlaskClient, address: str) -> None:
    assert product_client.get("/rq/", environ_overrides={"REMOTE_ADDR": address}).status_code == 200


@pytest.mark.parametrize("host", ["own.example", "own.example:8000"])
def test_under_another_host_name_than_loopback_the_dashboard_is_refused(
    services: Services, host: str
) -> None:
    client = client_for(services, allowed_hosts=("own.example",))

    assert client.get("/rq/", headers={"Host": host}).status_code == 403
    assert client.get("/rq/", headers={"Host": "localhost:8000"}).status_code == 200
    assert client.get("/rq/", headers={"Host": "[::1]:8000"}).status_code == 200


@pytest.mark.parametrize("settings", [{"is_open": True}, {"proxies": 1, "is_open": True}, {"proxies": 1}])
@pytest.mark.parametrize("path", ["/rq/", "/rq/0/data/queues.json", "/rq/static/css/main.css"])
def test_behind_a_proxy_without_headers_the_dashboard_is_refused(
    services: Services, settings: dict[str, Any], path: str
) -> None:
    """Such a proxy connects from this machine, with a loopback host name and without its own headers."""
    with client_for(services, **settings).get(path, headers={"Host": "127.0.0.1:8000"}) as response:
        assert response.status_code == 403
        assert "REPORTS_OPEN or REPORTS_PROXIES is set" in response.get_json()["detail"]


def test_there_is_one_broker(product_client: FlaskClient) -> None:
    assert product_client.get("/rq/1/view/jobs", headers=HTML).status_code == 404


@pytest.mark.parametrize("task_id", ["7", "a:b", "%00", UNKNOWN_ID])
@pytest.mark.parametrize("path", ["/rq/0/view/job/{}", "/rq/0/data/job/{}.json"])
def test_an_unknown_job_is_not_found(product_client: FlaskClient, path: str, task_id: str) -> None:
    response = product_client.get(path.format(task_id), headers=HTML)

    assert response.status_code == 404
    assert parse_html(response.text).get("h1").text == "Not found"


def test_with_the_broker_away_the_dashboard_shows_an_error(
    product_client: FlaskClient, memory_server: fakeredis.FakeServer
) -> None:
    memory_server.connected = False

    assert list_of(product_client, "queued").status_code == 503
    assert product_client.get("/rq/0/data/workers.json").status_code == 503


DEEP = "[" * 100_000
LISTS = "/rq/0/data/jobs/reports"


@pytest.mark.parametrize(
    "path",
    [
        f"{LISTS}/foo/10/asc/1.json",
        f"{LISTS}/queued/0/asc/1.json",
        f"{LISTS}/queued/-1/asc/1.json",
        f"{LISTS}/queued/x/asc/1.json",
        f"{LISTS}/queued/{'9' * 5000}/asc/1.json",
        f"{LISTS}/queued/8/asc/x.json",
        f"{LISTS}/queued/8/asc/-1.json",
        f"{LISTS}/failed/8/asc/{'9' * 30}.json",
        f"{LISTS}/failed/8/up/1.json",
        "/rq/0/view/jobs/reports/foo/8/asc/1",
        "/rq/0/view/jobs/reports/queued/0/asc/1",
    ],
)
def test_a_list_with_an_invalid_argument_is_not_found(product_client: FlaskClient, path: str) -> None:
    assert product_client.get(path).status_code == 404


@pytest.mark.parametrize("registry", ["deferred", "scheduled", "canceled"])
@pytest.mark.parametrize("end", ["8/asc/1", "8/dsc/1", "8/asc/0"])
def test_each_list_of_rq_is_shown(product_client: FlaskClient, registry: str, end: str) -> None:
    assert product_client.get(f"/rq/0/view/jobs/reports/{registry}/{end}").status_code == 200
    assert product_client.get(f"{LISTS}/{registry}/{end}.json").status_code == 200


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("timeout", "null"),
        ("status", ""),
        ("status", "unheard-of"),
        ("created_at", "never"),
        ("meta", DEEP),
        ("dependency_ids", DEEP),
        ("retry_intervals", DEEP),
        ("repeat_intervals", DEEP),
    ],
)
def test_an_entry_that_rq_cannot_read_is_explained(
    product_client: FlaskClient,
    factory: ReportFactory,
    caplog: pytest.LogCaptureFixture,
    field: str,
    value: str,
) -> None:
    task_id = factory.request()
    factory.connection.hset(f"rq:job:{task_id}", field, value)

    response = product_client.get(f"/rq/0/data/job/{task_id}.json")

    assert response.status_code == 503
    assert "RQ cannot read" in response.get_json()["detail"]
    assert all(record.exc_info is None for record in caplog.records)


class Bomb:
    """Makes a folder when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("field", ["data", "meta", "result"])
def test_nothing_is_unpickled(
    product_client: FlaskClient, factory: ReportFactory, tmp_path: Path, field: str
) -> None:
    mark, client = tmp_path / "unpickled", product_client
    for state in ("request", "start", "complete", "fail"):
        task_id = getattr(factory, state)()
        factory.connection.hset(f"rq:job:{task_id}", field, pickle.dumps(Bomb(mark)))
        for path in (f"/rq/0/view/job/{task_id}", f"/rq/0/data/job/{task_id}.json"):
            client.get(path, headers=HTML)
    for registry in REGISTRIES:
        list_of(client, registry)
    client.get("/rq/0/data/workers.json")

    assert not mark.exists()
    pickle.loads(pickle.dumps(Bomb(mark)))  # noqa: S301 - the bomb is real
    assert mark.exists()
