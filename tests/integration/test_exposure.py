"""gunicorn with our settings: where others could reach it, it starts only where that was chosen."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import psutil
import pytest

from harness.broker import Broker
from harness.ports import free_port
from harness.wait import wait_until
from tests.integration.serving import ROOT, SECRET, SERVE, Site, serve

GUNICORN = (
    str(Path(sys.executable).with_name("gunicorn")),
    "-c",
    "python:reports_app.gunicorn_conf",
    "reports_app:create_app()",
)
HTML = {"Accept": "text/html"}
WAYS: dict[str, tuple[tuple[str, ...], dict[str, str], str]] = {
    # Options, variables, and what the sentence names. {} is a free port.
    "host": ((), {"REPORTS_HOST": "0.0.0.0"}, "REPORTS_HOST='0.0.0.0' can be reached"),
    "every-ipv6": ((), {"REPORTS_HOST": "::"}, "REPORTS_HOST='::' can be reached"),
    "name": ((), {"REPORTS_HOST": "reports.example"}, "REPORTS_HOST='reports.example' can be reached"),
    "bind": (("--bind", "0.0.0.0:{}"), {}, "'0.0.0.0' can be reached"),
    "empty": (("-b", ":{}"), {}, "'0.0.0.0' can be reached"),
    "ipv6": (("-b", "[::]:{}"), {}, "'::' can be reached"),
    "second": (("-b", "127.0.0.1:{}", "-b", "192.0.2.7:{}"), {}, "'192.0.2.7' can be reached"),
    "arguments": ((), {"GUNICORN_CMD_ARGS": "--bind 0.0.0.0:{}"}, "'0.0.0.0' can be reached"),
    "proxy": ((), {"REPORTS_PROXIES": "1"}, "REPORTS_PROXIES=1 means that other machines"),
    "proxy-of-file": (("-b", "unix:unused.sock"), {"REPORTS_PROXIES": "1"}, "REPORTS_PROXIES=1 means that"),
}

# One of each place that an address comes from. The settings' own tests have the forms of an address.
KINDS_OF_WAYS = ("host", "second", "arguments", "proxy-of-file")


def run(
    command: tuple[str, ...], folder: Path, environ: Mapping[str, str], *, fds: tuple[int, ...] = ()
) -> subprocess.CompletedProcess[str]:
    """Run a server that is to end by itself."""
    given = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "PORT": str(free_port()),
        "PYTHONPATH": str(ROOT),
        "REPORTS_SECRET_KEY": SECRET,
        **environ,
    }
    return subprocess.run(
        command, cwd=folder, env=given, pass_fds=fds, capture_output=True, text=True, timeout=30, check=False
    )


def assert_refused(done: subprocess.CompletedProcess[str], sentence: str) -> None:
    assert done.returncode == 1
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert sentence in line
    assert "127.0.0.1 without a proxy" in line
    assert "REPORTS_OPEN=yes" in line
    assert "request, read, cancel and delete all reports" in line


@pytest.mark.parametrize(
    "way", [way if way in KINDS_OF_WAYS else pytest.param(way, marks=pytest.mark.wide) for way in WAYS]
)
def test_where_others_could_reach_it_it_refuses_to_start_in_one_sentence(way: str, tmp_path: Path) -> None:
    options, environ, sentence = WAYS[way]
    port = free_port()

    done = run(
        (*SERVE, *(option.format(port) for option in options)),
        tmp_path,
        {name: value.format(port) for name, value in environ.items()},
    )

    assert_refused(done, sentence)


@pytest.mark.parametrize(
    "way",
    [pytest.param("host", marks=pytest.mark.wide), "bind", pytest.param("proxy", marks=pytest.mark.wide)],
)
def test_by_gunicorn_itself_it_refuses_alike(way: str, tmp_path: Path) -> None:
    options, environ, sentence = WAYS[way]
    port = free_port()

    done = run((*GUNICORN, *(option.format(port) for option in options)), tmp_path, environ)

    assert_refused(done, sentence)


def test_a_socket_that_another_program_bound_is_looked_at_itself(tmp_path: Path) -> None:
    """As systemd hands one over: no setting of ours knows its address."""
    with socket.create_server(("0.0.0.0", 0)) as listener:
        done = run((*SERVE, "--bind", f"fd://{listener.fileno()}"), tmp_path, {}, fds=(listener.fileno(),))

    assert_refused(done, "'0.0.0.0' can be reached")


@pytest.mark.parametrize("way", [pytest.param("host", marks=pytest.mark.wide), "bind"])
def test_beyond_loopback_it_needs_a_secret_as_well(way: str, tmp_path: Path) -> None:
    options, environ, sentence = WAYS[way]
    command = (*SERVE, *(option.format(free_port()) for option in options))

    done = run(command, tmp_path, {**environ, "REPORTS_OPEN": "yes", "REPORTS_SECRET_KEY": ""})

    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert sentence in line
    assert "REPORTS_SECRET_KEY is not set" in line


def test_a_reload_that_would_open_it_ends_it(broker: Broker, tmp_path: Path) -> None:
    configuration, port, opened = tmp_path / "settings.py", free_port(), free_port()
    text = 'from reports_app.gunicorn_conf import *\nbind = "{}"\nworkers = 1\n'
    configuration.write_text(text.format(f"127.0.0.1:{port}"))
    command = (GUNICORN[0], "-c", str(configuration), GUNICORN[-1])
    site = Site(command, tmp_path, port=port, BROKER_URI=broker.url)
    try:
        wait_until(site.is_alive, what="the server's answer")
        children = psutil.Process(site.process.pid).children(recursive=True)
        os.kill(site.process.pid, signal.SIGHUP)
        wait_until(lambda: not any(one.is_running() for one in children), what="an ordinary reload")
        wait_until(site.is_alive, what="the server's answer")

        configuration.write_text(text.format(f"0.0.0.0:{opened}"))
        os.kill(site.process.pid, signal.SIGHUP)

        assert site.wait() == 1
        assert "'0.0.0.0' can be reached from other machines" in site.text.splitlines()[-1]
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", opened), timeout=2)
    finally:
        site.stop()


def test_where_it_is_open_it_says_so_and_still_checks_the_names(broker: Broker, tmp_path: Path) -> None:
    environ = {
        "REPORTS_HOST": "0.0.0.0",
        "REPORTS_OPEN": "yes",
        "REPORTS_SECRET_KEY": SECRET,
        "WEB_CONCURRENCY": "1",
    }
    with serve(broker.url, tmp_path, **environ) as site:
        (warning,) = site.get("/health").json["warnings"]
        assert warning.startswith("REPORTS_OPEN=yes: there is no sign-in")
        assert site.text.count(warning) == 1
        assert "There is no sign-in" in site.get("/", **HTML).text
        assert site.get("/health", Host="192.0.2.7:8000").status == 200
        assert site.get("/health", Host=socket.gethostname()).status == 200
        assert site.get("/health", Host="evil.example").status == 400
        assert site.get("/rq/").status == 403


def test_a_socket_file_is_local(broker: Broker, tmp_path: Path) -> None:
    path = tmp_path / "api.sock"
    command = (*SERVE, "--bind", f"unix:{path}")
    site = Site(command, tmp_path, port=free_port(), BROKER_URI=broker.url, WEB_CONCURRENCY="1")

    def ask(target: str) -> int:
        connection = http.client.HTTPConnection("localhost")
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(10)
        with connection.sock:
            connection.sock.connect(str(path))
            connection.request("GET", target)
            return connection.getresponse().status

    try:
        wait_until(lambda: path.exists() and ask("/alive") == 200, what="an answer by the socket file")
        assert ask("/health") == 200
        assert ask("/rq/") == 403
    finally:
        site.stop()
