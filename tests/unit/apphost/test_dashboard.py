"""The dashboard needs the token and a loopback host name, and changes nothing on GET."""

from __future__ import annotations

import re
import socket
import sys
import urllib.error
import urllib.request
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

import pytest
from flask.testing import FlaskClient
from jinja2 import StrictUndefined

from apphost.dashboard import start
from apphost.dashboard.app import create_dashboard
from apphost.logs.console import Console
from apphost.logs.console_log import SecretMask
from apphost.logs.line_writer import LineWriter
from apphost.model.resources import Kind, Resource
from apphost.supervision.health import Health
from apphost.supervision.instance import Instance, Launch
from apphost.supervision.snapshots import State
from apphost.supervision.supervisor import Supervisor
from harness.ports import free_port

PORT, TOKEN = 18888, "a-token-of-the-test"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


class RecordingSupervisor(Supervisor):
    """Records the requested actions."""

    asked: list[tuple[str, str]]

    def ask(self, name: str, action: str) -> None:
        self.asked.append((name, str(action)))


class LocalClient(FlaskClient):
    """Sends requests to the address that the apphost prints, unless a test gives another."""

    def open(self, *arguments: Any, **options: Any) -> Any:
        options.setdefault("base_url", f"http://localhost:{PORT}")
        return super().open(*arguments, **options)


@pytest.fixture
def supervisor() -> RecordingSupervisor:
    instances = [
        Instance(
            "broker", Resource("broker", Kind.REDIS), has_probe=True, endpoints=("tcp://localhost:6379",)
        ),
        Instance(
            "api", Resource("api", Kind.PYTHON_MODULE, (sys.executable,)), True, ("http://localhost:8000",)
        ),
        Instance("worker-1", Resource("worker", Kind.EXECUTABLE, replicas=2), has_probe=False),
        Instance("worker-2", Resource("worker", Kind.EXECUTABLE, replicas=2), has_probe=False),
        Instance("outside", Resource("outside", Kind.CONNECTION_STRING), has_probe=True),
    ]
    instances[0].state, instances[0].health = State.RUNNING, Health(figures={"clients": "3"})
    instances[1].state, instances[1].health = State.RUNNING, Health("GET /health answered 503")
    instances[2].state, instances[2].exit_code = State.FAILED_TO_START, 1
    instances[2].log.add("<b>last words</b>", datetime.now(UTC))
    instances[3].waiting_for = ("broker",)
    supervisor = RecordingSupervisor(
        instances,
        {instance.name: Launch((), {}) for instance in instances},
        mask=SecretMask([TOKEN]),
        console=Console(LineWriter(None)),
        remember=lambda _: None,
    )
    supervisor.asked = []
    now = datetime.now(UTC)
    supervisor.events.add_line("api", 'event=request method=GET path="/<i>" status=200 ms=1 task_id=x', now)
    supervisor.events.add_line("worker-1", 'event=task task_id=x type=sales stage="<i>up" seconds=1', now)
    return supervisor


@pytest.fixture
def client(supervisor: Supervisor) -> FlaskClient:
    app = create_dashboard(supervisor, port=PORT, token=TOKEN)
    app.jinja_env.undefined = StrictUndefined
    app.test_client_class = LocalClient
    return app.test_client()


@pytest.fixture
def logged_in(client: FlaskClient) -> FlaskClient:
    assert client.get(f"/login?t={TOKEN}").status_code == 303
    return client


def test_a_stranger_sees_the_login_alone(client: FlaskClient) -> None:
    page, data = client.get("/"), client.get("/api/resources")

    assert page.status_code == data.status_code == 401
    assert 'name="t"' in page.text
    assert "broker" not in page.text
    assert data.mimetype == "application/problem+json"
    assert data.json is not None
    assert (data.json["status"], data.json["title"]) == (401, "Unauthorized")


def test_the_token_logs_in_and_its_cookie_is_not_the_token(client: FlaskClient) -> None:
    answer = client.post("/login", data={"t": TOKEN})

    assert (answer.status_code, answer.location) == (303, "/")
    assert {"HttpOnly", "SameSite=Strict"} <= set(answer.headers["Set-Cookie"].split("; "))
    assert TOKEN not in answer.headers["Set-Cookie"]
    assert client.get("/").status_code == 200


def test_a_wrong_token_does_not_log_in(client: FlaskClient) -> None:
    answer = client.post("/login", data={"t": "wrong"})

    assert answer.status_code == 401
    assert "The token is wrong" in answer.text
    assert client.get("/").status_code == 401


@pytest.mark.parametrize("header", ["Bearer wrong", "Basic " + TOKEN, TOKEN, "Bearer", ""])
def test_another_authorization_is_refused(client: FlaskClient, header: str) -> None:
    assert client.get("/api/resources", headers={"Authorization": header}).status_code == 401


@pytest.mark.parametrize(
    "host", ["evil.example:18888", "localhost", "localhost:8000", "127.0.0.1.evil:18888"]
)
def test_another_host_name_is_refused(client: FlaskClient, host: str) -> None:
    answer = client.get("/api/resources", headers=BEARER, base_url=f"http://{host}")

    assert answer.status_code == 403


@pytest.mark.parametrize("host", ["127.0.0.1:18888", "[::1]:18888"])
def test_each_name_of_loopback_is_allowed(client: FlaskClient, host: str) -> None:
    assert client.get("/api/resources", headers=BEARER, base_url=f"http://{host}").status_code == 200


def test_a_page_of_another_origin_is_refused(client: FlaskClient) -> None:
    headers = BEARER | {"Origin": "http://localhost:8000"}

    assert client.post("/api/resources/api/stop", headers=headers).status_code == 403


def test_resources_are_told_as_json(client: FlaskClient) -> None:
    body = client.get("/api/resources", headers=BEARER).json

    assert body is not None
    broker, api, first, second, outside = body["resources"]
    assert (broker["state"], broker["health"], broker["figures"]) == ("Running", "Healthy", {"clients": "3"})
    assert (api["health"], api["problem"]) == ("Unhealthy", "GET /health answered 503")
    assert (first["resource"], first["last_lines"], first["exit_code"]) == (
        "worker",
        ["<b>last words</b>"],
        1,
    )
    assert second["waiting_for"] == ["broker"]
    assert outside["actions"] == []


def test_logs_can_be_followed(client: FlaskClient) -> None:
    first = client.get("/api/resources/worker-1/logs", headers=BEARER).json
    rest = client.get("/api/resources/worker-1/logs?after=1&limit=5", headers=BEARER).json

    assert first is not None
    assert first["last"] == 1
    assert first["lines"][0]["text"] == "<b>last words</b>"
    assert rest == {"lines": [], "last": 1}


def test_requests_and_tasks_are_told_as_json(client: FlaskClient) -> None:
    requests = client.get("/api/requests", headers=BEARER).json
    tasks = client.get("/api/tasks", headers=BEARER).json

    assert requests is not None
    assert tasks is not None
    assert requests["requests"][0]["path"] == "/<i>"
    assert tasks["tasks"][0]["stage"] == "<i>up"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/resources/nobody/logs", 404),
        ("/api/resources/api/logs?after=x", 400),
        ("/api/resources/api/logs?limit=-1", 400),
        ("/api/nothing", 404),
        ("/api/resources/api/stop", 405),
    ],
)
def test_an_invalid_request_gets_problem_details(client: FlaskClient, path: str, status: int) -> None:
    answer = client.get(path, headers=BEARER)

    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
    assert answer.json is not None
    assert answer.json["detail"]


def test_commands_go_to_one_or_to_all_replicas(client: FlaskClient, supervisor: RecordingSupervisor) -> None:
    one = client.post("/api/resources/worker-2/restart", headers=BEARER)
    both = client.post("/api/resources/worker/stop", headers=BEARER)

    assert (one.status_code, both.status_code) == (202, 202)
    assert supervisor.asked == [("worker-2", "restart"), ("worker-1", "stop"), ("worker-2", "stop")]


@pytest.mark.parametrize(("name", "status"), [("nobody", 404), ("outside", 409)])
def test_a_command_that_cannot_be_done_is_refused(
    client: FlaskClient, supervisor: RecordingSupervisor, name: str, status: int
) -> None:
    answer = client.post(f"/api/resources/{name}/stop", headers=BEARER)

    assert answer.status_code == status
    assert supervisor.asked == []


def test_a_button_needs_the_pages_own_csrf_token(
    logged_in: FlaskClient, supervisor: RecordingSupervisor
) -> None:
    match = re.search(r'name="csrf_token" value="(\w+)"', logged_in.get("/").text)
    assert match

    without = logged_in.post("/resources/api/restart")
    wrong = logged_in.post("/resources/api/restart", data={"csrf_token": "x"})
    assert supervisor.asked == []
    right = logged_in.post("/resources/api/restart", data={"csrf_token": match[1]})

    assert (without.status_code, wrong.status_code) == (403, 403)
    assert (right.status_code, right.location) == (303, "/")
    assert supervisor.asked == [("api", "restart")]


@pytest.mark.parametrize("path", ["/", "/resources/worker-1", "/resources/nobody"])
def test_pages_escape_the_output_of_resources_and_have_no_inline_scripts(
    logged_in: FlaskClient, path: str
) -> None:
    page = logged_in.get(path)

    assert "<b>last" not in page.text
    assert "<i>" not in page.text
    assert TOKEN not in page.text
    assert not re.search(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=", page.text)
    assert "unsafe" not in page.headers["Content-Security-Policy"]
    assert page.headers["Cache-Control"] == "no-store"


def test_the_page_names_states_in_words_and_groups_replicas(logged_in: FlaskClient) -> None:
    text = logged_in.get("/").text

    assert "FailedToStart" in text
    assert "waits for broker" in text
    assert "0 of 2 replicas are ready" in text
    assert "GET /health answered 503" in text


def test_the_page_announces_to_screen_readers_how_many_resources_are_ready(logged_in: FlaskClient) -> None:
    text = logged_in.get("/").text

    assert (
        '<p class="summary" role="status" data-live>1 of 5 are ready. api is Running (Unhealthy). '
        "worker-1 is FailedToStart. worker-2 is NotStarted. outside is NotStarted.</p>"
    ) in text


def test_a_body_that_is_too_large_is_refused(logged_in: FlaskClient) -> None:
    assert logged_in.post("/resources/api/stop", data={"csrf_token": "x" * 20_000}).status_code == 413


def test_clients_with_an_incomplete_request_delay_no_other_client(supervisor: Supervisor) -> None:
    port = free_port()
    start(supervisor, port=port, token=TOKEN)
    with ExitStack() as stack:
        for _ in range(200):
            half = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=5))
            half.sendall(b"GET / HTTP/1.1\r\nX-Slow: ")

        with pytest.raises(urllib.error.HTTPError, match="401"):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5)
