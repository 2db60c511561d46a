"""Clients that send, read or close slowly, against the real server: they hold up nobody else."""

from __future__ import annotations

import re
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from harness.broker import Broker
from harness.ports import free_port
from harness.wait import wait_until
from reports_app.server.gunicorn_worker import REQUEST_SECONDS
from tests.integration.serving import SERVE, Site, serve
from tests.integration.slow_clients import BODY, HEAD, IDLE, attack
from tests.integration.test_tls import make_certificates

MANY = 200
# Far more than an answer takes, and far less than a slow client would hold up others for.
SOON_SECONDS = 5
SUBMIT = b"POST /api/reports HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
JSON = b'{"title": "slow", "type": "sales"}'
ALIVE = b"GET /alive HTTP/1.1\r\nHost: localhost\r\n\r\n"
CHUNKED = SUBMIT + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.fixture(scope="module")
def site(session_broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with serve(session_broker.url, tmp_path_factory.mktemp("site")) as site:
        yield site


def connect(site: Site, sent: bytes = b"", *, seconds: float = SOON_SECONDS) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", site.port), timeout=seconds)
    client.sendall(sent)
    return client


def read_until(client: socket.socket, end: bytes) -> bytes:
    got = b""
    while end not in got and (data := client.recv(65536)):
        got += data
    return got


def ask(site: Site, sent: bytes) -> bytes:
    """Send a request that asks to close the connection, on one of its own; return the whole answer."""
    with connect(site, sent) as client:
        return read_until(client, b"no answer has this")


def close(request: bytes) -> bytes:
    return request.replace(b"\r\n", b"\r\nConnection: close\r\n", 1)


def assert_works(site: Site) -> None:
    """Ask for health and a page and submit a report; none of them takes long."""
    assert ask(site, close(ALIVE.replace(b"/alive", b"/health"))).startswith(b"HTTP/1.1 200")
    assert b"Generate report" in ask(site, close(ALIVE.replace(b"/alive", b"/")))
    assert submit(site).startswith(b"HTTP/1.1 202")


def submit(site: Site) -> bytes:
    return ask(site, close(SUBMIT) + b"Content-Length: %d\r\n\r\n" % len(JSON) + JSON)


@pytest.mark.parametrize(
    "beginnings",
    [
        pytest.param([HEAD], id="heads", marks=pytest.mark.wide),
        pytest.param([BODY], id="bodies", marks=pytest.mark.wide),
        pytest.param([IDLE], id="idle", marks=pytest.mark.wide),
        pytest.param([HEAD, BODY, IDLE], id="all"),
    ],
)
def test_slow_clients_hold_up_nobody(site: Site, beginnings: list[bytes]) -> None:
    with attack(site.port, *beginnings, each=MANY):
        for _ in range(3):
            assert_works(site)


@pytest.mark.wide
def test_slow_clients_hold_up_nobody_when_they_are_sent_away_and_come_back(site: Site) -> None:
    with attack(site.port, HEAD, BODY, IDLE, each=MANY // 2) as clients:
        deadline = time.monotonic() + 3 * REQUEST_SECONDS
        while clients.returned < MANY and time.monotonic() < deadline:
            assert_works(site)
        assert clients.returned >= MANY
        assert_works(site)


def test_a_request_that_does_not_arrive_in_time_is_ended_however_it_drips(site: Site) -> None:
    begin = time.monotonic()
    with ExitStack() as stack:
        head, body, second, idle = (
            stack.enter_context(connect(site, sent)) for sent in (HEAD, BODY, ALIVE, IDLE)
        )
        read_until(second, b"}")
        second.sendall(HEAD)
        for client in (head, body, second, idle):
            client.settimeout(0.1)
        ended = dict[socket.socket, bytes]()

        def drip() -> bool:
            for client in {head, body, second, idle} - set(ended):
                try:
                    if client is not idle:
                        client.sendall(b"x")
                    ended[client] = client.recv(65536)
                except TimeoutError:
                    continue
            return len(ended) == 4

        wait_until(drip, seconds=REQUEST_SECONDS + SOON_SECONDS, what="the end of all four")

    assert time.monotonic() - begin >= REQUEST_SECONDS
    assert ended[idle] == b""
    assert all(ended[client].startswith(b"HTTP/1.1 408 ") for client in (head, body, second))


def test_a_request_in_pieces_is_answered_when_its_last_is_there(site: Site) -> None:
    request = CHUNKED + b"%x;a=b\r\n%s\r\n0\r\nX-Sum: 1\r\n\r\n" % (len(JSON), JSON)
    with connect(site) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(2):
            for at in range(0, len(request), 7):
                client.sendall(request[at : at + 7])
            assert read_until(client, b"task_id").startswith(b"HTTP/1.1 202")


def test_requests_sent_at_once_are_answered_in_order(site: Site) -> None:
    requests = [ALIVE, SUBMIT + b"Content-Length: %d\r\n\r\n" % len(JSON) + JSON, ALIVE]
    head, rest = (b"".join(requests) + close(ALIVE)).rsplit(b"Host", 1)
    with connect(site, head) as client:
        got = read_until(client, b"202 ACCEPTED")
        client.sendall(b"Host" + rest)
        got += read_until(client, b"no answer has this")

    assert re.findall(rb"HTTP/1.1 (\d+)", got) == [b"200", b"202", b"200", b"200"]


@pytest.mark.parametrize("body", [b"Content-Length: 10000000\r\n\r\n", b"Content-Length: 70000\r\n\r\nx"])
def test_a_body_that_is_too_large_is_refused_before_it_is_sent(site: Site, body: bytes) -> None:
    with connect(site, SUBMIT + body) as client:
        answer = read_until(client, b"\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 413")
    assert b"application/problem+json" in answer
    assert b"Connection: close" in answer


def test_a_client_that_goes_on_to_send_too_much_reads_that_it_is_too_much(site: Site) -> None:
    with connect(site, SUBMIT + b"Content-Length: 500000\r\n\r\n" + b"x" * 500_000) as client:
        assert read_until(client, b"no answer has this").startswith(b"HTTP/1.1 413")


def test_a_chunked_body_is_refused_as_soon_as_it_is_too_large(site: Site) -> None:
    with connect(site, CHUNKED + b"fffffff\r\n" + b"x" * (64 * 1024 + 2049)) as client:
        answer = read_until(client, b"\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 413")
    assert b"application/problem+json" in answer


def test_a_head_that_is_too_large_is_refused(site: Site) -> None:
    with connect(site, HEAD + b"x" * 40_000) as client:
        assert read_until(client, b"\r\n\r\n").startswith(b"HTTP/1.1 431 ")


def test_a_client_that_asks_first_is_told_once_to_send_its_body(site: Site) -> None:
    head = SUBMIT + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(JSON)
    with connect(site, head) as client:
        assert read_until(client, b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(JSON)
        assert read_until(client, b"task_id").startswith(b"HTTP/1.1 202")


def test_a_client_that_asks_first_with_too_much_is_refused_at_once(site: Site) -> None:
    with connect(site, SUBMIT + b"Expect: 100-continue\r\nContent-Length: 70000\r\n\r\n") as client:
        assert read_until(client, b"\r\n\r\n").startswith(b"HTTP/1.1 413")


def test_clients_that_do_not_close_hold_up_nobody(site: Site) -> None:
    with ExitStack() as stack:
        for _ in range(MANY):
            stack.enter_context(connect(site, b"GET /alive HTTP/1.0\r\nHost: localhost\r\n\r\n"))
        for _ in range(3):
            assert_works(site)


def connect_without_reading(site: Site) -> socket.socket:
    """Ask for more than the kernel keeps for one who takes little at a time, and read nothing of it."""
    client = socket.socket()
    client.settimeout(SOON_SECONDS)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    client.connect(("127.0.0.1", site.port))
    client.sendall(ALIVE.replace(b"/alive", b"/api/reports?limit=100") * 3)
    return client


def test_clients_that_do_not_read_hold_up_nobody(site: Site) -> None:
    for _ in range(100):
        assert submit(site).startswith(b"HTTP/1.1 202")
    with ExitStack() as stack:
        clients = [stack.enter_context(connect_without_reading(site)) for _ in range(20)]
        for _ in range(3):
            assert_works(site)

        # A client that reads after all gets all of it.
        got = b""
        while got.count(b"HTTP/1.1 200 OK") < 3 and (data := clients[0].recv(65536)):
            got += data
        assert got.count(b"HTTP/1.1 200 OK") == 3


@pytest.mark.wide
def test_more_connections_than_a_process_keeps_give_way_to_new_ones(
    session_broker: Broker, tmp_path: Path
) -> None:
    command = (*SERVE, "--worker-connections", "20")
    with (
        serve(session_broker.url, tmp_path, command=command, WEB_CONCURRENCY="1") as site,
        attack(site.port, HEAD, IDLE, each=30) as clients,
    ):
        wait_until(lambda: clients.returned >= 40, what="clients that gave way")
        assert_works(site)


def test_the_server_ends_in_time_with_slow_clients_connected(session_broker: Broker, tmp_path: Path) -> None:
    with (
        serve(session_broker.url, tmp_path, WEB_CONCURRENCY="1") as site,
        ExitStack() as stack,
    ):
        for sent in (HEAD, BODY, IDLE) * 10:
            stack.enter_context(connect(site, sent))
        late = stack.enter_context(connect(site, ALIVE[:-2]))
        assert_works(site)

        site.process.terminate()
        late.sendall(ALIVE[-2:])

        assert read_until(late, b"\r\n\r\n").startswith(b"HTTP/1.1 200")
        assert site.wait(8) == 0
        assert "Traceback" not in site.text


def test_over_tls_slow_clients_hold_up_nobody_either(session_broker: Broker, tmp_path: Path) -> None:
    folder = make_certificates(tmp_path)
    trust = ssl.create_default_context(cafile=str(folder / "ca.pem"))
    port = free_port()
    tls = ("--certfile", str(folder / "broker.pem"), "--keyfile", str(folder / "broker.key"))
    environ = {"BROKER_URI": session_broker.url, "WEB_CONCURRENCY": "1"}
    site = Site((*SERVE, *tls), tmp_path / "site", port=port, **environ)

    def ask_over_tls(*requests: bytes) -> bytes:
        with (
            connect(site) as plain,
            trust.wrap_socket(plain, server_hostname="localhost") as client,
        ):
            for request in requests:
                client.sendall(request)
            return read_until(client, b"\r\n\r\n")

    def is_served() -> bool:
        assert site.process.poll() is None, site.text
        try:
            return ask_over_tls(ALIVE).startswith(b"HTTP/1.1 200")
        except OSError:
            return False

    try:
        wait_until(is_served, what="an answer over TLS")
        # Half of a handshake, nothing at all, and what is no handshake.
        with attack(port, b"\x16\x03\x01\x02\x00\x01", IDLE, ALIVE, each=30):
            assert is_served()
            large = SUBMIT + b"Content-Length: 60000\r\n\r\n"
            assert ask_over_tls(large, b"x" * 30_000, b"x" * 30_000).startswith(b"HTTP/1.1 400")
    finally:
        site.stop()


def test_no_client_chooses_the_prefix_of_the_site_by_a_header_of_gunicorns_own(site: Site) -> None:
    answer = ask(site, close(ALIVE).replace(b"\r\n", b"\r\nSCRIPT_NAME: /x\r\n", 1))

    assert answer.startswith(b"HTTP/1.1 200")


@pytest.mark.wide
def test_with_the_proxy_protocol_gunicorn_reads_its_own_way(session_broker: Broker, tmp_path: Path) -> None:
    port = free_port()
    command = (*SERVE, "--proxy-protocol")
    # The clients that the proxy names are other machines.
    site = Site(
        command,
        tmp_path,
        port=port,
        BROKER_URI=session_broker.url,
        REPORTS_OPEN="yes",
        REPORTS_SECRET_KEY="a secret for the tests",
    )

    def is_served() -> bool:
        assert site.process.poll() is None, site.text
        try:
            return ask(site, b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n" + close(ALIVE)).startswith(
                b"HTTP/1.1 200"
            )
        except OSError:
            return False

    try:
        wait_until(is_served, what="an answer behind a proxy")
    finally:
        site.stop()
