"""Secrets in texts that people read: those that this process knows, and what looks like one, become `***`."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from urllib.parse import unquote, unquote_plus

from .webhooks import SECRET_PREFIX

MASK = "***"
# A shorter one is part of too many words. Inside a URL or after `password=` it is masked all the same.
SHORTEST = 4
# Of a longer text only the beginning is looked at: it is to be cut in any case.
MOST_READ = 100_000

_SECRET_NAME = r"password|passwd|pwd|passphrase|secret(?:[_-]?access)?(?:[_-]?key)?|token|api[_-]?key"  # noqa: S105
_SECRET_VARIABLE = re.compile(rf"(?:{_SECRET_NAME}|access[_-]?key|private[_-]?key)$", re.IGNORECASE)
_WORKING_FOLDERS = ("PWD", "OLDPWD")
_QUOTED = r'"(?:[^"\\]|\\.|"")*"?' + r"|'(?:[^'\\]|\\.|'')*'?"
_USERINFO = re.compile(r"(://[^\s:/@]*):[^\s/]*@")
_PAIR = re.compile(
    rf"""({_SECRET_NAME})(["']?\s{{0,3}}=\s{{0,3}}|["']\s{{0,3}}:\s{{0,3}})\\*({_QUOTED}|[^\s;,&"')}}\]]+)""",
    re.IGNORECASE,
)
_AUTHORIZATION = re.compile(
    r"""(authorization["']?\s{0,3}[:=]\s{0,3}["']?)(?:(?:basic|bearer|token)\s+)?[^\s"',]+""", re.IGNORECASE
)
_BACKSLASHES = r"(?:%(?:25)*5[Cc]|\\x5[Cc]|\\u005[Cc]|\\)+"
_ESCAPES = dict(zip("\a\b\f\n\r\t\v", "abfnrtv", strict=True))
_URL = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)


class SecretMask:
    """Masks secrets as they are, percent-encoded, as Python or JSON writes them, and any mixture of these."""

    def __init__(self, secrets: Iterable[str]) -> None:
        known = sorted({one for one in secrets if len(one) >= SHORTEST}, key=len, reverse=True)
        self._known = re.compile("|".join(map(_write_pattern, known))) if known else None
        # How much of the end of a text may be the beginning of a secret.
        self._tail = 1000 + 16 * max(map(len, known), default=0)

    def __call__(self, text: str) -> str:
        if self._known is not None:
            text = self._known.sub(MASK, text)
        text = _USERINFO.sub(rf"\1:{MASK}@", text)
        text = _PAIR.sub(rf"\1\2{MASK}", text)
        return _AUTHORIZATION.sub(rf"\1{MASK}", text)

    def cut(self, text: str, length: int) -> str:
        """Mask a text, and then cut it: nothing would find a secret that was cut in two."""
        masked = self(text[:MOST_READ])
        if len(text) > MOST_READ:
            masked = masked[: -self._tail]
        return masked[:length]


def find_secrets(environ: Mapping[str, str]) -> Iterator[str]:
    """Find the values of variables that are named as secrets, and the passwords in addresses."""
    for name, value in environ.items():
        text = value.strip()
        if _SECRET_VARIABLE.search(name) and name not in _WORKING_FOLDERS:
            yield text
            yield text.removeprefix(SECRET_PREFIX)
        if _URL.match(text):
            yield from _find_in_url(text)
        elif "=" in text:
            yield from _find_in_pairs(text, ";" if ";" in text else ",")


def _find_in_url(url: str) -> Iterator[str]:
    rest = url.partition("://")[2]
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    # Libraries do not agree on where a password ends that has one of @ / ? # in it.
    logins = (
        authority.rpartition("@")[0],
        rest.rpartition("@")[0],
        rest.split("@")[0] if "@" in rest else "",
    )
    for login in logins:
        password = login.partition(":")[2]
        yield from (password, unquote(password))
    for found in re.finditer(rf"(?:{_SECRET_NAME})=([^&;]*)", rest, re.IGNORECASE):
        yield from (found[1], unquote(found[1]), unquote_plus(found[1]))


def _find_in_pairs(text: str, separator: str) -> Iterator[str]:
    """Find passwords in `Host=...;Password="..."`, `host:port,password=...` or `host=... password=...`."""
    value = rf"""("(?:[^"]|"")*"|'(?:[^']|'')*'|[^{separator}]*)"""
    for found in re.finditer(rf"(?:{_SECRET_NAME})\s*=\s*{value}", text, re.IGNORECASE):
        secret = found[1].strip()
        yield from (secret, secret.partition(" ")[0])
        if secret[:1] in ("'", '"'):
            yield secret[1:-1].replace(secret[0] * 2, secret[0])


@cache
def known_secrets() -> SecretMask:
    """The mask of what the environment of this process holds; read once, and before any report's code runs."""
    return SecretMask(find_secrets(os.environ))


def mask(text: str) -> str:
    """Mask what this process knows, and what looks like a secret."""
    return known_secrets()(text)


def say(error: BaseException, *, length: int, secrets: SecretMask | None = None) -> str:
    """Give the text of an error, masked and cut; of one that cannot be printed, its name."""
    return (secrets or known_secrets()).cut(_read(error) or type(error).__name__, length)


def describe(error: BaseException, *, length: int, secrets: SecretMask | None = None) -> str:
    """Name an error, and give its text, masked and cut."""
    name, text = type(error).__name__, _read(error)
    return (secrets or known_secrets()).cut(f"{name}: {text}" if text else name, length)


def _read(error: BaseException) -> str:
    try:
        return str(error)
    except BaseException:  # code of whoever wrote the error
        return ""


def _write_pattern(secret: str) -> str:
    # Each backslash stands for any number of them.
    return "".join(map(_write_character, re.sub(r"\\+", r"\\", secret)))


def _write_character(character: str) -> str:
    """Write a regular expression of all that may stand for a character; letters and digits stay as they are."""
    if character.isascii() and character.isalnum():
        return character
    if character == "\\":
        return _BACKSLASHES
    code = ord(character)
    octets = character.encode("utf-8", "surrogatepass")
    units = character.encode("utf-16-be", "surrogatepass").hex()
    escapes = {
        re.escape(character),
        "".join(f"%(?:25)*(?i:{octet:02x})" for octet in octets),
        "".join(rf"\\+x(?i:{octet:02x})" for octet in octets),
        "".join(rf"\\+u(?i:{units[place : place + 4]})" for place in range(0, len(units), 4)),
        rf"\\+U(?i:{code:08x})",
    }
    if code < 256:
        escapes.add(rf"\\+x(?i:{code:02x})")
    if character in "\"'/":
        escapes.add(rf"\\+{character}")
    elif letter := _ESCAPES.get(character):
        escapes.add(rf"\\+{letter}")
    elif character == " ":
        escapes.add(r"\+")
    return f"(?:{'|'.join(sorted(escapes, key=len, reverse=True))})"
