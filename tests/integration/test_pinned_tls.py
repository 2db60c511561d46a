"""TLS to an address that was resolved before: the certificate is checked for the name."""

from __future__ import annotations

import ssl
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from reports_worker.webhooks.safe_post import PostError, post

NAME = "hooks.example.com"


class Server(ThreadingHTTPServer):
    """Speaks TLS with a certificate for `NAME` that it signed itself; knows the names it was asked for."""

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.certificate, key = folder / "certificate.pem", folder / "key.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
             "-days", "2", "-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}",
             "-keyout", str(key), "-out", str(self.certificate)],
            check=True,
            capture_output=True,
        )  # fmt: skip
        self.asked: list[str | None] = []
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, key)
        context.sni_callback = lambda _, name, __: self.asked.append(name)
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def handle_error(self, *_: object) -> None:
        """Keep quiet about clients that turn away."""

    def post(self, name: str, *, trust: bool) -> int:
        tls = ssl.create_default_context(cafile=str(self.certificate) if trust else None)
        url = f"https://{name}:{self.server_port}/"
        return post(url, b"{}", {}, allow_private=True, tls=tls, resolve=lambda *_: ["127.0.0.1"])


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def test_the_name_is_asked_for_and_its_certificate_taken(server: Server) -> None:
    assert server.post(NAME, trust=True) == 204
    assert server.asked == [NAME]


@pytest.mark.parametrize(("name", "trust"), [(NAME, False), ("other.example.com", True)])
def test_a_certificate_of_nobody_known_or_of_another_name_is_refused(
    server: Server, name: str, *, trust: bool
) -> None:
    with pytest.raises(PostError, match="CERTIFICATE_VERIFY_FAILED"):
        server.post(name, trust=trust)
