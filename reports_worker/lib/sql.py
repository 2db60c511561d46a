"""Names and texts as SQL, in double and single quotes. Values are bound wherever the engine allows it."""

from __future__ import annotations


def quote_name(name: str) -> str:
    """Write the name of a table or column."""
    return '"' + name.replace('"', '""') + '"'


def quote_text(text: str) -> str:
    """Write a text where no value can be bound."""
    return "'" + text.replace("'", "''") + "'"
