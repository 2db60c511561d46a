"""Limits in words, for messages to users."""

from __future__ import annotations


def describe_limits(low: object, high: object) -> str:
    """Return " from 1 to 10", " of at least 1", " of at most 10", or nothing where there is no limit."""
    if low is not None and high is not None:
        return f" from {low} to {high}"
    if low is not None:
        return f" of at least {low}"
    return f" of at most {high}" if high is not None else ""
