"""One grammar of the broker's connection string, read by two parsers: that of API and workers, and the apphost's.

The apphost imports nothing of the product. So both parsers read the same texts here, and must agree on each.
"""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apphost.errors import SettingsError as ApphostSettingsError
from apphost.model import connection_strings
from apphost.model.connection_strings import BrokerConnection, parse_connection
from reports_worker import BrokerAddress
from reports_worker.broker import address

ACCEPTED = [
    "localhost",
    "localhost:6379",
    "[::1]:6379",
    " broker:7000 , password=secret , ssl=True ",
    "broker:7000,user=reports,password=secret,ssl=true,defaultDatabase=4",
    "broker:7000,ssl=yes",
    "broker:7000,ssl=No",
    "broker:7000,password=a://b",
    "broker:7000,password=p@/:s",
    "broker:7000,password=",
    "broker:7000,user=reports",
    "broker:7000,abortConnect=false,connectTimeout=5000,allowAdmin=true,,name=api",
    "redis://localhost",
    "REDISS://broker",
    "redis://localhost:6379/",
    "redis://user:p%40ss@broker.example:6380/3",
    "rediss://broker.example?ssl_ca_certs=/etc/ca.pem",
    "unix:///run/redis.sock",
    "unix://:secret@/run/redis.sock?db=2",
    "redis+sentinel://one/name",
    "rediss+sentinel://reports:p%40ss@one,[::1]:7/my.Primary/3?sentinel_password=s%26cret&socket_timeout=3",
]
REFUSED = [
    "",
    "\ue000",
    "a..b:6379",
    f"redis://{'a' * 64}",
    "redis://a..b",
    "redis://host%00name",
    "redis+sentinel://a..b:26379/primary",
    "redis://:\udcff@localhost",
    "http://localhost",
    "redis://",
    "redis://:6379",
    "redis://localhost:0",
    "redis://localhost:65536",
    "redis://localhost:six",
    "redis://[::1",
    "redis://localhost/one",
    "redis://localhost?db=one",
    "redis://localhost?colour=red",
    "unix://",
    "redis+sentinel://one",
    "redis+sentinel://one/",
    "redis+sentinel://one/my primary",
    "redis+sentinel://one/name/zero",
    "redis+sentinel://one/name#part",
    "redis+sentinel:///name",
    "redis+sentinel://one,,two/name",
    "redis+sentinel://one:0/name",
    "redis+sentinel://one/name?colour=red",
    ",password=x",
    "localhost:",
    "localhost:٢",
    "local host:1",
    "u@h:1",
    "::1",
    "one:6379,two:6379",
    "broker:6379,ssl=maybe",
    "broker:6379,ssl=",
    "broker:6379,defaultDatabase=one",
    "broker:6379,serviceName=mymaster",
]
BEGINNINGS = st.sampled_from(
    ["", "redis://", "rediss://h?", "redis://u:p@", "redis://h/", "unix://", "h:", "h:1,", "h:1,ssl=",
     "h:1,password=", "h:1,defaultDatabase=", "redis+sentinel://", "redis+sentinel://u:p@h",
     "rediss+sentinel://h/p?"]
)  # fmt: skip


def read_for_the_product(text: str) -> BrokerAddress | None:
    try:
        return address.parse_address(text.strip())
    except ValueError:
        return None


def read_for_the_apphost(text: str) -> BrokerConnection | None:
    try:
        return parse_connection("broker", text)
    except ApphostSettingsError:
        return None


@pytest.mark.parametrize("text", ACCEPTED)
def test_both_parsers_find_the_same_broker(text: str) -> None:
    for_product, for_apphost = read_for_the_product(text), read_for_the_apphost(text)

    assert for_product is not None
    assert for_apphost is not None
    assert for_apphost.password == unquote(urlsplit(for_product.url).password or "")
    if for_product.sentinels is None:
        assert for_apphost.url == for_product.url
    else:
        assert (for_apphost.host, for_apphost.port) == for_product.sentinels.addresses[0]
        assert for_apphost.sentinel_password == dict(for_product.sentinels.credentials).get("password", "")


@pytest.mark.parametrize("text", REFUSED)
def test_both_parsers_refuse(text: str) -> None:
    assert read_for_the_product(text) is None
    assert read_for_the_apphost(text) is None


@given(st.builds(str.__add__, BEGINNINGS, st.text()))
def test_any_text_is_accepted_by_both_parsers_or_by_none(text: str) -> None:
    assert (read_for_the_product(text) is None) == (read_for_the_apphost(text) is None)


def test_both_parsers_know_the_same_words() -> None:
    assert connection_strings.SCHEMES == address.SCHEMES
    assert connection_strings.SENTINEL_PORT == address.SENTINEL_PORT
    assert connection_strings._IGNORED_OPTIONS == address._IGNORED_OPTIONS
