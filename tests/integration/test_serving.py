"""gunicorn with our settings: what it serves, refuses and survives."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

import psutil
import pytest

from harness.broker import Broker
from harness.ports import free_port
from harness.wait import wait_until
from reports_worker import __version__
from reports_worker.domain.task_id import new_task_id
from tests.integration.serving import ROOT, SERVE, Answer, Site, serve
from tests.unit.reports_app.html_tree import parse_html

GUNICORN = (str(Path(sys.executable).with_name("gunicorn")), "reports_app:create_app()")
HTML = {"Accept": "text/html"}
MANY = 40


@pytest.fixture(scope="module")
def fragile_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A broker of this module alone, which its tests stop and start."""
    broker = Broker(tmp_path_factory.mktemp("fragile")).start()
    yield broker
    broker.stop()


@pytest.fixture(scope="module")
def site(fragile_broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with serve(fragile_broker.url, tmp_path_factory.mktemp("site")) as site:
        yield site


def run(command: tuple[str, ...], folder: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a server that is to end by itself."""
    given = {"PATH": os.environ["PATH"], "HOME": str(folder), "PORT": str(free_port()), **environ}
    return subprocess.run(
        command, cwd=ROOT, env=given, capture_output=True, text=True, timeout=30, check=False
    )


def processes_of(site: Site) -> list[psutil.Process]:
    return list(psutil.Process(site.process.pid).children(recursive=True))


@dataclass(frozen=True)
class Asking:
    """A request to be made later."""

    method: str
    path: str
    body: object = None
    headers: Mapping[str, str] = field(default_factory=lambda: HTML)


def fill_form(site: Site) -> Asking:
    """Open the page as a browser does, and fill in the form."""
    page = site.get("/", **HTML)
    token = parse_html(page.text).find_all("input", name="csrf_token")[0].attributes["value"]
    fields = urlencode({"csrf_token": token, "title": "Q4", "type": "sales"}).encode()
    cookie = page.headers["Set-Cookie"].partition(";")[0]
    form = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"}
    return Asking("POST", "/reports", fields, HTML | form)


def everything(site: Site) -> list[Asking]:
    """All that needs the broker."""
    # A part that no page has loaded: what one has loaded is shared for a second.
    paths = (
        "/",
        "/reports?partial=1&status=failed",
        "/api/reports",
        "/health",
        f"/api/reports/{new_task_id()}",
    )
    submit = Asking("POST", "/api/reports", {"title": "Q4", "type": "sales"})
    return [*(Asking("GET", path) for path in paths), submit, fill_form(site)]


def time_request(site: Site, asking: Asking) -> tuple[Answer, float]:
    begin = time.monotonic()
    answer = site.request(asking.method, asking.path, body=asking.body, **asking.headers)
    return answer, time.monotonic() - begin


def assert_all_get_503_in_time(site: Site, askings: list[Asking]) -> None:
    """Ask for all of it at once, which is more than the processes have threads for."""
    with ThreadPoolExecutor(len(askings)) as people:
        answers = list(people.map(lambda asking: time_request(site, asking), askings))
    for asking, (answer, seconds) in zip(askings, answers, strict=True):
        assert answer.status == 503, (asking, answer.text)
        assert seconds < 3, asking
        assert "Traceback" not in answer.text
    assert site.get("/alive").status == 200


def wait_until_well(site: Site) -> None:
    wait_until(lambda: site.get("/health").status == 200, what="a server that is ready")


def test_pages_files_and_api_are_served(site: Site) -> None:
    task_id = site.submit("Q4 sales")

    assert "Q4 sales" in site.get("/", **HTML).text
    assert site.get("/static/js/live.js").headers["Content-Type"].startswith("text/javascript")
    assert site.status_of(task_id) == "pending"
    assert site.get("/health").json == {"status": "healthy", "service": "report-api"}
    assert site.get("/rq/").status == 200


def test_two_processes_serve(site: Site) -> None:
    wait_until(lambda: len(processes_of(site)) == 2, what="two processes")


def test_one_line_has_the_version_and_the_address(site: Site) -> None:
    assert site.text.count(f"background-reports {__version__}") == 1
    assert f"INFO background-reports {__version__} serves {site.url}\n" in site.text


def test_each_request_is_a_line_of_its_output(site: Site) -> None:
    site.get("/api/reports?limit=7")

    wait_until(lambda: "event=request method=GET path=/api/reports status=200" in site.text)


def test_a_probe_of_http_1_0_without_a_host_is_answered(site: Site) -> None:
    with socket.create_connection(("127.0.0.1", site.port), timeout=10) as connection:
        connection.sendall(b"GET /alive HTTP/1.0\r\n\r\n")

        assert connection.recv(65536).startswith(b"HTTP/1.0 200")


def test_an_upload_of_unknown_length_is_cut_off_at_the_limit(site: Site) -> None:
    chunk = b"%x\r\n%s\r\n" % (4096, b"x" * 4096)
    head = (
        b"POST /api/reports HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", site.port), timeout=10) as connection:
        connection.sendall(head + chunk * 17)

        answer = connection.recv(65536)

    assert answer.startswith(b"HTTP/1.1 413")
    assert b"application/problem+json" in answer


def test_an_upload_of_unknown_length_within_the_limit_is_read(site: Site) -> None:
    body = b'{"title": "chunked", "type": "sales"}'
    head = (
        b"POST /api/reports HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", site.port), timeout=10) as connection:
        connection.sendall(head + b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))

        answer = connection.recv(65536)

    assert answer.startswith(b"HTTP/1.1 202")


def test_a_title_of_100_kb_is_answered_and_not_cut_off(site: Site) -> None:
    answer = site.request("POST", "/api/reports", body={"title": "x" * 100_000, "type": "sales"})

    assert answer.status == 413
    assert answer.json["status"] == 413


def test_a_broker_that_died_is_answered_with_503_until_it_is_back(site: Site, fragile_broker: Broker) -> None:
    task_id, askings = site.submit("survives"), everything(site)

    fragile_broker.kill()

    assert_all_get_503_in_time(site, askings)
    assert "Generate report" in site.get("/", **HTML).text
    fragile_broker.start()
    wait_until_well(site)
    assert site.status_of(task_id) == "pending"
    site.submit("after it")


def test_a_broker_that_hangs_is_answered_with_503_until_it_moves_again(
    site: Site, fragile_broker: Broker
) -> None:
    askings = everything(site)
    os.kill(fragile_broker.pid, signal.SIGSTOP)
    try:
        assert_all_get_503_in_time(site, (askings * MANY)[:MANY])
    finally:
        os.kill(fragile_broker.pid, signal.SIGCONT)

    # Each process finds out by itself.
    submit = everything(site)[-2]
    wait_until(lambda: time_request(site, submit)[0].status == 202, what="a report that is accepted")


def test_the_folders_own_configuration_serves_alike_and_ends_soon_and_whole_on_sigterm(
    fragile_broker: Broker, tmp_path: Path
) -> None:
    with serve(fragile_broker.url, tmp_path, command=GUNICORN, WEB_CONCURRENCY="3") as site:
        assert site.get("/health").status == 200
        wait_until(lambda: len(processes_of(site)) == 3, what="three processes")
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.2", site.port), timeout=2)
        children = processes_of(site)

        site.process.terminate()

        assert site.wait(8) == 0
        wait_until(lambda: not any(child.is_running() for child in children), seconds=2)
        assert "Traceback" not in site.text


def test_on_ipv6s_loopback_it_is_served(fragile_broker: Broker, tmp_path: Path) -> None:
    if not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    port = free_port()
    environ = {"REPORTS_HOST": "::1", "WEB_CONCURRENCY": "1"}
    site = Site(SERVE, tmp_path, port=port, BROKER_URI=fragile_broker.url, **environ)
    site.url = f"http://[::1]:{port}"
    try:
        wait_until(site.is_alive, what="the server's answer on ::1")
        assert site.get("/", **HTML).status == 200
    finally:
        site.stop()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "many"),
        # The tests of the settings have these too.
        pytest.param("WEB_CONCURRENCY", "0", marks=pytest.mark.wide),
        pytest.param("BROKER_URI", "http://x", marks=pytest.mark.wide),
        pytest.param("REPORTS_SECRET_KEY", "short", marks=pytest.mark.wide),
    ],
)
def test_a_bad_setting_is_refused_in_one_line(name: str, value: str, tmp_path: Path) -> None:
    done = run(SERVE, tmp_path, **{name: value})

    assert done.returncode == 1
    assert len((done.stdout + done.stderr).splitlines()) == 1
    assert name in done.stderr


def test_who_waits_for_a_report_when_the_server_is_told_to_end_is_answered_as_it_stands(
    fragile_broker: Broker, tmp_path: Path
) -> None:
    with (
        serve(fragile_broker.url, tmp_path, WEB_CONCURRENCY="1") as site,
        fragile_broker.client() as redis,
        ThreadPoolExecutor(2) as people,
    ):
        task_id = site.submit("waits")
        assert site.status_of(task_id) == "pending"
        redis.config_resetstat()
        asking = Asking("GET", f"/api/reports/{task_id}?wait=30", headers={})
        waiting = [people.submit(time_request, site, asking) for _ in range(2)]
        # Each reads the report when it comes, when it waits, and when somebody listens for it.
        wait_until(
            lambda: redis.info("commandstats").get("cmdstat_evalsha", {}).get("calls", 0) >= 5,
            what="two who wait",
        )

        begin = time.monotonic()
        site.process.terminate()
        answers = [future.result(20)[0] for future in waiting]
        code = site.wait()

        assert time.monotonic() - begin < 8
        assert code == 0
        assert [(answer.status, answer.json["status"]) for answer in answers] == [(200, "pending")] * 2
        assert all(int(answer.headers["Retry-After"]) > 0 for answer in answers)
        assert "Traceback" not in site.text
