"""The API against its own description: requests made from the document, answers compared with it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from harness.broker import Broker
from reports_app import create_blueprint
from reports_app.services.container import Services
from reports_worker import TYPES, BrokerAddress, ReportQueue, connect
from tests.every_kind import EVERY_KIND
from tests.extent import count_examples
from tests.unit.reports_app.report_factory import UNKNOWN_ID, ReportFactory

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "TRACE")
OPERATIONS = (
    "GET /api/reports",
    "POST /api/reports",
    "GET /api/reports/{task_id}",
    "DELETE /api/reports/{task_id}",
    "POST /api/reports/{task_id}/cancel",
    "POST /api/reports/{task_id}/retry",
    "GET /api/reports/{task_id}/artifacts/{name}",
    "GET /api/report-types",
    "GET /health",
    "GET /alive",
)
# Every value of the others is either fine or the id of no report.
REFUSING = OPERATIONS[:3]
bounded = settings(
    max_examples=count_examples(5, wide=200),
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def queue(session_broker: Broker) -> Iterator[ReportQueue]:
    with session_broker.client() as client:
        client.flushall()
    with connect(BrokerAddress(session_broker.url)) as connection:
        yield ReportQueue(connection, timeout=timedelta(hours=1))


@pytest.fixture(scope="module")
def ids(queue: ReportQueue) -> list[str]:
    """Some reports in each state, since an example may use one up."""
    factory = ReportFactory(queue.connection, queue)
    makers = (factory.request, factory.start, factory.complete, factory.fail)
    return [make() for _ in range(5) for make in makers]


@pytest.fixture(scope="module")
def app(queue: ReportQueue) -> Flask:
    app = Flask("host")
    app.config.update(SECRET_KEY="a secret for tests alone")
    app.register_blueprint(create_blueprint(services=Services(queue, {**TYPES, "everything": EVERY_KIND})))
    return app


@pytest.fixture(scope="module")
def schema(app: Flask) -> Any:
    return schemathesis.openapi.from_wsgi("/openapi.json", app)


def ends_before_it_begins(body: Any) -> bool:
    """Tell whether a request has a period that is none: the one rule that a JSON Schema cannot say."""
    period = body.get("parameters", {}).get("period") if isinstance(body, dict) else None
    return isinstance(period, dict) and "preset" not in period and period["from"] > period["to"]


def try_out(operation: Any, ids: list[str], mode: schemathesis.GenerationMode) -> None:
    """Make requests of one operation, often about reports that there are, and compare each answer."""

    @bounded
    @given(case=operation.as_strategy(generation_mode=mode), known=st.none() | st.sampled_from(ids))
    def check(case: Any, known: str | None) -> None:
        if known and "task_id" in case.path_parameters:
            case.path_parameters["task_id"] = known
        if mode is schemathesis.GenerationMode.POSITIVE and "wait" in case.query:
            case.query["wait"] = 0
        if mode is schemathesis.GenerationMode.POSITIVE:
            assume(not ends_before_it_begins(case.body))
        case.call_and_validate()

    check()


def test_all_operations_are_tried(schema: Any) -> None:
    assert {result.ok().label for result in schema.get_all_operations()} == {*OPERATIONS}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_what_the_description_allows_is_answered_as_it_says(
    schema: Any, ids: list[str], operation: str
) -> None:
    method, path = operation.split()

    try_out(schema[path][method], ids, schemathesis.GenerationMode.POSITIVE)


@pytest.mark.parametrize("operation", REFUSING)
def test_what_the_description_forbids_is_refused_as_it_says(
    schema: Any, ids: list[str], operation: str
) -> None:
    method, path = operation.split()

    try_out(schema[path][method], ids, schemathesis.GenerationMode.NEGATIVE)


def test_a_method_that_is_not_described_is_not_allowed(app: Flask, schema: Any) -> None:
    client = app.test_client()
    for path, described in schema.raw_schema["paths"].items():
        allowed = {method.upper() for method in described}
        for method in {*METHODS} - allowed:
            answer = client.open(path.replace("{task_id}", UNKNOWN_ID), method=method)

            assert (answer.status_code, answer.mimetype) == (405, "application/problem+json")
            assert set(answer.headers["Allow"].split(", ")) - {"HEAD", "OPTIONS"} == allowed - {"PARAMETERS"}
