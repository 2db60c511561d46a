"""Secrets in texts that people read."""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Callable, Mapping
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports_worker.errors import ReportsError
from reports_worker.execution.failures import to_failure
from reports_worker.lib.logfmt import MaskedFormatter
from reports_worker.lib.masking import MOST_READ, SHORTEST, SecretMask, describe, find_secrets

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
# What a short secret of letters and digits is a part of is a word of its own.
WORD = re.compile(r"[A-Za-z0-9_]{1,15}")
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
    if WORD.fullmatch(secret):
        before, after = f"{before} ", f" {after}"

    for error in (RuntimeError(before + text + after), ReportsError(before + text + after)):
        failed = to_failure(error, secrets)

        assert text not in failed.error
        assert secret not in failed.error.removeprefix("The report failed: RuntimeError: ")


@given(st.sampled_from(list(WRITTEN.values())), SECRETS, st.integers(400, 520))
def test_no_half_of_a_password_stays_where_the_sentence_is_cut(
    write: Callable[[str], str], secret: str, before: int
) -> None:
    secrets = SecretMask([secret])

    failed = to_failure(ValueError("." * before + write(secret) + "." * 600), secrets)

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
        ("Authorization: Bearer abc", "Authorization: ***"),
        ('authorization: Digest username="bob", response="6629"', "authorization: ***"),
        ("Authorization: 0a1b2c3d4e", "Authorization: ***"),
        ("Authorization: you need a role", "Authorization: you need a role"),
        ("Authorization: insufficient", "Authorization: insufficient"),
        ("password: hunter2", "password: ***"),
        ("password: hunter2 is wrong", "password: *** is wrong"),
        ("user: bob\npassword: hunter\nhost: db", "user: bob\npassword: ***\nhost: db"),
        ("(user: bob, password: hunter, host: db)", "(user: bob, password: ***, host: db)"),
        ("token: eyJhbGciOi1", "token: ***"),
        ("password: must have a capital letter", "password: must have a capital letter"),
        ("Invalid token: SELECT", "Invalid token: SELECT"),
        ("mysql --password abc --host db", "mysql --password *** --host db"),
        ("crm --client-secret 'a b' -v", "crm --client-secret *** -v"),
        ("argument --password: expected one argument", "argument --password: expected one argument"),
        ("the option --password is required", "the option --password is required"),
        ("user=bob pass=abc", "user=bob pass=***"),
        ("DB_PASS=abc dbpass=def bypass=1 compass=2", "DB_PASS=*** dbpass=*** bypass=1 compass=2"),
        ("http://user:pa/ss@host/x", "http://user:***@host/x"),
        ("https://example.com:8080/to?bob@example.com", "https://example.com:8080/to?bob@example.com"),
        ("http://[::1]:8080/to?bob@example.com", "http://[::1]:8080/to?bob@example.com"),
        ("https://ghp_16C7e42F292c6912@github.com/a/b", "https://***@github.com/a/b"),
        ("https://abcdefghijklmnopqrstuvwx@host", "https://***@host"),
        ("ssh://git@github.com/a/b", "ssh://git@github.com/a/b"),
        ("postgresql://reporting_reader@db/shop", "postgresql://reporting_reader@db/shop"),
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


@pytest.mark.parametrize(
    ("name", "value", "secrets"),
    [
        ("DATABASE_PASS", "hunter", {"hunter"}),
        ("STRIPE_KEY", "sk_live_4eC39Hq", {"sk_live_4eC39Hq"}),
        ("GOOGLE_CREDENTIALS", "/run/key-1.json", set()),
        ("SORT_KEY", "created_at", set()),
        ("SSH_KEY", "/home/bob/.ssh/id_ed25519", set()),
        ("BYPASS", "yes, all", set()),
        ("ODBC", "Host=db;User=bob;Pass=hunter;Port=1", {"hunter"}),
        ("CRM", '{"user": "bobby", "password": "hunter", "port": 5432}', {"hunter"}),
        (
            "CRM",
            '[{"to": {"api_key": "abcd"}}, "sc://db/;token=efgh", {"pin_token": 12345, "has_token": true}]',
            {"abcd", "efgh", "12345"},
        ),
        ("CRM", "[" * 100_000, set()),
        ("CRM", '{"password": ', set()),
        ("REPOSITORY", "https://ghp_16C7e42F292c6912@github.com/a", {"ghp_16C7e42F292c6912"}),
    ],
)
def test_secrets_are_found_in_variables_of_every_form(name: str, value: str, secrets: set[str]) -> None:
    assert {secret for secret in find_secrets({name: value}) if len(secret) >= SHORTEST} == secrets


@pytest.mark.parametrize(
    ("secret", "text", "masked"),
    [
        ("reports", "No module named 'reports_app' or reports2", "No module named 'reports_app' or reports2"),
        ("reports", "role reports: reports@db, (reports)", "role ***: ***@db, (***)"),
        ("1234", "12345 rows and 91234, not 1234", "12345 rows and 91234, not ***"),
        ("my_crm", "my_crm_rows of my_crm, my%5Fcrm", "my_crm_rows of ***, ***"),
        ("hunter2", r"a\nhunter2 %3Ahunter2%40 %253Ahunter2 \x27hunter2\x27 \u20achunter2", None),
        ("a1" * 10, f"x{'a1' * 10}y", "x***y"),
    ],
)
def test_a_short_word_that_is_a_secret_is_masked_where_it_stands_alone(
    secret: str, text: str, masked: str | None
) -> None:
    assert SecretMask([secret])(text) == (text.replace(secret, "***") if masked is None else masked)


@pytest.mark.parametrize(
    "part",
    [
        "token:",
        "password:",
        "password: a",
        "://a:",
        "://",
        "--",
        "-",
        "pass",
        "authorization: ",
        "--password ",
        "a1",
        "=",
        "://a1",
    ],
)
def test_no_text_takes_long_to_mask(part: str) -> None:
    masked = SecretMask(["hunter2"])(part * (MOST_READ // len(part)))

    assert len(masked) <= MOST_READ


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
