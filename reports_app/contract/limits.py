"""Limits of the JSON contract."""

from __future__ import annotations

MAX_BODY_BYTES = 64 * 1024
