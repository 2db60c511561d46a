"""What a page of another site, in Chromium, can do to reports, and that our own pages still can."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Browser, Page, Request, expect

from harness.broker import Broker
from reports_worker import ReportQueue, Status
from tests.integration.browsing import Window, browse
from tests.integration.serving import Site, serve
from tests.unit.reports_app.report_factory import ReportFactory

# A name that only the browser of these tests can resolve.
NAME = "reports.test"


class OtherSite:
    """A server on another port of localhost, whose one page is written by a test."""

    def __init__(self) -> None:
        other = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                for cookie in other.cookies:
                    self.send_header("Set-Cookie", cookie)
                self.end_headers()
                self.wfile.write(other.page.encode())

            def log_message(self, *_: object) -> None:
                pass

        self.page = ""
        self.cookies: list[str] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def write_form(self, action: str, **fields: str) -> None:
        """Write a form that a button sends to `action`."""
        inputs = "".join(
            f'<input type="hidden" name="{name}" value="{escape(value)}">' for name, value in fields.items()
        )
        self.page = (
            f'<form method="post" action="{action}">{inputs}<button type="submit">Free prize</button></form>'
        )


@pytest.fixture
def other_site() -> Iterator[OtherSite]:
    site = OtherSite()
    yield site
    site.server.shutdown()
    site.server.server_close()


@pytest.fixture(scope="module")
def site(session_broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    environ = {"REPORTS_ALLOWED_HOSTS": NAME, "WEB_CONCURRENCY": "1"}
    with serve(session_broker.url, tmp_path_factory.mktemp("site"), **environ) as site:
        yield site


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browse(f"--host-resolver-rules=MAP {NAME} 127.0.0.1") as browser:
        yield browser


@pytest.fixture
def page(window: Window) -> Iterator[Page]:
    with window.lend() as page:
        yield page
        # What is refused is a cause for complaint in itself.
        window.complaints.clear()


@pytest.fixture
def queue(broker: Broker) -> Iterator[ReportQueue]:
    with broker.client() as client:
        yield ReportQueue(client, timeout=timedelta(hours=1))


@pytest.fixture
def factory(queue: ReportQueue) -> ReportFactory:
    return ReportFactory(queue.connection, queue)


def press(page: Page, other_site: OtherSite) -> None:
    """Open the other site on localhost, press its button, and see the answer."""
    page.goto(f"http://localhost:{other_site.port}/")
    page.get_by_role("button", name="Free prize").click()


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1"])
@pytest.mark.parametrize("action", ["cancel", "retry"])
def test_a_form_of_another_port_changes_nothing_by_the_api(
    page: Page,
    site: Site,
    other_site: OtherSite,
    queue: ReportQueue,
    factory: ReportFactory,
    *,
    name: str,
    action: str,
) -> None:
    task_id = factory.request() if action == "cancel" else factory.fail()
    before = queue.find(task_id)
    other_site.write_form(f"http://{name}:{site.port}/api/reports/{task_id}/{action}")

    press(page, other_site)

    expect(page.locator("body")).to_contain_text(f"only pages of {name}:{site.port} may change reports")
    assert queue.find(task_id) == before


@pytest.mark.parametrize("action", ["submit", "cancel", "delete"])
def test_a_form_with_a_cookie_and_token_that_the_other_port_planted_changes_nothing(
    page: Page, site: Site, other_site: OtherSite, queue: ReportQueue, factory: ReportFactory, *, action: str
) -> None:
    """Cookies know no ports, so a page of another port can plant a session that it fetched itself."""
    task_id = factory.request()
    attacker = site.get("/", Accept="text/html")
    token = attacker.text.partition('name="csrf_token" type="hidden" value="')[2].partition('"')[0]
    assert token
    other_site.cookies = [attacker.headers["Set-Cookie"]]
    path = "/reports" if action == "submit" else f"/reports/{task_id}/{action}"
    other_site.write_form(
        f"http://localhost:{site.port}{path}", csrf_token=token, title="tossed", type="sales", formats=""
    )

    press(page, other_site)

    expect(page.get_by_role("main")).to_contain_text(f"only pages of localhost:{site.port} may change")
    assert [(one.task_id, one.status) for one in queue.list(limit=5).reports] == [(task_id, Status.PENDING)]


def test_a_script_of_another_port_changes_nothing(
    page: Page, site: Site, other_site: OtherSite, queue: ReportQueue, factory: ReportFactory
) -> None:
    task_id = factory.request()
    other_site.page = "<p>nothing to see</p>"
    page.goto(f"http://localhost:{other_site.port}/")

    page.evaluate(
        "url => fetch(url, {method: 'POST', mode: 'no-cors', credentials: 'include'})",
        f"http://localhost:{site.port}/api/reports/{task_id}/cancel",
    )

    report = queue.find(task_id)
    assert report is not None
    assert report.status is Status.PENDING


def test_our_own_forms_send_where_they_come_from_and_work(
    page: Page, site: Site, queue: ReportQueue, factory: ReportFactory
) -> None:
    task_id, sent = factory.request("to be cancelled"), list[Request]()
    page.on("request", lambda request: sent.append(request) if request.method == "POST" else None)

    page.goto(f"http://localhost:{site.port}/")
    page.get_by_role("textbox", name="Title").fill("asked in the browser")
    page.get_by_role("button", name="Generate report").click()
    expect(page.get_by_role("status")).to_contain_text("Report generation started")
    page.goto(f"http://localhost:{site.port}/reports/{task_id}")
    buttons = ["Cancel", "Retry", "Cancel", "Delete"]
    answers = ["Report cancelled", "Report generation started", "Report cancelled", "Report deleted"]
    for button, answer in zip(buttons, answers, strict=True):
        if button == "Delete":
            page.locator("summary").filter(has_text="Delete").click()
        page.get_by_role("button", name=button).click()
        expect(page.get_by_role("status")).to_contain_text(answer)

    # Our Referrer-Policy, same-origin, keeps the Origin of our own requests.
    assert [one.all_headers()["origin"] for one in sent] == [f"http://localhost:{site.port}"] * 5
    assert [one.title for one in queue.list(limit=5).reports] == ["asked in the browser"]


def test_by_plain_http_and_a_name_browsers_say_the_origin_alone_and_it_is_the_same(
    page: Page, site: Site, other_site: OtherSite, factory: ReportFactory
) -> None:
    """Such an address is not trustworthy to a browser, so no Sec-Fetch-Site is sent to it."""
    task_id, sent = factory.request("to be cancelled"), list[Request]()
    page.on("request", lambda request: sent.append(request) if request.method == "POST" else None)
    other_site.write_form(f"http://{NAME}:{site.port}/api/reports/{task_id}/cancel")
    page.goto(f"http://{NAME}:{other_site.port}/")
    page.get_by_role("button", name="Free prize").click()
    expect(page.locator("body")).to_contain_text(f"only pages of {NAME}:{site.port} may change reports")

    page.goto(f"http://{NAME}:{site.port}/reports/{task_id}")
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("status")).to_contain_text("Report cancelled")

    assert ["sec-fetch-site" in one.all_headers() for one in sent] == [False, False]
