"""Limits that the contract states."""

from __future__ import annotations

MOST_BYTES = 64 * 1024
