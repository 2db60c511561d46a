"""The settings of the web application."""

from __future__ import annotations

import socket
from datetime import timedelta

import pytest

from reports_app import AppSettings
from reports_app.exposure import is_loopback
from reports_worker import Settings, SettingsError

SECRET = "sixteen or longer"


def read(**environ: str) -> AppSettings:
    return AppSettings.from_environ(environ)


def message_of(**environ: str) -> str:
    with pytest.raises(SettingsError) as caught:
        read(**environ)
    return str(caught.value)


def test_without_any_variable_the_defaults_apply() -> None:
    assert read() == AppSettings() == AppSettings(shared=Settings())
    assert (read().host, read().port, read().processes, read().proxies) == ("127.0.0.1", 8000, 2, 0)
    assert read().shared.timeout == timedelta(hours=1)


def test_an_empty_variable_counts_as_not_set() -> None:
    assert read(PORT="", REPORTS_HOST=" ", WEB_CONCURRENCY="", REPORTS_SECRET_KEY="") == AppSettings()


def test_each_variable_is_read() -> None:
    settings = read(
        BROKER_URI="redis://db.example:6380/2",
        REPORTS_HOST="0.0.0.0",
        PORT="9000",
        WEB_CONCURRENCY="4",
        REPORTS_PROXIES="1",
        REPORTS_OPEN="yes",
        REPORTS_ALLOWED_HOSTS=" one.example, Two.Example:8443 , .three.example,[2001:DB8::1],bücher.example,",
        REPORTS_SECRET_KEY=SECRET,
        REPORTS_TIMEOUT="5m",
    )

    assert settings.shared.broker.url == "redis://db.example:6380/2"
    assert settings.shared.timeout == timedelta(minutes=5)
    assert (settings.host, settings.port, settings.processes, settings.proxies) == ("0.0.0.0", 9000, 4, 1)
    assert settings.is_open
    assert settings.allowed_hosts == (
        "one.example",
        "two.example",
        ".three.example",
        "[2001:db8::1]",
        "xn--bcher-kva.example",
    )
    assert settings.secret_key == SECRET


@pytest.mark.parametrize(
    ("name", "values", "allowed"),
    [
        ("PORT", ["0", "65536", "-1", "80.0", "http", "8_000", "²", "٣", "9" * 5000], "65535"),
        ("WEB_CONCURRENCY", ["0", "65", "two", "-1"], "from 1 to 64"),
        ("REPORTS_PROXIES", ["9", "-1", "yes"], "from 0 to 8"),
    ],
)
def test_an_invalid_number_is_refused_with_name_value_and_range(
    name: str, values: list[str], allowed: str
) -> None:
    for value in values:
        message = message_of(**{name: value})
        assert f"{name}={value!r}" in message
        assert allowed in message or len(value) > 4000
        assert "\n" not in message


@pytest.mark.parametrize(("name", "value"), [("REPORTS_TIMEOUT", "soon"), ("REPORTS_GRACE", "30")])
def test_a_bad_setting_that_is_shared_is_refused_too(name: str, value: str) -> None:
    assert f"{name}={value!r}" in message_of(**{name: value})


def test_a_password_in_a_bad_address_stays_out_of_the_message() -> None:
    for value in ("http://:hunter22@host", "redis://:hunter22@host:port", "host:1,password=hunter22,x=1"):
        message = message_of(BROKER_URI=value)
        assert "BROKER_URI" in message
        assert "hunter22" not in message


def test_a_short_secret_is_refused_and_not_repeated() -> None:
    message = message_of(REPORTS_SECRET_KEY="hunter22")

    assert "REPORTS_SECRET_KEY" in message
    assert "16" in message
    assert "hunter22" not in message


def test_settings_do_not_show_their_secrets() -> None:
    settings = read(BROKER_URI="redis://:hunter22@host", REPORTS_SECRET_KEY=SECRET)

    assert "hunter22" not in repr(settings)
    assert SECRET not in repr(settings)


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "[::]", "192.0.2.7", "::ffff:192.0.2.7", "reports.example"]
)
def test_an_address_that_others_reach_needs_a_choice_and_a_secret(host: str) -> None:
    closed = message_of(REPORTS_HOST=host, REPORTS_SECRET_KEY=SECRET)
    keyless = message_of(REPORTS_HOST=host, REPORTS_OPEN="yes")

    for message in (closed, keyless):
        assert message.startswith(f"REPORTS_HOST={host!r} can be reached from other machines")
        assert "\n" not in message
    assert "127.0.0.1 without a proxy" in closed
    assert "REPORTS_OPEN=yes" in closed
    assert "request, read, cancel and delete all reports" in closed
    assert "REPORTS_SECRET_KEY is not set" in keyless
    assert read(REPORTS_HOST=host, REPORTS_SECRET_KEY=SECRET, REPORTS_OPEN="yes").host == host


def test_a_proxy_in_front_needs_a_choice_on_loopback_too() -> None:
    message = message_of(REPORTS_PROXIES="2", REPORTS_OPEN="no")

    assert message.startswith("REPORTS_PROXIES=2 means that other machines can reach the API")
    assert "REPORTS_OPEN=yes" in message
    assert read(REPORTS_PROXIES="2", REPORTS_OPEN="yes").secret_key is None


@pytest.mark.parametrize(
    ("text", "is_open"), [("yes", True), ("True", True), ("NO", False), ("false", False)]
)
def test_whether_it_is_open_is_yes_or_no(text: str, is_open: bool) -> None:
    assert read(REPORTS_OPEN=text).is_open is is_open


@pytest.mark.parametrize("text", ["1", "on", "open", "y", "yes please"])
def test_any_other_word_for_open_is_refused(text: str) -> None:
    assert message_of(REPORTS_OPEN=text) == (
        f"REPORTS_OPEN={text!r} is not valid: give yes or no (or true or false)"
    )


@pytest.mark.parametrize(
    "text", ["*", "*.example", "https://reports.example", "reports.example/x", "a b", "..", "a..b", "x" * 70]
)
def test_an_allowed_host_that_is_no_host_name_is_refused(text: str) -> None:
    message = message_of(REPORTS_ALLOWED_HOSTS=f"fine.example,{text}")

    assert message.startswith(f"REPORTS_ALLOWED_HOSTS='fine.example,{text}' is not valid: give host names")


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.1.2.3", "localhost", "LocalHost", "::1", "[::1]", "::ffff:127.0.0.1"]
)
def test_loopback_needs_none(host: str) -> None:
    assert is_loopback(host)
    assert read(REPORTS_HOST=host).secret_key is None


@pytest.mark.parametrize("host", ["", "localhost.evil.example", "128.0.0.1", "::2", "127.0.0.1.evil.example"])
def test_other_names_are_not_loopback(host: str) -> None:
    assert not is_loopback(host)


def test_a_request_may_use_the_names_of_loopback_and_those_that_are_allowed() -> None:
    assert read().host_names == ("localhost", "127.0.0.1", "[::1]")
    assert read(REPORTS_ALLOWED_HOSTS="own.example").host_names == (
        "localhost",
        "127.0.0.1",
        "[::1]",
        "own.example",
    )


def test_where_it_is_open_a_request_may_use_the_names_of_this_machine_too() -> None:
    assert socket.gethostname().lower() in read(REPORTS_OPEN="yes").host_names


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "127.0.0.1:8000"),
        ("localhost", "localhost:8000"),
        ("::1", "[::1]:8000"),
        ("[::1]", "[::1]:8000"),
    ],
)
def test_the_address_to_bind_has_brackets_where_it_needs_them(host: str, address: str) -> None:
    assert AppSettings(host=host).address == address
