"""A client that probes a broker: one server, or the primary that sentinels name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from apphost.model.connection_strings import SENTINEL_OPTIONS, read_sentinels

if TYPE_CHECKING:
    from redis import Redis


def make_client(url: str, *, timeout_seconds: float) -> Redis:
    """Make a client without retries. Raises TypeError or ValueError for an unknown option."""
    import redis.sentinel  # noqa: PLC0415 - loading takes 0.2 s, so the probe's thread loads it while the server starts

    timeouts: dict[str, Any] = {
        "socket_timeout": timeout_seconds,
        "socket_connect_timeout": timeout_seconds,
    }
    once = redis.retry.Retry(redis.backoff.NoBackoff(), 0)
    sentinels = read_sentinels(url)
    if not sentinels:
        return redis.Redis.from_url(url, retry=once, **timeouts)
    parts = urlsplit(url)
    name, _, database = parts.path.strip("/").partition("/")
    query = parse_qsl(parts.query)
    rest = urlencode([pair for pair in query if pair[0] not in SENTINEL_OPTIONS])
    login = parts.netloc.rpartition("@")[0]
    # The host is a placeholder: the sentinels give the address.
    plain = f"{parts.scheme.removesuffix('+sentinel')}://{login}@primary/{database}?{rest}"
    options: dict[str, Any] = redis.connection.parse_url(plain)  # type: ignore[no-untyped-call]
    del options["host"]
    tls = {"ssl": options.pop("connection_class", None) is redis.SSLConnection}
    tls |= {option: value for option, value in options.items() if option.startswith("ssl_")}
    own = {SENTINEL_OPTIONS[option]: value for option, value in query if option in SENTINEL_OPTIONS}
    manager = redis.sentinel.Sentinel(  # type: ignore[no-untyped-call]
        sentinels, sentinel_kwargs=timeouts | tls | own | {"retry": once}
    )
    client: Redis = manager.master_for(name, retry=once, **timeouts, **(options | tls))  # type: ignore[no-untyped-call]
    return client
