"""Parameters, formats and age in the JSON contract."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from reports_app.services.container import Services, add_services
from reports_worker import TYPES, ReportQueue
from tests.every_kind import EVERY_KIND, QUARTER
from tests.unit.reports_app.report_factory import ReportFactory

SQL = "'; DROP TABLE orders; --"


@pytest.fixture
def client(app: Flask, queue: ReportQueue) -> FlaskClient:
    add_services(app, Services(queue, {**TYPES, "everything": EVERY_KIND}))
    return app.test_client()


def submit(client: FlaskClient, parameters: object, **rest: object) -> Any:
    body = {"title": "Q4", "type": "everything", "parameters": parameters, **rest}
    return client.post("/api/reports", json=body)


def errors_of(response: Any) -> dict[str, str]:
    assert response.status_code == 400
    return {error["field"]: error["message"] for error in response.get_json()["errors"]}


def test_a_report_has_its_parameters_with_defaults_its_formats_and_its_version(client: FlaskClient) -> None:
    response = submit(client, {"period": QUARTER, "note": SQL, "net": False})

    report = client.get(response.headers["Location"]).get_json()
    since = report["parameters"].pop("since")
    assert report["parameters"] == {
        "note": SQL,
        "top": 10,
        "net": False,
        "region": "EU",
        "channels": ["web"],
        "period": QUARTER,
    }
    assert len(since) == 10
    assert (report["formats"], report["version"]) == (["csv", "pdf"], "v1")


def test_a_preset_is_kept_with_its_days(client: FlaskClient) -> None:
    response = submit(client, {"period": {"preset": "last_quarter"}})

    period = client.get(response.headers["Location"]).get_json()["parameters"]["period"]
    assert period["preset"] == "last_quarter"
    assert period["from"] < period["to"]
    again = submit(client, {"period": period})
    assert client.get(again.headers["Location"]).get_json()["parameters"]["period"] == period


def test_each_field_at_fault_is_named(client: FlaskClient, queue: ReportQueue) -> None:
    parameters = {"top": 101, "share": "1", "region": SQL, "channels": ["web", "fax"], "colour": "red"}

    errors = errors_of(submit(client, parameters, formats=["docx"], max_age=0))

    assert errors == {
        "parameters.top": "Products must be a whole number from 1 to 100.",
        "parameters.share": "Share must be a number from 0 to 1.",
        "parameters.region": "Region must be one of EU, US, 7.",
        "parameters.channels": "Channels must be a list, each item of which is one of web, shop, phone.",
        "parameters.period": "Period is required.",
        "parameters.colour": "'colour' is not a parameter of this type, which has note, top, share, net, "
        "region, shop, channels, since, period.",
        "formats": "The formats must be a list; allowed are csv, parquet, xlsx, pdf, svg, png, json.",
        "max_age": "The max_age must be a whole number of seconds from 1 to 2592000.",
    }
    assert queue.list().total == 0


@pytest.mark.parametrize(
    "body",
    [
        b'{"note": "\\ud800"}',
        b'{"top": 1' + b"0" * 4000 + b"}",
        b'{"share": 1e999}',
        b'{"channels": [' + b'"web",' * 9_999 + b'"web"]}',
        b'{"region": ' + b'{"a":' * 50 + b"1" + b"}" * 50 + b"}",
        b'{"\\ud800": 1}',
    ],
    ids=[
        "half a character",
        "a huge number",
        "more than any number",
        "10,000 choices",
        "nested",
        "a bad name",
    ],
)
def test_hostile_values_are_refused_and_named(client: FlaskClient, queue: ReportQueue, body: bytes) -> None:
    whole = b'{"title": "Q4", "type": "everything", "parameters": ' + body + b"}"

    response = client.post("/api/reports", data=whole, content_type="application/json")

    assert all(field.startswith("parameters.") for field in errors_of(response))
    assert queue.list().total == 0


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (None, ["csv", "pdf"]),
        ([], []),
        (["json", "csv", "csv"], ["csv", "json"]),
    ],
)
def test_formats_are_those_of_the_request_else_of_the_type(
    client: FlaskClient, given: object, kept: list[str]
) -> None:
    rest = {} if given is None else {"formats": given}

    response = submit(client, {"period": QUARTER}, **rest)

    assert client.get(response.headers["Location"]).get_json()["formats"] == kept


def test_a_type_that_names_no_formats_leaves_all(client: FlaskClient) -> None:
    response = client.post("/api/reports", json={"title": "Q4", "type": "sales"})

    formats = client.get(response.headers["Location"]).get_json()["formats"]
    assert formats == ["csv", "parquet", "xlsx", "pdf", "svg", "png", "json"]


@pytest.mark.parametrize("formats", [None, "csv", {"csv": 1}, [7], [["csv"]], ["CSV"]])
def test_other_formats_are_refused(client: FlaskClient, formats: object) -> None:
    assert list(errors_of(submit(client, {"period": QUARTER}, formats=formats))) == ["formats"]


@pytest.mark.parametrize("age", [None, 0, -1, 1.5, True, "60", 2_592_001, 10**300, [60]])
def test_an_age_is_whole_seconds_up_to_thirty_days(client: FlaskClient, age: object) -> None:
    assert list(errors_of(submit(client, {"period": QUARTER}, max_age=age))) == ["max_age"]


def test_an_earlier_report_serves_and_the_response_names_it(
    client: FlaskClient, factory: ReportFactory
) -> None:
    first = submit(client, {"period": QUARTER}).get_json()["task_id"]

    waiting = submit(client, {"period": QUARTER, "top": 10}, max_age=60)
    factory.begin(first)
    factory.end(first)
    completed = submit(client, {"period": QUARTER}, max_age=2_592_000)
    other = submit(client, {"period": QUARTER, "top": 11}, max_age=60)

    expected = {"task_id": first, "message": "An earlier report serves"}
    assert waiting.get_json() == {**expected, "status": "pending"}
    assert completed.get_json() == {**expected, "status": "completed"}
    assert (completed.status_code, completed.headers["Location"]) == (202, f"/api/reports/{first}")
    assert other.get_json()["message"] == "Report generation started"


def test_an_earlier_report_cannot_get_a_callback(app: Flask, queue: ReportQueue) -> None:
    add_services(app, Services(queue, TYPES, callback_hosts=("hooks.example.com",)))
    body = {"title": "Q4", "type": "sales", "max_age": 60, "callback_url": "https://hooks.example.com/"}

    response = app.test_client().post("/api/reports", json=body)

    assert errors_of(response) == {
        "max_age": "An earlier report sends no callback: give max_age or callback_url."
    }


def test_a_key_identifies_the_values_of_the_request(client: FlaskClient) -> None:
    def submit(parameters: object, **rest: object) -> Any:
        body = {"title": "Q4", "type": "everything", "parameters": parameters, **rest}
        return client.post("/api/reports", json=body, headers={"Idempotency-Key": "k"})

    first = submit({"period": {"preset": "last_quarter"}})

    assert submit({"period": {"preset": "last_quarter"}}).get_json() == first.get_json()
    assert submit({"period": {"preset": "last_quarter"}, "top": 10}).status_code == 409
    assert submit({"period": {"preset": "last_quarter"}}, formats=["csv"]).status_code == 409


def test_the_catalog_has_the_parameters_as_json_schema(client: FlaskClient) -> None:
    described = {one["name"]: one for one in client.get("/api/report-types").get_json()}["everything"]

    assert described["parameters"]["required"] == ["period"]
    assert described["parameters"]["properties"]["channels"]["items"] == {"enum": ["web", "shop", "phone"]}
    assert (described["formats"], described["version"]) == (["csv", "pdf"], "v1")


def test_openapi_lists_the_parameters_of_each_type(client: FlaskClient) -> None:
    schemas = client.get("/openapi.json").get_json()["components"]["schemas"]

    choices = {one["properties"]["type"]["const"]: one for one in schemas["Submission"]["oneOf"]}
    assert list(choices) == ["sales", "inventory", "users", "everything"]
    assert choices["everything"]["required"] == ["type", "parameters"]
    assert choices["sales"]["required"] == ["type"]
    assert choices["everything"]["properties"]["parameters"] == {
        "$ref": "#/components/schemas/Parameters.everything"
    }
    assert schemas["Parameters.everything"]["properties"]["top"]["maximum"] == 100
    assert "Whole days." in client.get("/docs").text
