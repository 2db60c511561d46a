"""Damaged records: their pages are served, or are not found."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reports_worker.broker import keys
from reports_worker.queue.job_hash import FIELDS
from tests.extent import count_examples
from tests.unit.reports_app.full_reports import fill
from tests.unit.reports_app.report_factory import ReportFactory

STATUSES = ("queued", "started", "finished", "failed", "stopped", "abc")
EXAMPLES = count_examples(6, wide=400)
LISTS = ("/api/reports", "/reports?q=t")
SHAPED = ("parameters", "summary", "artifacts", "preview", "formats")

leaves = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.builds(lambda: 10**400)
)
NAMES = ("name", "title", "tables", "charts", "stages", "units", "columns", "rows", "first", "seconds", "size",
         "period", "region", "regions", "processing_time", "formats", "a/b")  # fmt: skip
parts = st.recursive(
    leaves,
    lambda part: st.lists(part, max_size=3) | st.dictionaries(st.sampled_from(NAMES), part, max_size=4),
    max_leaves=8,
)
odd_texts = st.sampled_from(
    [
        "0001-01-01T00:00:00",
        "9999-12-31T23:59:59.999999Z",
        "2026-W01",
        "9" * 5000,
        "-1",
        "99999999999",
        "1e999",
        '{"a": "\\ud800"}',
        "[" * 10**4,
        "NaN",
        "",
        "\x00",
        "delivered",
    ]
)
values = st.one_of(
    st.binary(max_size=10), odd_texts.map(str.encode), parts.map(lambda one: json.dumps(one).encode())
)


@pytest.fixture
def whole(factory: ReportFactory, tmp_path: Path) -> dict[Any, Any]:
    """The fields of a completed report with all kinds of content."""
    task_id = factory.complete(outcome=fill(tmp_path, "text"))
    stored: Any = factory.connection.hgetall(keys.job(task_id))
    found = {name.decode(): value for name, value in stored.items()}
    callback = {"callback_url": "https://example.com/", "formats": '["csv"]', "task_id": task_id}
    return {**found, **callback}


def assert_all_answer(client: FlaskClient, task_id: str) -> None:
    for path in (
        f"/reports/{task_id}",
        f"/reports/{task_id}?partial",
        f"/api/reports/{task_id}",
        f"/?from={task_id}",
    ):
        response = client.get(path)
        assert response.status_code in (200, 404), path
    for path in LISTS:
        assert client.get(path).status_code == 200, path


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    changes=st.dictionaries(st.sampled_from([*FIELDS, "preview"]), values, min_size=1, max_size=2),
    status=st.sampled_from(STATUSES),
)
def test_no_value_of_a_field_breaks_a_page(
    client: FlaskClient, factory: ReportFactory, whole: dict[Any, Any], changes: dict[Any, Any], status: str
) -> None:
    key = keys.job(whole["task_id"])
    factory.connection.delete(key)

    factory.connection.hset(key, mapping={**whole, "status": status, **changes})

    assert_all_answer(client, whole["task_id"])


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_part_of_a_json_value_breaks_a_page(
    client: FlaskClient, factory: ReportFactory, whole: dict[Any, Any], data: st.DataObject
) -> None:
    """A nearly valid value passes more checks than a random one."""
    task_id = whole["task_id"]
    key = keys.job(task_id)
    factory.connection.hset(key, mapping=whole)
    name = data.draw(st.sampled_from(SHAPED))

    factory.connection.hset(key, name, json.dumps(change_a_part(json.loads(whole[name]), data)))

    assert_all_answer(client, task_id)


def change_a_part(value: Any, data: st.DataObject) -> Any:
    """Replace or remove one value inside a document."""
    if isinstance(value, (dict, list)) and value and data.draw(st.integers(0, 6)):
        places = sorted(value) if isinstance(value, dict) else list(range(len(value)))
        place = data.draw(st.sampled_from(places))
        if not data.draw(st.integers(0, 9)):
            del value[place]
        else:
            value[place] = change_a_part(value[place], data)
        return value
    return data.draw(parts)
