"""Secrets in texts that people read."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Mapping
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports_worker.errors import ReportsError
from reports_worker.logs import MaskedFormatter
from reports_worker.masking import MOST_READ, SHORTEST, SecretMask, describe, find_secrets
from reports_worker.outcomes import explain

# Each puts a password into the variable of a setting, as that setting has it.
SETTINGS: Mapping[str, Callable[[str], tuple[str, str]]] = {
    "broker_url": lambda secret: ("BROKER_URI", f"redis://:{quote(secret, safe='')}@db:6379/0"),
    "broker_user": lambda secret: ("ConnectionStrings__broker", f"rediss://bob:{quote(secret, safe='')}@db"),
    "sentinel": lambda secret: (
        "ConnectionStrings__broker",
        f"redis+sentinel://a,b/main?sentinel_password={quote_plus(secret)}&db=1",
    ),
    "postgresql": lambda secret: (
        "ConnectionStrings__warehouse",
        f"postgresql://bob:{quote(secret)}@db:5432/shop?sslmode=require",
    ),
    "postgresql_option": lambda secret: (
        "ConnectionStrings__warehouse",
        f"postgresql://db/shop?user=bob&password={quote(secret, safe='')}",
    ),
    "npgsql": lambda secret: (
        "ConnectionStrings__warehouse",
        'Host=db;Username=bob;Password="' + secret.replace('"', '""') + '";Database=shop',
    ),
    "spark": lambda secret: ("ConnectionStrings__warehouse", f"sc://db/;token={quote(secret, safe='')};x=1"),
    "of_a_type": lambda secret: ("CRM_URL", f"https://bob:{quote(secret, safe='')}@crm/api"),
    "s3": lambda secret: ("AWS_SECRET_ACCESS_KEY", secret),
    "s3_session": lambda secret: ("AWS_SESSION_TOKEN", secret),
    "callbacks": lambda secret: ("REPORTS_CALLBACK_SECRET", f"whsec_{secret}"),
    "pages": lambda secret: ("REPORTS_SECRET_KEY", secret),
    "libpq": lambda secret: ("PGPASSWORD", secret),
}
# Each writes a password as the text of an error may have it.
WRITTEN: Mapping[str, Callable[[str], str]] = {
    "raw": str,
    "repr": repr,
    "repr_of_repr": lambda secret: repr(repr(secret)),
    "bytes": lambda secret: repr(secret.encode()),
    "json": json.dumps,
    "json_in_utf8": lambda secret: json.dumps(secret, ensure_ascii=False),
    "quoted": quote,
    "quoted_wholly": lambda secret: quote(secret, safe=""),
    "quoted_plus": quote_plus,
    "quoted_in_small_letters": lambda secret: quote(secret, safe="").replace("%3A", "%3a"),
    "quoted_twice": lambda secret: quote(quote(secret, safe=""), safe=""),
    "url_in_repr": lambda secret: repr({"dsn": f"postgresql://bob:{secret}@db/shop"}),
}
# Asterisks are what a secret is replaced with, and spaces at the ends are no part of a variable.
_CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="*\x00")
SECRETS = st.one_of(
    st.text("ab12%+/@:;#?&=\"' \\\n\té€😀", min_size=SHORTEST, max_size=20),
    st.text(_CHARACTERS, min_size=SHORTEST, max_size=40),
).filter(lambda secret: len(secret.strip()) == len(secret))
# What may stand around it has nothing in common with it, so that what is found is the secret.
AROUND = st.text("xyz .", max_size=600)


def find_all(written: Mapping[str, Callable[[str], str]], secret: str) -> set[str]:
    return {write(secret) for write in written.values()}


@given(
    st.sampled_from(list(SETTINGS.values())), st.sampled_from(list(WRITTEN.values())), SECRETS, AROUND, AROUND
)
def test_a_password_of_any_setting_is_in_no_sentence_about_an_error(
    set_: Callable[[str], tuple[str, str]], write: Callable[[str], str], secret: str, before: str, after: str
) -> None:
    name, value = set_(secret)
    secrets = SecretMask(find_secrets({name: value, "LANG": "C.UTF-8"}))
    text = write(secret)

    for error in (RuntimeError(before + text + after), ReportsError(before + text + after)):
        failed = explain(error, secrets)

        assert text not in failed.error
        assert secret not in failed.error.removeprefix("The report could not be made: RuntimeError: ")


@given(st.sampled_from(list(WRITTEN.values())), SECRETS, st.integers(400, 520))
def test_no_half_of_a_password_stays_where_the_sentence_is_cut(
    write: Callable[[str], str], secret: str, before: int
) -> None:
    secrets = SecretMask([secret])

    failed = explain(ValueError("." * before + write(secret) + "." * 600), secrets)

    assert set(failed.error.partition("ValueError: ")[2]) <= set(".*'\"b\\{}dsn:/ postgrequlhp@")


def test_a_text_that_is_too_long_to_be_read_ends_before_half_a_password_could() -> None:
    secret = "s3cr3t" * 5
    secrets = SecretMask([secret])
    text = secret * (MOST_READ // len(secret)) + " " * 5 + secret

    assert set(secrets.cut(text, MOST_READ)) == {"*"}


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("cannot open postgresql://bob:s3cr3t@db/shop", "cannot open postgresql://bob:***@db/shop"),
        ("redis://:a@db: no", "redis://:***@db: no"),
        ("amqp://bob:p@ss#w?rd@db", "amqp://bob:***@db"),
        ("https://example.com:8080/path is away", "https://example.com:8080/path is away"),
        ("host=db password=abc user=bob", "host=db password=*** user=bob"),
        ("Host=db;Pwd=a;User=bob", "Host=db;Pwd=***;User=bob"),
        ('Host=db;Password="a;b""c";User=bob', "Host=db;Password=***;User=bob"),
        ("{'user': 'bob', 'password': 'it\\'s'}", "{'user': 'bob', 'password': ***}"),
        ('{"client_secret": "x", "n": 1}', '{"client_secret": ***, "n": 1}'),
        ("GET /?access_token=abc.def&n=1 failed", "GET /?access_token=***&n=1 failed"),
        ("{'Authorization': 'Bearer abc.def-ghi'}", "{'Authorization': '***'}"),
        ("Authorization: Basic Ym9iOnBhc3M=", "Authorization: ***"),
        ('password authentication failed for user "bob"', 'password authentication failed for user "bob"'),
        ("unexpected token: ,", "unexpected token: ,"),
        ("pwd='unclosed and more", "pwd=***"),
    ],
)
def test_what_looks_like_a_secret_is_masked_also_where_nobody_knows_it(text: str, masked: str) -> None:
    secrets = SecretMask([])

    assert secrets(text) == masked
    assert secrets(masked) == masked


@pytest.mark.parametrize("secret", ["a", "1", "or", "the"])
def test_a_short_password_is_masked_in_an_address_alone(secret: str) -> None:
    secrets = SecretMask(find_secrets({"BROKER_URI": f"redis://:{secret}@db", "MY_PASSWORD": secret}))
    sentence = "There are 11 of the orders that cannot be read."

    assert secrets(sentence) == sentence
    assert secrets(f"redis://:{secret}@db, password={secret}, {sentence}") == (
        f"redis://:***@db, password=***, {sentence}"
    )


@pytest.mark.parametrize(
    "environ",
    [
        {"PWD": "/home/bob", "OLDPWD": "/home/bob/a"},
        {"TOKENIZERS_PARALLELISM": "false", "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "SECRETS_FOLDER": "/run"},
        {"BROKER_URI": "redis://localhost:6379/0", "ConnectionStrings__warehouse": "Host=db;Database=shop"},
        {"LS_COLORS": "di=01;34:ln=01;36"},
    ],
)
def test_what_is_no_secret_is_not_taken_for_one(environ: Mapping[str, str]) -> None:
    assert [secret for secret in find_secrets(environ) if len(secret) >= SHORTEST] == []


def test_a_password_with_many_backslashes_is_found_in_little_time() -> None:
    secrets = SecretMask(["\\" * 40 + "end"])

    assert secrets("\\" * 2000 + "x") == "\\" * 2000 + "x"


class UnprintableError(Exception):
    def __str__(self) -> str:
        raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (UnprintableError(), "UnprintableError"),
        (KeyboardInterrupt(), "KeyboardInterrupt"),
        (KeyError("x"), "KeyError: 'x'"),
    ],
)
def test_an_error_is_named_even_if_it_has_no_text(error: BaseException, words: str) -> None:
    assert describe(error, length=100) == words


def test_no_line_of_the_log_holds_a_password_nor_does_the_traceback_below_it() -> None:
    try:
        try:
            raise RuntimeError("sc://bob:first@db")
        except RuntimeError as error:
            raise ValueError("password=second") from error
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, "", 0, "redis://:third@db", (), sys.exc_info())

    text = MaskedFormatter("%(message)s").format(record)

    assert text.startswith("redis://:***@db\nTraceback")
    assert "RuntimeError: sc://bob:***@db" in text
    assert text.endswith("ValueError: password=***")
