"""The form of a type with parameters: its fields, their input, and the resulting report."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from reports_app.services.container import Services, add_services
from reports_worker import FORMATS, TYPES, Report, ReportQueue
from reports_worker.parameters import Choice
from tests.every_kind import EVERY_KIND, QUARTER
from tests.unit.reports_app.html_tree import Element, parse_html
from tests.unit.reports_app.pages.test_form import messages_for
from tests.unit.reports_app.report_factory import ReportFactory

EXPLICIT_DAYS = {
    "parameters-period-preset": "",
    "parameters-period-from": "2026-04-01",
    "parameters-period-to": "2026-06-30",
}


@pytest.fixture
def client(app: Flask, queue: ReportQueue) -> FlaskClient:
    add_services(app, Services(queue, {**TYPES, "everything": EVERY_KIND}))
    return app.test_client()


def open_page(client: FlaskClient, path: str = "/?ask=everything") -> Element:
    return parse_html(client.get(path).text)


def form_of(page: Element) -> Element:
    return page.form_to("/reports")


def values_of(form: Element) -> dict[str, list[str]]:
    """The fields that a browser would send."""
    sent: dict[str, list[str]] = {}
    for control in form.walk():
        given = control.attributes
        if control.tag == "select":
            chosen = [option for option in control.find_all("option") if "selected" in option.attributes]
            first = (chosen or control.find_all("option"))[0]
            sent.setdefault(given["name"], []).append(first.attributes["value"])
        elif control.tag == "input" and (given["type"] != "checkbox" or "checked" in given):
            sent.setdefault(given["name"], []).append(given.get("value", ""))
    return sent


def send(client: FlaskClient, path: str = "/?ask=everything", **changes: Any) -> Any:
    """Open the form, change some fields, and send it."""
    fields = values_of(form_of(open_page(client, path))) | {"title": ["Q4"]}
    fields |= {name.replace("__", "-"): value for name, value in changes.items()}
    return client.post("/reports", data=fields)


def newest(queue: ReportQueue) -> Report:
    return queue.list().reports[0]


def control(page: Element, label: str) -> Element:
    """Find a control by its label."""
    target = form_of(page).get("label", for_=label_target(page, label)).attributes["for"]
    (found,) = (one for one in page.walk() if one.attributes.get("id") == target)
    return found


def label_target(page: Element, label: str) -> str:
    (found,) = (one for one in form_of(page).find_all("label") if one.text == label)
    return found.attributes["for"]


def group(page: Element, legend: str) -> Element:
    """Find a group of controls by its legend."""
    (found,) = (one for one in form_of(page).find_all("fieldset") if one.get("legend").text == legend)
    return found


def test_each_parameter_has_a_field_with_label_help_limits_and_default(client: FlaskClient) -> None:
    page = open_page(client)

    note, top, share, since = (control(page, name) for name in ("Note", "Products", "Share", "Since"))
    assert (note.attributes["maxlength"], note.attributes["type"]) == ("40", "text")
    assert messages_for(page, note) == "What the report says on top."
    assert [top.attributes[name] for name in ("type", "min", "max", "value")] == ["number", "1", "100", "10"]
    assert messages_for(page, top) == "If left empty: 10."
    assert share.attributes["step"] == "any"
    assert (since.attributes["type"], since.attributes["value"]) == ("date", "")
    assert messages_for(page, since) == "If left empty: today."
    regions = control(page, "Region").find_all("option")
    assert [option.text for option in regions] == ["Europe", "United States", "7"]
    assert "selected" in regions[0].attributes


def test_several_choices_are_boxes_in_a_group_with_a_name(client: FlaskClient) -> None:
    boxes = group(open_page(client), "Channels")

    ticked = [box.attributes["value"] for box in boxes.find_all("input") if "checked" in box.attributes]
    assert [label.text for label in boxes.find_all("label")] == ["Web", "Shops", "Telephone"]
    assert ticked == ["web"]


def test_a_period_is_a_name_or_two_days(client: FlaskClient) -> None:
    page = open_page(client)
    period = group(page, "Period")

    assert [label.text for label in period.find_all("label")] == ["Period", "First day", "Last day"]
    (chosen,) = (option for option in period.find_all("option") if "selected" in option.attributes)
    assert (chosen.attributes["value"], chosen.text) == ("last_quarter", "Last quarter")
    assert messages_for(page, period) == "Whole days."


def test_the_typed_values_are_requested(client: FlaskClient, queue: ReportQueue) -> None:
    response = send(
        client,
        parameters__note="'; DROP TABLE orders; --",
        parameters__top="7",
        parameters__share="0.25",
        parameters__net=[""],
        parameters__region="7",
        parameters__shop="12",
        parameters__channels=["phone", "web", ""],
        parameters__since="2026-01-02",
        formats=["csv", ""],
        **EXPLICIT_DAYS,
    )

    assert response.status_code == 303
    assert newest(queue).parameters == {
        "note": "'; DROP TABLE orders; --",
        "top": 7,
        "share": 0.25,
        "net": False,
        "region": 7,
        "shop": "12",
        "channels": ["web", "phone"],
        "since": "2026-01-02",
        "period": QUARTER,
    }
    assert newest(queue).formats == ("csv",)


def test_an_unchanged_form_requests_the_defaults(client: FlaskClient, queue: ReportQueue) -> None:
    send(client)

    parameters = newest(queue).parameters
    assert (parameters["top"], parameters["net"], parameters["channels"]) == (10, True, ["web"])
    assert parameters["period"]["preset"] == "last_quarter"
    assert newest(queue).formats == ("csv", "pdf")


def test_no_box_ticked_is_no_choice_and_no_files(client: FlaskClient, queue: ReportQueue) -> None:
    send(client, parameters__channels=[""], formats=[""])

    assert (newest(queue).parameters["channels"], newest(queue).formats) == ([], ())


def test_invalid_fields_show_their_errors_and_keep_their_input(
    client: FlaskClient, queue: ReportQueue
) -> None:
    response = send(
        client,
        parameters__note="<b>" + "x" * 40,
        parameters__top="many",
        parameters__share="2",
        parameters__channels=["web", "fax", ""],
        parameters__since="2026-02-30",
        max_age="soon",
        **EXPLICIT_DAYS | {"parameters-period-to": "2026-03-31"},
    )

    page = parse_html(response.text)
    assert (response.status_code, queue.list().total) == (400, 0)
    for label, words, typed in [
        ("Note", "0 to 40 characters", "<b>" + "x" * 40),
        ("Products", "from 1 to 100", "many"),
        ("Share", "from 0 to 1", "2"),
        ("Since", "such as 2026-07-01", "2026-02-30"),
        ("First day", "", "2026-04-01"),
    ]:
        found = control(page, label)
        assert found.attributes["value"] == typed
        if words:
            assert found.attributes["aria-invalid"] == "true"
            assert words in messages_for(page, found)
    for legend, words in [("Channels", "web, shop, phone"), ("Period", "must not end before it begins")]:
        assert group(page, legend).attributes["aria-invalid"] == "true"
        assert words in messages_for(page, group(page, legend))
    assert "1 to 2592000" in messages_for(page, page.get("select", id="max_age"))
    assert "open" in page.get("details", class_="more").attributes
    assert "aria-invalid" not in control(page, "Region").attributes


def test_a_period_by_name_and_by_days_is_refused(client: FlaskClient, queue: ReportQueue) -> None:
    response = send(client, **EXPLICIT_DAYS | {"parameters-period-preset": "last_month"})

    page = parse_html(response.text)
    assert (response.status_code, queue.list().total) == (400, 0)
    assert "not both" in messages_for(page, group(page, "Period"))


def test_half_of_a_period_is_refused(client: FlaskClient) -> None:
    response = send(client, **EXPLICIT_DAYS | {"parameters-period-to": ""})

    page = parse_html(response.text)
    assert "a first and a last day" in messages_for(page, group(page, "Period"))


def test_without_scripts_a_type_is_chosen_by_a_link(client: FlaskClient) -> None:
    links = open_page(client, "/").links()

    page = open_page(client, links["Everything"])

    assert values_of(form_of(page))["type"] == ["everything"]
    assert control(page, "Products")


def test_a_type_whose_fields_were_not_shown_is_shown_again_with_its_fields(
    client: FlaskClient, queue: ReportQueue
) -> None:
    response = send(client, "/?ask=sales", type="everything")

    page = parse_html(response.text)
    assert (response.status_code, queue.list().total) == (400, 0)
    assert "These are the fields" in " ".join(alert.text for alert in page.find_all("p", role="alert"))
    assert control(page, "Products").attributes["value"] == "10"
    again = client.post("/reports", data=values_of(form_of(page)))
    assert (again.status_code, newest(queue).title) == (303, "Q4")


def test_input_for_another_type_is_ignored(client: FlaskClient, queue: ReportQueue) -> None:
    response = send(client, type="sales", parameters__top="many")

    assert response.status_code == 303
    assert (newest(queue).type, newest(queue).parameters) == ("sales", {})


@pytest.mark.parametrize("path", ["/?ask=weather", "/?ask=", "/?ask=%ff"])
def test_an_unknown_type_shows_the_first_type(client: FlaskClient, path: str) -> None:
    assert values_of(form_of(open_page(client, path)))["type"] == ["sales"]


def test_the_part_for_the_script_equals_the_content_of_the_page(client: FlaskClient) -> None:
    part = parse_html(client.get("/?partial=1&ask=everything").text)
    place = form_of(open_page(client)).get("div", class_="fields")

    assert [one.attributes for one in part.walk()][1:] == [one.attributes for one in place.walk()][1:]


def submit(client: FlaskClient, parameters: dict[str, Any], formats: list[str]) -> str:
    body = {"title": 'Q4 "x"', "type": "everything", "parameters": parameters, "formats": formats}
    return str(client.post("/api/reports", json=body).get_json()["task_id"])


GIVEN = {"note": 'a "b" <c>', "net": False, "region": "US", "channels": ["shop"], "shop": 5, "share": 0.5}


def test_edit_and_run_fills_the_form_with_a_reports_own(client: FlaskClient, queue: ReportQueue) -> None:
    task_id = submit(client, {**GIVEN, "period": QUARTER}, ["xlsx"])
    link = parse_html(client.get(f"/reports/{task_id}").text).links()["Edit and run"]

    page = open_page(client, link)

    assert page.get("input", id="title").attributes["value"] == 'Q4 "x"'
    assert control(page, "First day").attributes["value"] == "2026-04-01"
    client.post("/reports", data=values_of(form_of(page)))
    first, second = queue.list().reports[::-1]
    assert (second.title, second.type, second.formats) == (first.title, first.type, first.formats)
    # The form sends text, since the options of this parameter are unknown.
    assert second.parameters == {**first.parameters, "shop": "5"}


@pytest.mark.parametrize("task_id", ["7", "0190a2b4-5c6d-7000-8000-00000000abcd"])
def test_edit_and_run_of_an_unknown_report_shows_an_error(client: FlaskClient, task_id: str) -> None:
    page = open_page(client, f"/?from={task_id}")

    assert "There is no report" in page.get("p", role="alert").text
    assert form_of(page)


def test_run_again_requests_the_same_and_resolves_presets_again(
    client: FlaskClient, queue: ReportQueue, factory: ReportFactory
) -> None:
    task_id = submit(client, {**GIVEN, "period": {"preset": "last_quarter"}}, ["xlsx"])
    stale = '{"preset": "last_quarter", "from": "2020-01-01", "to": "2020-03-31"}'
    original = queue.find(task_id)
    assert original is not None
    factory.connection.hset(
        f"rq:job:{task_id}",
        "parameters",
        '{"region": "US", "channels": [], "net": false, "period": ' + stale + "}",
    )
    page = parse_html(client.get(f"/reports/{task_id}").text)

    response = client.post("/reports", data=values_of(form_of(page)))

    again = newest(queue)
    assert (response.status_code, again.formats) == (303, ("xlsx",))
    assert (again.parameters["region"], again.parameters["channels"]) == ("US", [])
    assert again.parameters["net"] is False
    assert again.parameters["period"] == original.parameters["period"]


def test_a_report_of_a_type_that_is_gone_can_still_be_seen(app: Flask, queue: ReportQueue) -> None:
    add_services(app, Services(queue, {"everything": EVERY_KIND}))
    client = app.test_client()
    task_id = submit(client, {"period": QUARTER}, [])
    add_services(app, Services(queue, TYPES))

    assert "2026-04-01" in client.get(f"/reports/{task_id}").text
    assert values_of(form_of(open_page(client, f"/?from={task_id}")))["type"] == ["sales"]


def test_the_page_of_a_report_shows_its_parameters(client: FlaskClient) -> None:
    task_id = submit(client, {**GIVEN, "period": QUARTER}, [])

    page = parse_html(client.get(f"/reports/{task_id}").text)

    shown = dict(
        zip([one.text for one in page.find_all("dt")], [one.text for one in page.find_all("dd")], strict=True)
    )
    assert shown["Period"] == "2026-04-01 to 2026-06-30"
    assert (shown["Region"], shown["Net of tax"], shown["Note"]) == ("United States", "no", 'a "b" <c>')


def test_an_earlier_report_serves_and_is_shown(client: FlaskClient, queue: ReportQueue) -> None:
    send(client)
    first = newest(queue).task_id

    response = send(client, max_age="3600")

    assert (response.status_code, response.headers["Location"]) == (303, f"/reports/{first}")
    page = parse_html(client.get(f"/reports/{first}").text)
    assert page.get("p", role="status").text == "An earlier report serves"
    assert queue.list().total == 1


def test_options_that_a_query_found_are_a_list(app: Flask, queue: ReportQueue) -> None:
    shops = Choice(name="shop", query="SELECT", required=True).with_options([(1, "Prague"), (2, "<b>Brno")])
    changed = type(EVERY_KIND)("shops", "Shops", parameters=(shops,))
    add_services(app, Services(queue, {"shops": changed}))
    page = open_page(app.test_client(), "/")

    options = control(page, "Shop").find_all("option")

    assert [option.text for option in options] == ["Choose one", "Prague", "<b>Brno"]
    assert "required" in control(page, "Shop").attributes


def test_the_files_that_a_type_leaves_are_ticked(client: FlaskClient) -> None:
    for path, ticked in [("/?ask=everything", ["csv", "pdf"]), ("/?ask=sales", list(FORMATS))]:
        boxes = group(open_page(client, path), "Files").find_all("input", type="checkbox")

        assert [box.attributes["value"] for box in boxes if "checked" in box.attributes] == ticked
