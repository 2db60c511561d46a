"""The description of the API: true for programs in /openapi.json, readable for people in /docs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import fakeredis
import pytest
import schemathesis
from flask import Flask
from flask.testing import FlaskClient

from reports_app.services.container import Services, add_services
from reports_worker import LONGEST_TITLE, MOST_LISTED, TYPES, Status
from tests.unit.reports_app.api.test_api_refusals import assert_problem
from tests.unit.reports_app.html_tree import Element, parse_html
from tests.unit.reports_app.report_factory import UNKNOWN_ID, ReportFactory

STATUSES = {
    ("GET", "/api/reports"): {200, 400, 503},
    ("POST", "/api/reports"): {202, 400, 403, 409, 413, 415, 503},
    ("GET", "/api/reports/{task_id}"): {200, 400, 404, 503},
    ("DELETE", "/api/reports/{task_id}"): {204, 403, 404, 503},
    ("GET", "/api/reports/{task_id}/artifacts/{name}"): {200, 206, 304, 404, 410, 416, 503},
    ("POST", "/api/reports/{task_id}/cancel"): {202, 403, 404, 409, 503},
    ("POST", "/api/reports/{task_id}/retry"): {202, 403, 404, 409, 503},
    ("GET", "/api/report-types"): {200},
    ("GET", "/openapi.json"): {200},
    ("GET", "/health"): {200, 503},
    ("GET", "/alive"): {200},
}


def read_document(client: FlaskClient) -> dict[str, Any]:
    response = client.get("/openapi.json")
    assert (response.status_code, response.mimetype) == (200, "application/json")
    document: dict[str, Any] = response.get_json()
    return document


@pytest.fixture
def document(client: FlaskClient) -> dict[str, Any]:
    return read_document(client)


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if method != "parameters":
                yield method.upper(), path, operation


def walk(value: object) -> Iterator[dict[str, Any]]:
    """Every object within a document."""
    if isinstance(value, dict):
        yield value
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for one in inner:
        yield from walk(one)


def resolve(document: dict[str, Any], reference: str) -> Any:
    found: Any = document
    for name in reference.removeprefix("#/").split("/"):
        found = found[name]
    return found


def test_the_document_is_openapi_3_1(document: dict[str, Any]) -> None:
    schema = schemathesis.openapi.from_dict(document)

    schema.validate()
    assert schema.specification.version == document["openapi"] == "3.1.0"
    assert len([*schema.get_all_operations()]) == len(STATUSES)


def test_each_operation_documents_each_of_its_responses(document: dict[str, Any]) -> None:
    documented = {
        (method, path): {int(status) for status in operation["responses"]}
        for method, path, operation in operations(document)
    }

    assert documented == STATUSES


def test_the_document_describes_all_resources_and_no_others(app: Flask, document: dict[str, Any]) -> None:
    client = app.test_client()
    served = {
        re.sub(r"<(\w+)>", r"{\1}", rule.rule)
        for rule in app.url_map.iter_rules()
        if ".api." in rule.endpoint and "unknown" not in rule.endpoint
    }

    assert served == document["paths"].keys()
    for path, methods in document["paths"].items():
        allowed = client.options(path.replace("{task_id}", UNKNOWN_ID)).headers["Allow"].split(", ")
        assert {*allowed} - {"HEAD", "OPTIONS"} == {name.upper() for name in methods} - {"PARAMETERS"}


def test_names_are_unique_and_each_reference_has_its_target(document: dict[str, Any]) -> None:
    ids = [operation["operationId"] for *_, operation in operations(document)]
    targets = {one["$ref"] for one in walk(document) if "$ref" in one}

    assert len(ids) == len(set(ids))
    for target in targets:
        assert resolve(document, target)
    names = {f"#/components/{kind}/{name}" for kind, all_ in document["components"].items() for name in all_}
    assert targets == names


def test_problems_have_their_media_type_and_other_responses_are_json(document: dict[str, Any]) -> None:
    for _, path, operation in operations(document):
        for status, response in operation["responses"].items():
            expected = {"application/problem+json"} if int(status) >= 400 else {"application/json"}
            if operation["operationId"] == "downloadArtifact" and int(status) < 400:
                expected = {"*/*"}
            if (path, status) == ("/health", "503"):
                expected = {"application/json"}
            if status in ("204", "304"):
                expected = set()
            assert response.get("content", {}).keys() == expected
            assert response["description"]


def test_the_documented_headers_are_sent(document: dict[str, Any]) -> None:
    for _, path, operation in operations(document):
        for status, response in operation["responses"].items():
            headers = response.get("headers", {}).keys()
            assert ("Location" in headers) == (status == "202")
            assert ("Retry-After" in headers) == (
                (status == "503" and path != "/health")
                or (operation["operationId"] == "showReport" and status == "200")
            )
    listed = document["paths"]["/api/reports"]["get"]["responses"]["200"]["headers"]
    assert listed.keys() == {"Link", "X-Total-Count"}


def test_limits_are_those_of_the_views(document: dict[str, Any]) -> None:
    schemas, parameters = document["components"]["schemas"], document["components"]["parameters"]
    submission = schemas["Submission"]["properties"]

    assert submission["type"]["enum"] == list(TYPES)
    assert schemas["Report"]["properties"]["title"]["maxLength"] == LONGEST_TITLE
    assert parameters["limit"]["schema"]["maximum"] == MOST_LISTED
    assert parameters["status"]["schema"]["enum"] == list(Status)


def test_the_document_is_served_without_a_broker(
    client: FlaskClient, memory_server: fakeredis.FakeServer
) -> None:
    memory_server.connected = False

    assert client.get("/openapi.json").status_code == 200
    assert client.get("/docs").status_code == 200
    assert_problem(client.get("/api/reports"), 503)


def test_each_field_of_a_report_is_described(
    client: FlaskClient, factory: ReportFactory, document: dict[str, Any]
) -> None:
    described = document["components"]["schemas"]["Report"]
    makers = (factory.request, factory.start, factory.complete, factory.fail)

    bodies = [client.get(f"/api/reports/{make()}").get_json() for make in makers]

    # Only a report that was requested with a callback has one.
    assert set[str]().union(*bodies) | {"callback"} == described["properties"].keys()
    assert set(bodies[0]).intersection(*bodies) == set(described["required"])


@pytest.mark.parametrize("prefix", ["", "/tools/reports"])
def test_the_server_is_where_it_is_mounted(client: FlaskClient, prefix: str) -> None:
    document = client.get("/openapi.json", environ_overrides={"SCRIPT_NAME": prefix}).get_json()

    assert document["servers"] == [{"url": prefix or "/"}]


def docs(client: FlaskClient) -> Element:
    response = client.get("/docs")
    assert (response.status_code, response.mimetype) == (200, "text/html")
    return parse_html(response.text)


def test_the_docs_contain_each_operation_response_parameter_and_field(
    client: FlaskClient, document: dict[str, Any]
) -> None:
    page = docs(client)

    regions = {one.attributes["aria-labelledby"]: one for one in page.find_all("section")}
    for method, path, operation in operations(document):
        region = regions[operation["operationId"]]
        assert region.get("h2").text == f"{method} {path}"
        heads = [head.text for head in region.find_all("th", scope="row")]
        assert [head for head in heads if head.isdigit()] == list(operation["responses"])
        for reference in operation.get("parameters", []):
            assert resolve(document, reference["$ref"])["name"] in heads
    for name, schema in document["components"]["schemas"].items():
        fields = {head.get("code").text for head in regions[name].find_all("th", scope="row")}
        assert fields == schema["properties"].keys()


def test_the_docs_load_nothing_from_other_sites_and_have_no_inline_scripts(client: FlaskClient) -> None:
    page = docs(client)

    for element in page.walk():
        assert element.tag not in ("script", "style", "img", "iframe", "object", "embed")
        assert not any(name.startswith("on") or name == "style" for name in element.attributes)
        for name in ("src", "href"):
            value = element.attributes.get(name, "/")
            assert value.startswith(("/", "#"))
            assert not value.startswith("//")


def test_code_within_the_words_of_the_docs_is_shown_as_such(client: FlaskClient) -> None:
    page = docs(client)

    assert "`" not in page.text
    assert "Retry-After" in [code.text for code in page.find_all("code")]


def test_markup_in_the_docs_is_text(app: Flask, services: Services) -> None:
    evil = "<script>window.evil=1</script>"
    add_services(app, Services(services.queue, {**TYPES, evil: TYPES["sales"]}))

    page = docs(app.test_client())

    assert evil in page.text
    assert page.find_all("script") == []


def test_the_links_within_the_docs_have_their_targets(client: FlaskClient) -> None:
    page = docs(client)

    ids = [element.attributes["id"] for element in page.walk() if "id" in element.attributes]
    assert len(ids) == len(set(ids))
    targets = {link.attributes["href"] for link in page.find_all("a")}
    assert {target[1:] for target in targets if target.startswith("#")} <= set(ids)
    assert "/openapi.json" in targets


def test_each_page_leads_to_the_docs(client: FlaskClient, factory: ReportFactory) -> None:
    for path in ("/", f"/reports/{factory.request()}", "/docs"):
        assert parse_html(client.get(path).text).links()["API"] == "/docs"
