"""The checks of client address and Host header."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import Client

from reports_app.exposure import find_own_names
from reports_app.services.container import Services, add_services
from tests.unit.reports_app.conftest import share_product

HTML = {"Accept": "text/html"}
PATHS = ("/", "/api/reports", "/health", "/rq/", "/static/css/reports.css", "/no")


def client_for(services: Services, **settings: Any) -> FlaskClient:
    app = share_product(**settings)
    add_services(app, services)
    return app.test_client()


def status_of(client: FlaskClient, host: str, **headers: str) -> int:
    return client.get("/health", headers={"Host": host, **headers}).status_code


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("host", ["evil.example", "evil.example:8000", "localhost.evil.example", "a b", ""])
def test_on_loopback_another_name_is_refused(product_client: FlaskClient, path: str, host: str) -> None:
    response = product_client.get(path, headers={"Host": host, **HTML})

    assert (response.status_code, response.mimetype) == (400, "application/problem+json")
    assert f"The host name {host!r} is not allowed" in response.get_json()["detail"]
    assert "REPORTS_ALLOWED_HOSTS" in response.get_json()["detail"]


@pytest.mark.parametrize("host", ["192.0.2.7", "[2001:db8::1]:8000"])
def test_on_loopback_another_address_is_refused(product_client: FlaskClient, host: str) -> None:
    assert status_of(product_client, host) == 400


@pytest.mark.parametrize("host", ["localhost", "LocalHost:8000", "127.0.0.1:9000", "[::1]:8000", "[::1]"])
def test_on_loopback_its_own_names_are_served(product_client: FlaskClient, host: str) -> None:
    assert status_of(product_client, host) == 200


def test_a_name_that_is_allowed_is_served(services: Services) -> None:
    client = client_for(services, allowed_hosts=("own.example", ".below.example"))

    for host in ("own.example", "OWN.example:8443", "below.example", "a.b.below.example", "localhost"):
        assert status_of(client, host) == 200
    for host in ("evil.example", "x.own.example", "notbelow.example"):
        assert status_of(client, host) == 400


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("own.example", 200),
        ("localhost:8000", 200),
        ("192.0.2.7:8000", 200),
        ("10.1.2.3", 200),
        ("[2001:db8::1]:8000", 200),
        (socket.gethostname(), 200),
        ("evil.example", 400),
        ("192.0.2.7.evil.example", 400),
        ("192.0.2", 400),
        ("0x7f.0.0.1", 400),
        ("2130706433", 400),
        ("x" * 300, 400),
        ("a b", 400),
        ("", 400),
    ],
)
def test_an_open_api_accepts_its_own_names_and_addresses_only(
    services: Services, host: str, status: int
) -> None:
    client = client_for(services, is_open=True, host="0.0.0.0", allowed_hosts=("own.example",))

    assert status_of(client, host) == status


def test_behind_a_proxy_the_forwarded_host_name_is_checked(services: Services) -> None:
    client = client_for(services, proxies=1, is_open=True, allowed_hosts=("own.example",))

    assert status_of(client, "127.0.0.1:8000", **{"X-Forwarded-Host": "own.example"}) == 200
    assert status_of(client, "upstream.internal", **{"X-Forwarded-Host": "own.example:8443"}) == 200
    assert status_of(client, "127.0.0.1:8000", **{"X-Forwarded-Host": "evil.example"}) == 400
    # The browser's own value precedes the value that the proxy added.
    assert status_of(client, "127.0.0.1:8000", **{"X-Forwarded-Host": "own.example, evil.example"}) == 400
    assert status_of(client, "evil.example") == 400


@pytest.mark.parametrize("settings", [{}, {"is_open": True}, {"is_open": True, "proxies": 1}])
def test_a_request_without_a_host_is_no_browsers_and_is_served(
    services: Services, settings: dict[str, Any]
) -> None:
    app = client_for(services, **settings).application

    # Flask's test client always gives one.
    def without_host(environ: Any, start_response: Any) -> Any:
        del environ["HTTP_HOST"]
        environ |= {"SERVER_PROTOCOL": "HTTP/1.0", "SERVER_NAME": "any", "SERVER_PORT": "8000"}
        return app(environ, start_response)

    assert Client(without_host).get("/health").status_code == 200


@pytest.mark.parametrize("address", ["192.0.2.7", "::2", "::ffff:192.0.2.7", "10.0.0.1"])
@pytest.mark.parametrize("path", PATHS)
def test_another_machine_is_refused_with_any_server(services: Services, address: str, path: str) -> None:
    remote = {"REMOTE_ADDR": address}

    with client_for(services).get(path, environ_overrides=remote) as response:
        assert response.status_code == 403
        assert "REPORTS_OPEN=yes" in response.get_json()["detail"]
    assert client_for(services, is_open=True).get("/health", environ_overrides=remote).status_code == 200


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", ""])
def test_this_machine_is_served_by_each_of_its_addresses_and_by_a_socket_file(
    product_client: FlaskClient, address: str
) -> None:
    response = product_client.get("/health", environ_overrides={"REMOTE_ADDR": address})

    assert response.status_code == 200


def test_the_hosts_file_gives_further_names_of_this_machine(tmp_path: Path) -> None:
    own = socket.gethostname()
    (tmp_path / "hosts").write_text(
        f"127.0.0.1 localhost\n# 10.0.0.1 no.example {own}\n"
        f"192.0.2.7\t{own}.Corp.example {own} # {own} comment.example\n0.0.0.0 blocked.example\n"
    )

    assert find_own_names(tmp_path / "hosts") == {own.lower(), f"{own}.corp.example".lower()}
    assert find_own_names(tmp_path / "missing") == {own.lower()}
