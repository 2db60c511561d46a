"""Connection strings: every accepted form, and the refused ones."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis import SSLConnection
from redis.sentinel import SentinelConnectionPool

from reports_worker import BrokerAddress, SettingsError, connect
from reports_worker.broker.address import find_broker_address, parse_address


def read_options(address: BrokerAddress) -> dict[str, object]:
    """The options that redis-py reads from an address."""
    return dict(connect(address).connection_pool.connection_kwargs)


def test_the_injected_variable_comes_before_the_plain_one() -> None:
    both = {"ConnectionStrings__broker": "redis://first", "BROKER_URI": "redis://second"}

    assert find_broker_address(both).url == "redis://first"
    assert find_broker_address({"BROKER_URI": "redis://second"}).url == "redis://second"
    assert find_broker_address({**both, "ConnectionStrings__broker": " "}).url == "redis://second"


def test_without_a_variable_it_is_the_broker_of_this_machine() -> None:
    assert find_broker_address({}).url == "redis://localhost:6379"


@pytest.mark.parametrize(
    "url",
    [
        "redis://localhost",
        "redis://localhost:6379/",
        "redis://user:p%40ss@broker.example:6380/3",
        "rediss://broker.example?ssl_ca_certs=/etc/ca.pem",
        "rediss://broker.example?ssl_cert_reqs=none",
        "redis://[::1]:6379",
        "unix:///run/redis.sock",
        "unix://:secret@/run/redis.sock?db=2",
    ],
)
def test_a_url_is_taken_as_it_is(url: str) -> None:
    assert parse_address(url).url == url


def test_the_scheme_of_a_url_may_be_in_capitals() -> None:
    assert read_options(parse_address("REDISS://broker"))["ssl_check_hostname"] is True


def test_the_form_of_aspire_becomes_a_url() -> None:
    assert parse_address("localhost:6379").url == "redis://localhost:6379/0"
    assert parse_address("broker").url == "redis://broker:6379/0"
    assert parse_address("[::1]:6379").url == "redis://[::1]:6379/0"
    assert parse_address(" broker:7000 , password=secret , ssl=True ").url == "rediss://:secret@broker:7000/0"


def test_every_option_of_aspire_reaches_the_client() -> None:
    address = parse_address("broker:7000,user=reports,password=secret,ssl=true,defaultDatabase=4")

    options = read_options(address)

    assert options["host"] == "broker"
    assert options["port"] == 7000
    assert options["username"] == "reports"
    assert options["password"] == "secret"
    assert options["db"] == 4
    assert options["ssl_check_hostname"] is True


def test_options_that_choose_nothing_here_are_let_pass() -> None:
    text = "broker:7000,abortConnect=false,connectTimeout=5000,allowAdmin=true,,name=api"

    assert parse_address(text).url == "redis://broker:7000/0"


def test_sentinels_are_read_with_the_name_of_their_primary() -> None:
    address = parse_address(
        "redis+sentinel://reports:p%40ss@one,[::1]:7,127.0.0.1:26380/my.Primary/3"
        "?sentinel_username=watch&sentinel_password=s%26cret&socket_timeout=3"
    )

    assert address.sentinels is not None
    assert address.sentinels.addresses == (("one", 26379), ("::1", 7), ("127.0.0.1", 26380))
    assert address.sentinels.primary == "my.Primary"
    assert dict(address.sentinels.credentials) == {"username": "watch", "password": "s&cret"}
    assert str(address) == "redis+sentinel://one:26379,[::1]:7,127.0.0.1:26380/my.Primary/3"


@pytest.mark.parametrize("hosts", ["a:1,[::1]:2", "[::1]:1,[::2]:2", "[::1]:1,a:2"])
def test_sentinels_may_have_addresses_of_ipv6_at_any_place(hosts: str) -> None:
    assert str(parse_address(f"redis+sentinel://{hosts}/x")) == f"redis+sentinel://{hosts}/x"


def test_sentinels_and_primary_have_each_their_own_credentials() -> None:
    address = parse_address("redis+sentinel://reports:p%40ss@one/p/3?sentinel_password=other")

    pool = connect(address).connection_pool
    assert isinstance(pool, SentinelConnectionPool)
    sentinel = pool.sentinel_manager.sentinels[0].connection_pool.connection_kwargs

    ours = pool.connection_kwargs
    assert (ours["username"], ours["password"], ours["db"]) == ("reports", "p@ss", 3)
    assert (sentinel["username"], sentinel["password"], sentinel["db"]) == (None, "other", 0)


def test_sentinels_behind_tls_are_checked_like_the_primary() -> None:
    address = parse_address("rediss+sentinel://one/p?ssl_ca_certs=/etc/ca.pem")

    pool = connect(address).connection_pool
    assert isinstance(pool, SentinelConnectionPool)
    sentinel = pool.sentinel_manager.sentinels[0].connection_pool

    assert issubclass(pool.connection_class, SSLConnection)
    assert issubclass(sentinel.connection_class, SSLConnection)
    for options in (pool.connection_kwargs, sentinel.connection_kwargs):
        assert options["ssl_check_hostname"] is True
        assert options["ssl_ca_certs"] == "/etc/ca.pem"


@pytest.mark.parametrize("password", ["p@ss:w/rd?#%", "a=b==", "pässwörd℀", "a://b", "{}[]|^~`\\"])
def test_a_password_with_special_characters_arrives_whole(password: str) -> None:
    address = parse_address(f"broker:7000,password={password},ssl=false")

    options = read_options(address)

    assert (options["host"], options["port"], options["password"]) == ("broker", 7000, password)


BAD = {
    "http://localhost": "the scheme must be one of redis, rediss, unix, redis+sentinel, rediss+sentinel",
    "redis://": "needs a host",
    "redis://:6379": "needs a host",
    "redis://localhost:0": "a port from 1 to 65535",
    "redis://localhost:65536": "the port must be a number from 1 to 65535",
    "redis://localhost:six": "the port must be a number from 1 to 65535",
    "redis://[::1": "cannot be read as a URL",
    "redis://\udcff": "not text in UTF-8",
    "redis://:p\udcff@localhost": "not text in UTF-8",
    "broker:6379,password=\udcff": "not text in UTF-8",
    "redis://a..b": "1 to 63 characters",
    f"redis://{'a' * 64}": "1 to 63 characters",
    "redis+sentinel://one,a..b/name": "1 to 63 characters",
    "redis://localhost/one": "the number of a database",
    "redis://localhost?db=one": "an option after the ?",
    "redis://localhost?colour=red": "an option after the ?",
    "unix://": "needs the path of a socket",
    "redis+sentinel://": "the name of the primary",
    "redis+sentinel://one": "the name of the primary",
    "redis+sentinel://one/": "the name of the primary",
    "redis+sentinel://one/my primary": "the name of the primary",
    "redis+sentinel://one/name/zero": "the name of the primary",
    "redis+sentinel://one/name/0/1": "the name of the primary",
    "redis+sentinel://one/name#part": "the name of the primary",
    "redis+sentinel:///name": "each sentinel must be host or host:port",
    "redis+sentinel://one,,two/name": "each sentinel must be host or host:port",
    "redis+sentinel://one,[::1/name": "an IPv6 address in [ ]",
    "redis+sentinel://one:0/name": "each sentinel must be host or host:port",
    "redis+sentinel://one:six/name": "the port of a sentinel",
    "redis+sentinel://one:65536/name": "the port of a sentinel",
    "redis+sentinel://one/name?colour=red": "an option after the ?",
    "redis+sentinel://one/name?db=one": "an option after the ?",
    ",password=x": "it must begin with host:port",
    ":6379": "it must begin with host:port",
    "localhost:": "it must begin with host:port",
    "localhost:65536": "it must begin with host:port",
    "local host:1": "it must begin with host:port",
    "a/b:1": "it must begin with host:port",
    "u@h:1": "it must begin with host:port",
    "::1": "port",
    "fe80::1:6379": "port",
    "one:6379,two:6379": "one host:port is taken",
    "broker:6379,ssl=maybe": "ssl must be true or false",
    "broker:6379,defaultDatabase=one": "defaultDatabase must be a number",
    "broker:6379,serviceName=mymaster": "unknown option 'servicename'",
}


@pytest.mark.parametrize(("text", "sentence"), BAD.items(), ids=map(ascii, BAD))
def test_a_malformed_address_is_refused_with_the_allowed_form(text: str, sentence: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        find_broker_address({"BROKER_URI": text})

    assert str(refusal.value).startswith("BROKER_URI is not valid: ")
    assert sentence in str(refusal.value)


@pytest.mark.parametrize(
    "text",
    [
        "http://user:hunter2@localhost",
        "redis://user:hunter2@",
        "redis://user:hunter2@localhost:six",
        "redis://user:hunter2@exam℀ple:6379",
        "redis://user:12/hunter2@localhost:6379",
        "redis://:hunter2@localhost?colour=red",
        "redis://localhost?password=hunter2&db=one",
        "redis+sentinel://:hunter2@one:six/name",
        "redis+sentinel://user:12/hunter2@one/name",
        "redis+sentinel://one?sentinel_password=hunter2",
        "redis+sentinel://one/name?sentinel_password=hunter2&colour=red",
        "localhost:six,password=hunter2",
        "localhost:6379,password=hunter2,ssl=maybe",
        "localhost:6379,password=hunter2,colour=red",
        "localhost:6379,hunter2",
    ],
)
def test_a_refusal_does_not_repeat_the_password(text: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        find_broker_address({"ConnectionStrings__broker": text})

    assert "hunter2" not in str(refusal.value)


@pytest.mark.parametrize(
    "text",
    [
        "redis://user:hunter2@localhost:6379/0",
        "redis://localhost?password=hunter2",
        "unix://:hunter2@/run/redis.sock",
        "redis+sentinel://:hunter2@one/name",
        "redis+sentinel://one/name?sentinel_password=hunter2",
        "localhost:6379,password=hunter2",
    ],
)
def test_the_text_of_an_address_hides_the_password(text: str) -> None:
    address = parse_address(text)

    assert "hunter2" in f"{address.url} {address.sentinels and address.sentinels.credentials}"
    assert "hunter2" not in f"{address} {address!r}"


BEGINNINGS = st.sampled_from(
    ["", "redis://", "rediss://h?", "redis://u:p@", "unix://", "h:1,", "h:1,ssl=",
     "redis+sentinel://", "redis+sentinel://u:p@h", "rediss+sentinel://h/p?"]
)  # fmt: skip


@given(st.builds(str.__add__, BEGINNINGS, st.text()))
def test_any_text_is_an_address_that_can_be_used_or_a_refusal(text: str) -> None:
    try:
        address = parse_address(text)
    except ValueError:
        return
    connect(address).connection_pool.make_connection()


@given(st.text(st.characters(exclude_characters=",", exclude_categories=["Cs"])))
def test_any_password_without_a_comma_arrives_whole(password: str) -> None:
    options = read_options(parse_address(f"broker:7000,password={password}"))

    assert options.get("password", "") == password.strip()
    assert options["host"] == "broker"


def test_a_quoted_password_in_a_url_arrives_whole() -> None:
    url = f"redis://:{quote('p@ss:w/rd?#%', safe='')}@broker:7000/1"

    assert read_options(parse_address(url))["password"] == "p@ss:w/rd?#%"
