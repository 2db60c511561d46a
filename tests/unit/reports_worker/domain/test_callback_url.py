"""Where a callback may go."""

from __future__ import annotations

import pytest

from reports_worker import LONGEST_URL, TYPES, InvalidSubmissionError, Submission, parse_submission
from reports_worker.domain.callback_url import find_fault, parse_host_patterns
from reports_worker.parameters.calendar import EXAMPLE

HOSTS = ("hooks.example.com", "*.example.org", "127.0.0.1", "::1")


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example.com",
        "http://hooks.example.com/a/b?c=d&e=%20",
        "HTTPS://HOOKS.Example.com:8443/",
        "https://a.example.org/",
        "https://a.b.example.org/",
        "http://127.0.0.1:9000/x",
        "http://[::1]:9000/x",
        "https://hooks.example.com/" + "x" * (LONGEST_URL - 26),
    ],
)
def test_a_url_of_an_allowed_host_is_taken(url: str) -> None:
    assert find_fault(url, HOSTS) is None


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        (None, "must be text"),
        (7, "must be text"),
        ("https://hooks.example.com/" + "x" * (LONGEST_URL - 25), "at most 2,000 characters"),
        ("", "printable ASCII"),
        ("https://hooks.example.com/a b", "printable ASCII"),
        ("https://hooks.exa\nmple.com/", "printable ASCII"),
        ("https://hooks.example.com\\.evil.example/", "printable ASCII"),
        ("https://hööks.example.com/", "printable ASCII"),
        ("https://[::1", "cannot be read"),
        ("ftp://hooks.example.com/", "must begin with https://"),
        ("file:///etc/passwd", "must begin with https://"),
        ("hooks.example.com", "must begin with https://"),
        ("//hooks.example.com/", "must begin with https://"),
        ("https:///x", "must begin with https://"),
        ("https://ada:secret@hooks.example.com/", "user or a password"),
        ("https://hooks.example.com@evil.example/", "user or a password"),
        ("https://@hooks.example.com/", "user or a password"),
        ("https://hooks.example.com/#", "fragment"),
        ("https://hooks.example.com/#x", "fragment"),
        ("https://hooks.example.com:0/", "port"),
        ("https://hooks.example.com:/", "port"),
        ("https://hooks.example.com:65536/", "port"),
        ("https://hooks.example.com:x/", "port"),
        ("https://evil.example/", "can add the host to REPORTS_CALLBACK_HOSTS"),
        ("https://hooks.example.com.evil.example/", "can add the host to REPORTS_CALLBACK_HOSTS"),
        ("https://xhooks.example.com/", "can add the host to REPORTS_CALLBACK_HOSTS"),
        ("https://hooks.example.com./", "can add the host to REPORTS_CALLBACK_HOSTS"),
        ("https://example.org/", "can add the host to REPORTS_CALLBACK_HOSTS"),
        ("https://.example.org/", "can add the host to REPORTS_CALLBACK_HOSTS"),
        ("https://xexample.org/", "can add the host to REPORTS_CALLBACK_HOSTS"),
        ("http://2130706433/", "can add the host to REPORTS_CALLBACK_HOSTS"),
    ],
)
def test_another_url_is_refused_with_a_sentence(url: object, fault: str) -> None:
    found = find_fault(url, HOSTS)

    assert found is not None
    assert fault in found


def test_without_allowed_hosts_callbacks_are_off() -> None:
    assert find_fault("https://hooks.example.com/", ()) == (
        "Callbacks are off: an administrator can allow hosts with REPORTS_CALLBACK_HOSTS."
    )


def test_host_names_are_read_with_commas_between_them() -> None:
    assert parse_host_patterns(" Hooks.Example.com,*.example.org,, [::1] ,10.0.0.7") == (
        *("hooks.example.com", "*.example.org", "::1", "10.0.0.7"),
    )


@pytest.mark.parametrize(
    "text", ["*", "*.", "https://a.example", "a.example:80", "a b", "a..b", "a.*.b", "-a"]
)
def test_what_is_no_host_name_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no host name"):
        parse_host_patterns(text)


def submit(**fields: object) -> Submission:
    data = {"title": "Quarter", "type": "sales", **fields}
    return parse_submission(data, types=TYPES, calendar=EXAMPLE, callback_hosts=HOSTS)


def test_a_submission_may_name_a_callback() -> None:
    assert submit(callback_url="https://hooks.example.com/x").callback_url == "https://hooks.example.com/x"
    assert submit().callback_url is None


@pytest.mark.parametrize("url", [None, "https://evil.example/"])
def test_a_callback_that_is_not_allowed_is_a_field_at_fault(url: object) -> None:
    with pytest.raises(InvalidSubmissionError) as refusal:
        submit(callback_url=url)

    assert [error.field for error in refusal.value.errors] == ["callback_url"]
