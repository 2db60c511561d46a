"""Secrets in texts that people read: those that this process knows, and what looks like one, become `***`."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import cast
from urllib.parse import unquote, unquote_plus

MASK = "***"
# How the secret of callbacks begins (Standard Webhooks).
SECRET_PREFIX = "whsec_"  # noqa: S105 - the prefix of a secret
# A shorter secret is part of too many words. Inside a URL or after `password=` it is masked anyway.
SHORTEST = 4
# The most characters of a text that are searched: a longer text is cut in any case.
MOST_READ = 100_000

# No part of a word, such as `bypass`; an underscore ends a word.
_PASS = r"(?<![A-Za-z])(?:db|sql|user)?pass(?![A-Za-z])"  # noqa: S105 - a pattern of names
_PASSWORD_NAME = rf"password|passwd|pwd|passphrase|{_PASS}"
SECRET_NAME = (
    rf"{_PASSWORD_NAME}|secret(?:[_-]?access)?(?:[_-]?key)?|token|api[_-]?key|access[_-]?key|private[_-]?key"
)
# The value of a variable with such a name may be a secret, or the path of a file of secrets.
_KEY_NAME = r"credentials?|(?<![A-Za-z0-9])keys?(?![A-Za-z0-9])"
_SECRET_VARIABLE = re.compile(rf"(?:{SECRET_NAME})$", re.IGNORECASE)
_KEY_VARIABLE = re.compile(rf"(?:{_KEY_NAME})$", re.IGNORECASE)
_SECRET_WITHIN = re.compile(rf"{SECRET_NAME}|{_KEY_NAME}", re.IGNORECASE)
_WORKING_FOLDERS = ("PWD", "OLDPWD")
_QUOTED = r'"(?:[^"\\]|\\.|"")*"?' + r"|'(?:[^'\\]|\\.|'')*'?"
_VALUE = r"""[^\s;,&"')}\]]"""
# No word of a sentence is that long and has a digit. Bounded, as all below, so that no text takes long.
_LOOKS_SECRET = rf"(?={_VALUE}{{0,200}}\d){_VALUE}{{8,}}"
# A password with a slash ends at the first @, unless what precedes the slash is a port.
# One of these is in all that the patterns by name match.
_WORDS = ("auth", "key", "pass", "pwd", "secret", "token")
_USERINFO = re.compile(r"""(://(?!\[)[^\s:/@]*):(?:[^\s/]*@|(?!\d{1,5}[/?#])[^\s@"'<>]{1,200}@)""")
_TOKEN_AS_USER = re.compile(r"""(://)(?:(?=[^\s:/@]{0,200}\d)[^\s:/@?#"'<>]{8,}|[^\s:/@?#"'<>]{20,})@""")
_PAIR = re.compile(
    rf"""({SECRET_NAME})(["']?\s{{0,3}}=\s{{0,3}}|["']\s{{0,3}}:\s{{0,3}})\\*({_QUOTED}|{_VALUE}+)""",
    re.IGNORECASE,
)
# After a colon, or as an option, a sentence may go on as well: "password: must have ...".
_LINE = re.compile(
    rf"((?:{SECRET_NAME})\s{{0,3}}:\s{{0,3}}){_LOOKS_SECRET}"
    rf"|((?:{_PASSWORD_NAME})[^\S\n]{{0,3}}:[^\S\n]{{0,3}})"
    rf"(?:{_QUOTED}|{_VALUE}{{0,200}}\d{_VALUE}*|{_VALUE}{{1,200}}(?=[;,\"')}}\]]|\s*$))",
    re.IGNORECASE | re.MULTILINE,
)
_OPTION = re.compile(
    rf"((?<![\w-])--?[\w-]{{0,40}}(?:{SECRET_NAME})\s{{1,3}})"
    rf"(?!-|(?:and|are|can|cannot|for|has|is|may|must|needs|or|to|was|with)\b)(?:{_QUOTED}|{_VALUE}+)",
    re.IGNORECASE,
)
_AUTHORIZATION = re.compile(
    rf"""(authorization["']?\s{{0,3}}[:=]\s{{0,3}}["']?)"""
    rf"""(?:(?:basic|bearer|negotiate|token)\s+[^\s"',]+|digest\s[^\r\n]+|{_LOOKS_SECRET})""",
    re.IGNORECASE,
)
# A shorter secret of letters and digits alone may be a part of other words, as `reports` is of `reports_app`.
_WORD = re.compile(r"[A-Za-z0-9_]{1,15}")
# A word begins after all but letters, digits and underscores, and after what stands for another character.
_BEGIN = (
    r"(?:(?<![A-Za-z0-9_])"
    + "".join(rf"|(?<=%{'25' * depth}[0-9A-Fa-f]{{2}})" for depth in range(4))
    + r"|(?<=\\x[0-9A-Fa-f]{2})|(?<=\\u[0-9A-Fa-f]{4})|(?<=\\U[0-9A-Fa-f]{8})|(?<=\\[abfnrtv]))"
)
_END = r"(?![A-Za-z0-9_])"
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
        if "://" in text:
            text = _USERINFO.sub(rf"\1:{MASK}@", text)
            text = _TOKEN_AS_USER.sub(rf"\1{MASK}@", text)
        folded = text.casefold()
        if not any(word in folded for word in _WORDS):
            # Most lines of a log: the patterns below take a tenth of what a submit takes.
            return text
        text = _PAIR.sub(rf"\1\2{MASK}", text)
        text = _LINE.sub(rf"\1\2{MASK}", text)
        text = _OPTION.sub(rf"\1{MASK}", text)
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
        if name not in _WORKING_FOLDERS:
            yield from _find_in_value(name, text)


def is_named_as_secret(name: str) -> bool:
    """Test whether the name of a variable suggests a secret."""
    return name not in _WORKING_FOLDERS and _SECRET_WITHIN.search(name) is not None


def _find_in_value(name: str, text: str) -> Iterator[str]:
    if _SECRET_VARIABLE.search(name) or (_KEY_VARIABLE.search(name) and _looks_secret(text)):
        yield text
        yield text.removeprefix(SECRET_PREFIX)
    if _URL.match(text):
        yield from _find_in_url(text)
    elif (values := _read_json(text)) is not None:
        yield from _find_in_json(values)
    elif "=" in text:
        yield from _find_in_pairs(text, ";" if ";" in text else ",")


def _read_json(text: str) -> object:
    """Read an object or a list; None for any other text."""
    if text[:1] not in ("{", "["):
        return None
    try:
        return cast(object, json.loads(text))
    except (ValueError, RecursionError):
        return None


def _find_in_json(found: object) -> Iterator[str]:
    values: list[tuple[str, object]] = [("", found)]
    while values:
        name, value = values.pop()
        if isinstance(value, dict):
            values += value.items()
        elif isinstance(value, list):
            values += ((name, one) for one in value)
        elif isinstance(value, str | int) and not isinstance(value, bool):
            yield from _find_in_value(name, str(value))


def _looks_secret(text: str) -> bool:
    return re.fullmatch(_LOOKS_SECRET, text) is not None and text[0] not in "./~"


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
        user, _, password = login.partition(":")
        if ":" not in login and _TOKEN_AS_USER.match(f"://{user}@"):
            password = user
        yield from (password, unquote(password))
    for found in re.finditer(rf"(?:{SECRET_NAME})=([^&;]*)", rest, re.IGNORECASE):
        yield from (found[1], unquote(found[1]), unquote_plus(found[1]))


def _find_in_pairs(text: str, separator: str) -> Iterator[str]:
    """Find passwords in `Host=...;Password="..."`, `host:port,password=...` or `host=... password=...`."""
    value = rf"""("(?:[^"]|"")*"|'(?:[^']|'')*'|[^{separator}]*)"""
    for found in re.finditer(rf"(?:{SECRET_NAME})\s*=\s*{value}", text, re.IGNORECASE):
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
    """Return the text of an error, masked and cut; the name of an error that cannot be printed."""
    return (secrets or known_secrets()).cut(_read(error) or type(error).__name__, length)


def describe(error: BaseException, *, length: int, secrets: SecretMask | None = None) -> str:
    """Return the name of an error with its text, masked and cut."""
    name, text = type(error).__name__, _read(error)
    return (secrets or known_secrets()).cut(f"{name}: {text}" if text else name, length)


def _read(error: BaseException) -> str:
    try:
        return str(error)
    except BaseException:  # code of the author of the error
        return ""


def _write_pattern(secret: str) -> str:
    # Each backslash stands for any number of them.
    pattern = "".join(map(_write_character, re.sub(r"\\+", r"\\", secret)))
    return f"{_BEGIN}{pattern}{_END}" if _WORD.fullmatch(secret) else pattern


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
