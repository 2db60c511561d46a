"""Starts, supervises and displays the resources of an application: a Python counterpart of an Aspire AppHost."""

from __future__ import annotations

from .builder import create_builder

__all__ = ["create_builder"]
