"""Markup that users type is text everywhere, and no page holds a script or a style of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import fakeredis
import jinja2
import pytest
from flask import Flask
from flask.testing import FlaskClient

from reports_app.blueprint import find_folder
from reports_app.rq_dashboard import PREFIX
from tests.unit.reports_app.full_reports import fill
from tests.unit.reports_app.html_tree import Element, parse_html
from tests.unit.reports_app.report_factory import UNKNOWN_ID, ReportFactory

EVIL = """<script>window.evil=1</script><img src=x onerror="window.evil=1">'">{{7*7}}&amp;"""
TEMPLATES = sorted(path.name for path in (find_folder("templates") / "reports").iterdir())


def assert_harmless(text: str) -> Element:
    """Make sure that nothing of `EVIL` became an element or an attribute."""
    page = assert_figures_only(text)
    assert not page.find_all("img")
    return page


def assert_figures_only(text: str) -> Element:
    """Make sure of the same where the page has pictures of its own."""
    page = parse_html(text)
    for element in page.walk():
        assert "onerror" not in element.attributes
        assert element.attributes.get("src", "/").startswith("/")
    assert all("evil" not in script.text for script in page.find_all("script"))
    return page


@pytest.mark.parametrize("view", ["/", "/reports", "/reports?partial=1"])
def test_markup_in_title_figures_stage_and_error_is_text(
    client: FlaskClient, factory: ReportFactory, view: str
) -> None:
    factory.request(EVIL)
    factory.start(EVIL, percent=1, stage=EVIL)
    factory.complete(EVIL, figures={EVIL: EVIL, "processing_time": EVIL})
    factory.fail(EVIL, error=EVIL)

    page = assert_harmless(client.get(view).text)

    assert [heading.text for heading in page.find_all("h3")] == [EVIL] * 4
    assert page.get("dd").text == EVIL
    assert EVIL in page.get("p", class_="error").text
    assert page.get("progress").attributes["aria-label"] == f"Progress of {EVIL}"


@pytest.mark.parametrize("query", ["", "?partial=1"])
def test_markup_on_the_page_of_a_report_is_text(
    client: FlaskClient, factory: ReportFactory, query: str
) -> None:
    ids = [
        factory.request(EVIL),
        factory.start(EVIL, percent=1, stage=EVIL),
        factory.complete(EVIL, figures={EVIL: EVIL, "processing_time": EVIL}),
        factory.fail(EVIL, error=EVIL),
        factory.request(EVIL, callback_url=f"https://hooks.example.com/{EVIL}"),
    ]

    for task_id in ids:
        page = assert_harmless(client.get(f"/reports/{task_id}{query}").text)
        assert page.get("h1").text == EVIL
        assert [title.text for title in page.find_all("title")] == ([] if query else [EVIL])


@pytest.mark.parametrize("query", ["", "?partial=1"])
def test_markup_in_tables_charts_and_files_is_text(
    client: FlaskClient, factory: ReportFactory, tmp_path: Path, query: str
) -> None:
    task_id = factory.complete(EVIL, outcome=fill(tmp_path, EVIL))

    page = assert_figures_only(client.get(f"/reports/{task_id}{query}").text)

    assert [heading.text for heading in page.find_all("h2")].count(EVIL) == 4
    assert [image.attributes["alt"] for image in page.find_all("img")] == [
        f"Chart: {EVIL}. The same data follow as a table."
    ]
    assert [note.text for note in page.find_all("p", class_="notice cut")].count(EVIL) == 2
    assert EVIL in [cell.text for cell in page.find_all("td")]


def test_markup_in_a_search_is_text(client: FlaskClient, factory: ReportFactory) -> None:
    factory.request()

    page = assert_harmless(client.get("/", query_string={"q": EVIL, "type": EVIL, "status": EVIL}).text)

    assert page.get("input", name="q").attributes["value"] == EVIL


def test_markup_in_a_reason_and_a_type_is_text(client: FlaskClient, factory: ReportFactory) -> None:
    task_id = factory.fail()
    factory.connection.hset(f"rq:job:{task_id}", mapping={"reason": EVIL, "type": EVIL})

    page = assert_harmless(client.get("/").text)

    assert page.get("code").text == EVIL
    assert page.get("span", class_="type").text == EVIL


def test_markup_in_form_input_is_text(client: FlaskClient) -> None:
    response = client.post("/reports", data={"title": EVIL, "type": EVIL})

    assert assert_harmless(response.text).get("input", name="title").attributes["value"] == EVIL


def test_markup_in_the_message_is_text(client: FlaskClient) -> None:
    token = parse_html(client.get("/").text).form_to("/reports").hidden_fields()
    client.post("/reports", data=token | {"title": EVIL, "type": "sales"})

    assert EVIL in assert_harmless(client.get("/").text).get("p", role="status").text


@pytest.mark.parametrize("path", ["/<script>window.evil=1</script>", "/static/<img src=x onerror=1>"])
def test_markup_in_an_address_is_text(product_client: FlaskClient, path: str) -> None:
    response = product_client.get(path, headers={"Accept": "text/html"})

    assert (response.status_code, response.mimetype) == (404, "text/html")
    assert_harmless(response.text)


def test_markup_in_json_has_a_media_type_that_no_browser_renders(
    client: FlaskClient, factory: ReportFactory
) -> None:
    factory.request(EVIL)
    for path in ("/api/reports", f"/api/reports/{EVIL}", f"/api/reports?limit={EVIL}"):
        response = client.get(path, headers={"Accept": "text/html"})

        assert response.mimetype in ("application/json", "application/problem+json")
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        json.loads(response.text)


def pages_of(
    product: Flask, server: fakeredis.FakeServer, factory: ReportFactory, folder: Path
) -> Iterator[str]:
    """Every page, with reports in every status."""
    client = product.test_client()
    yield client.get(f"/reports/{factory.complete(outcome=fill(folder, 'Q4'))}").text
    yield client.get("/types").text
    yield client.get("/").text
    for make in (factory.request, factory.start, factory.complete, factory.fail):
        task_id = make()
        yield client.get(f"/reports/{task_id}").text
        yield client.get(f"/reports/{task_id}?partial=1").text
    yield client.get(f"/reports/{factory.request(callback_url='https://hooks.example.com/x')}").text
    yield client.get("/").text
    yield client.get("/?q=Q4&status=failed&type=sales").text
    yield client.get("/?q=nothing").text
    yield client.get("/docs").text
    yield client.post(f"/reports/{task_id}/cancel").text
    yield client.get(f"/reports/{UNKNOWN_ID}").text
    yield client.get("/reports").text
    yield client.get("/reports?partial=1").text
    yield client.post("/reports", data={}).text
    yield client.get("/nothing", headers={"Accept": "text/html"}).text
    yield client.delete("/", headers={"Accept": "text/html"}).text
    yield client.get(f"{PREFIX}/", headers={"Accept": "text/html", "Via": "x"}).text
    server.connected = False
    yield client.get("/").text
    yield client.get("/reports").text


def test_no_page_has_a_script_a_style_or_a_handler_within(
    product: Flask, memory_server: fakeredis.FakeServer, factory: ReportFactory, tmp_path: Path
) -> None:
    for text in pages_of(product, memory_server, factory, tmp_path):
        page = parse_html(text)
        for element in page.walk():
            assert not any(name.startswith("on") or name == "style" for name in element.attributes)
            assert not any(value.startswith("javascript:") for value in element.attributes.values())
            assert element.tag != "style"
            if element.tag == "script":
                assert element.attributes["src"].startswith("/static/")
                assert element.text == ""


def test_every_template_is_rendered_by_these_pages(
    product: Flask, memory_server: fakeredis.FakeServer, factory: ReportFactory, tmp_path: Path
) -> None:
    loader = product.jinja_env.loader
    assert loader is not None

    for _ in pages_of(product, memory_server, factory, tmp_path):
        pass

    assert product.jinja_env.undefined is jinja2.StrictUndefined
    cache = product.jinja_env.cache
    assert cache is not None
    rendered = {Path(name).name for _, name in cache.keys() if name.startswith("reports/")}  # noqa: SIM118
    assert rendered == set(TEMPLATES)


def test_everything_that_a_page_loads_exists(client: FlaskClient) -> None:
    page = parse_html(client.get("/").text)

    addresses = [element.attributes["href"] for element in page.find_all("link")]
    addresses += [element.attributes["src"] for element in page.find_all("script")]
    assert len(addresses) == 5
    for address in addresses:
        with client.get(address) as response:
            assert response.status_code == 200
