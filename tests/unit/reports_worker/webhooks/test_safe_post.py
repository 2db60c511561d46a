"""Which addresses may be asked, and that only they are."""

from __future__ import annotations

import ipaddress
import re
import socket
import threading
import time
from collections.abc import Iterator, Sequence

import pytest

from reports_worker.webhooks.safe_post import PostError, is_public, post, refuse_private

PRIVATE = [
    "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
    "224.0.0.1", "240.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1",
    "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fec0::1", "ff02::1", "2001:db8::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1",
    "2002:7f00:1::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "64:ff9b::7f00:1", "64:ff9b::a00:1",
]  # fmt: skip
PUBLIC = [
    "8.8.8.8",
    "93.184.216.34",
    "2606:2800:220:1:248:1893:25c8:1946",
    "64:ff9b::808:808",
    "::ffff:8.8.8.8",
]


@pytest.mark.parametrize("text", PRIVATE)
def test_a_private_address_is_not_public(text: str) -> None:
    assert not is_public(ipaddress.ip_address(text))


@pytest.mark.parametrize("text", PUBLIC)
def test_a_public_address_is(text: str) -> None:
    assert is_public(ipaddress.ip_address(text))


@pytest.mark.parametrize("addresses", [[], ["8.8.8.8", "10.0.0.1"], ["::1", "8.8.8.8"]])
def test_one_private_address_is_enough_to_refuse_an_answer(addresses: Sequence[str]) -> None:
    with pytest.raises(PostError, match=r"^'a\.example' resolves to an address that is not public"):
        refuse_private("a.example", addresses)


class Listener:
    """A server of raw answers, and what it was sent."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.requests: list[bytes] = []
        self.answer: Sequence[bytes] = [b"HTTP/1.1 204 No Content\r\n\r\n"]
        self.pause = 0.0
        self.closed = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while not self.closed.is_set():
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                self.requests.append(self._read(connection))
                try:
                    for part in self.answer:
                        connection.sendall(part)
                        self.closed.wait(self.pause)
                except OSError:
                    pass

    @staticmethod
    def _read(connection: socket.socket) -> bytes:
        head, _, body = connection.recv(65536).partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        while length and len(body) < int(length[1]):
            body += connection.recv(65536)
        return head + b"\r\n\r\n" + body

    def close(self) -> None:
        self.closed.set()
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()


@pytest.fixture
def listener() -> Iterator[Listener]:
    listener = Listener()
    yield listener
    listener.close()


def test_a_private_address_is_refused_before_anything_is_sent(listener: Listener) -> None:
    with pytest.raises(PostError, match="not public; REPORTS_CALLBACK_PRIVATE=true allows it"):
        post(f"http://127.0.0.1:{listener.port}/", b"{}", {})

    assert listener.requests == []


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "017700000001", "localhost"])
def test_other_ways_to_write_a_private_address_are_refused_too(listener: Listener, host: str) -> None:
    with pytest.raises(PostError, match="not public"):
        post(f"http://{host}:{listener.port}/", b"{}", {})

    assert listener.requests == []


def test_the_resolved_address_is_connected_to_and_the_name_is_sent(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1/")
    url = f"http://hooks.example.com:{listener.port}/a?b=c"

    def resolve(host: str, port: int) -> Sequence[str]:
        asked.append((host, port))
        return ["127.0.0.1"]

    status = post(url, b'{"a":1}', {"webhook-id": "x"}, allow_private=True, resolve=resolve)

    assert status == 204
    assert asked == [("hooks.example.com", listener.port)]
    head, _, body = listener.requests[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /a?b=c HTTP/1.1"
    assert f"Host: hooks.example.com:{listener.port}" in lines
    assert {"Content-Type: application/json", "Content-Length: 7", "webhook-id: x"} <= set(lines)
    assert sum(line.lower().startswith("host:") for line in lines) == 1
    assert body == b'{"a":1}'


def test_the_next_address_is_tried_where_one_refuses(listener: Listener) -> None:
    url = f"http://hooks.example.com:{listener.port}/"

    assert post(url, b"", {}, allow_private=True, resolve=lambda *_: ["127.0.0.9", "127.0.0.1"]) == 204


def test_a_redirect_is_an_answer_and_not_followed(listener: Listener) -> None:
    target = f"http://127.0.0.1:{listener.port}/other"
    listener.answer = [f"HTTP/1.1 307 Moved\r\nLocation: {target}\r\n\r\n".encode()]

    assert post(f"http://127.0.0.1:{listener.port}/", b"", {}, allow_private=True) == 307
    assert len(listener.requests) == 1


@pytest.mark.parametrize("answer", [[b""], [b"H"] * 100, [b"HTTP/1.1 200 OK\r\n"] + [b"a: b\r\n"] * 90])
def test_a_receiver_that_hangs_or_trickles_is_left_in_time(listener: Listener, answer: list[bytes]) -> None:
    listener.answer, listener.pause = answer, 0.1 if len(answer) > 1 else 30
    begin = time.monotonic()

    with pytest.raises(PostError, match="no answer in time"):
        post(f"http://127.0.0.1:{listener.port}/", b"", {}, allow_private=True, total_seconds=0.5)

    assert time.monotonic() - begin < 5


def test_what_is_no_http_is_an_error(listener: Listener) -> None:
    listener.answer = [b"SSH-2.0-OpenSSH_9.2\r\n"]

    with pytest.raises(PostError, match="cannot be reached"):
        post(f"http://127.0.0.1:{listener.port}/", b"", {}, allow_private=True)


def test_tls_is_spoken_to_https_alone(listener: Listener) -> None:
    with pytest.raises(PostError, match="cannot be reached"):
        post(f"https://127.0.0.1:{listener.port}/", b"", {}, allow_private=True)

    assert listener.requests[0][:1] == b"\x16"


def test_a_host_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(PostError, match=r"cannot be resolved|could not be resolved"):
        post("http://nothing.invalid/", b"", {}, allow_private=True)
