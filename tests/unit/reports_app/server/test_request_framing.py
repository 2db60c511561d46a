"""Detection of complete requests from the received bytes."""

from __future__ import annotations

from contextlib import suppress
from itertools import pairwise

import pytest
from gunicorn.config import Config
from gunicorn.http import get_parser
from gunicorn.http.errors import ParseException
from hypothesis import given, settings
from hypothesis import strategies as st

from reports_app.server.request_framing import MAX_HEAD_BYTES, Extent, RequestFraming

MAX_BODY = 1000
CHUNKED = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"


def feed(*pieces: bytes) -> list[Extent]:
    """Return the extent after each piece, up to the first final one."""
    framing, extents = RequestFraming(max_body=MAX_BODY), list[Extent]()
    for piece in pieces:
        extents.append(framing.add(piece))
        if extents[-1] is not Extent.PARTIAL:
            break
    return extents


def final_extent(data: bytes) -> Extent:
    """Return the final extent of bytes that arrive one by one."""
    return feed(*(bytes([byte]) for byte in data))[-1]


names = st.sampled_from([b"X-A", b"Accept", b"Cookie", b"X-Content-Length", b"X-Transfer-Encoding"])
values = st.binary(max_size=30).map(lambda value: bytes(33 + byte % 94 for byte in value))
fields = st.lists(st.tuples(names, values), max_size=5).map(
    lambda pairs: b"".join(b"%s: %s\r\n" % pair for pair in pairs)
)
chunks = st.lists(st.binary(min_size=1, max_size=100), max_size=5)
extensions = st.sampled_from([b"", b";a=b", b' ; a="b;c"'])
trailers = st.sampled_from([b"", b"X-Sum: 1\r\n", b"X-Sum: 1\r\nX-More: 2\r\n"])


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """Requests that gunicorn accepts, with and without bodies, of known and unknown length."""
    empty_line = draw(st.sampled_from([b"", b"\r\n"]))
    line = draw(st.sampled_from([b"GET / HTTP/1.1\r\n", b"POST /a?b=c HTTP/1.1\r\n", b"HEAD / HTTP/1.0\r\n"]))
    begin, end = draw(fields), draw(fields)
    kind = draw(st.sampled_from(["none", "length", "chunked"]))
    if kind == "length":
        body = draw(st.binary(max_size=MAX_BODY))
        name = draw(st.sampled_from([b"Content-Length", b"content-LENGTH"]))
        return empty_line + line + begin + b"%s:  %d\r\n" % (name, len(body)) + end + b"\r\n" + body
    if kind == "chunked" and b"1.0" not in line:
        extension = draw(extensions)
        body = b"".join(b"%x%s\r\n%s\r\n" % (len(chunk), extension, chunk) for chunk in draw(chunks))
        coding = b"Transfer-Encoding: chunked\r\n"
        return empty_line + line + begin + coding + end + b"\r\n" + body + b"0\r\n" + draw(trailers) + b"\r\n"
    return empty_line + line + begin + end + b"\r\n"


@settings(deadline=None)
@given(request=requests(), cuts=st.lists(st.integers(0, 2000), max_size=8), rest=st.binary(max_size=20))
def test_a_request_is_complete_at_its_end_and_never_before(
    request: bytes, cuts: list[int], rest: bytes
) -> None:
    places = sorted({0, *(cut % len(request) for cut in cuts), len(request)})
    pieces = [request[begin:end] for begin, end in pairwise(places)]

    *before, last = feed(*pieces[:-1], pieces[-1] + rest)

    assert last is Extent.WHOLE
    assert set(before) <= {Extent.PARTIAL}


@settings(deadline=None)
@given(request=requests(), rest=st.binary(max_size=20))
def test_the_end_is_where_gunicorn_finds_it(request: bytes, rest: bytes) -> None:
    parser = get_parser(Config(), [request + rest], ("127.0.0.1", 1))

    next(parser).body.read()

    assert parser.unreader.take_buffered() == rest


PARTS = b"GET| |/|HTTP/1.1|\r\n|\r|\n|:|a|\x00|0|3\r\nabc\r\n|\r\n\r\n".split(b"|")
FIELDS = [b"Content-Length: 3\r\n", b"Transfer-Encoding: chunked\r\n", b"Expect: 100-continue\r\n"]
fragments = st.lists(st.sampled_from(PARTS + FIELDS), max_size=5).map(b"".join)


@settings(deadline=None)
@given(request=requests(), place=st.integers(0, 200), length=st.integers(0, 5), put=fragments)
def test_gunicorn_can_read_or_refuse_each_complete_request(
    request: bytes, place: int, length: int, put: bytes
) -> None:
    damaged = b"G" + request[1:place] + put + request[place + length :]

    if final_extent(damaged) is Extent.WHOLE:
        parser = get_parser(Config(), [damaged], ("127.0.0.1", 1))
        with suppress(ParseException):
            next(parser).body.read()


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\nHost: a\n\n",
        b"GET / HTTP/1.1\r\nHost: a\n",
        b"\r\n\r\nGET",
        b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: +5\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length:\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: xchunked\r\n\r\n",
        CHUNKED + b"x\r\n",
        CHUNKED + b"-5\r\n",
        CHUNKED + b"\r\n",
        CHUNKED + b"5 \r\n",
        CHUNKED + b"1\r\nab\r\n",
        CHUNKED + b"0\r\nX-A: b\nX-B: c",
    ],
)
def test_a_malformed_request_is_refused_without_waiting(data: bytes) -> None:
    assert final_extent(data) is Extent.REFUSABLE


@pytest.mark.parametrize("length", [MAX_BODY + 1, 10**9, 10**30])
def test_a_body_that_announces_too_much_is_not_waited_for(length: int) -> None:
    assert final_extent(b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % length) is Extent.REFUSABLE


def test_a_chunked_body_can_be_refused_once_it_is_too_large() -> None:
    chunk = b"fffffff\r\n" + b"x" * MAX_BODY

    assert feed(CHUNKED + chunk, b"x") == [Extent.PARTIAL, Extent.REFUSABLE]


def test_a_chunked_body_of_little_in_many_bytes_is_too_large() -> None:
    assert final_extent(CHUNKED + b"1;extension=of-no-use\r\nx\r\n" * MAX_BODY) is Extent.BODY_TOO_LARGE
    assert final_extent(CHUNKED + b"1;" + b"a" * 3 * MAX_BODY) is Extent.BODY_TOO_LARGE
    assert final_extent(CHUNKED + b"0\r\n" + b"X-A: b\r\n" * MAX_BODY) is Extent.BODY_TOO_LARGE


def test_a_head_without_end_is_too_large() -> None:
    assert final_extent(b"GET / HTTP/1.1\r\nX-A: " + b"a" * MAX_HEAD_BYTES) is Extent.HEAD_TOO_LARGE


def test_a_stream_that_ends_before_its_request_is_told() -> None:
    assert feed(b"GET / HTTP", b"") == [Extent.PARTIAL, Extent.ENDED]


@pytest.mark.parametrize(
    ("head", "expects"),
    [
        (b"POST / HTTP/1.1\r\nContent-Length: 5\r\nExpect: 100-Continue\r\n\r\n", True),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n", True),
        (b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\n", False),
        (b"POST / HTTP/1.0\r\nContent-Length: 5\r\nExpect: 100-continue\r\nX-A: a HTTP/1.1\r\n\r\n", False),
    ],
)
def test_a_client_that_waits_before_its_body_is_known(head: bytes, expects: bool) -> None:
    framing = RequestFraming(max_body=MAX_BODY)

    assert framing.add(head) is Extent.PARTIAL
    assert framing.expects_continue is expects
