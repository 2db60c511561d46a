"""Servers that do nothing: the measure for what the frameworks cost, and for whether the peer is itself."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.environments import ROOT
from harness.ports import free_port

from .port import Server, run_server


@contextmanager
def serve_bare_wsgi() -> Iterator[Server]:
    """One process of gunicorn with eight threads."""
    port = free_port()
    gunicorn = Path(sys.executable).parent / "gunicorn"
    options = ["--worker-class", "gthread", "--threads", "8", "--bind", f"127.0.0.1:{port}"]
    command: list[str | Path] = [gunicorn, *options, "--no-control-socket", "benchmarks.bare:wsgi"]
    with run_server(command, folder=ROOT, port=port) as server:
        yield server


@contextmanager
def serve_bare_asgi(peer_python: Path) -> Iterator[Server]:
    """One process of the peer's uvicorn."""
    port = free_port()
    options = ["--host", "127.0.0.1", "--port", str(port), "--no-access-log"]
    command: list[str | Path] = [peer_python, "-m", "uvicorn", "benchmarks.bare:asgi", *options]
    with run_server(command, folder=ROOT, port=port) as server:
        yield server
