"""Replacing the processes of a deployment one by one, as a rolling restart or upgrade does."""

from __future__ import annotations

from pathlib import Path

from harness.client import is_healthy
from harness.processes import ROOT
from harness.wait import wait_until

from .deployment import Deployment

_START_SECONDS = 60


def replace_all(deployment: Deployment, *, folder: Path = ROOT) -> None:
    """Replace each API and then each worker by one that runs what is in `folder`."""
    for number in range(len(deployment.apis)):
        _replace_api(deployment, number, folder)
    for number in range(len(deployment.workers)):
        _replace_worker(deployment, number, folder)


def _replace_api(deployment: Deployment, number: int, folder: Path) -> None:
    """Stop it, then start another on its port: meanwhile the others answer."""
    old, port = deployment.apis[number], deployment.ports[number]
    deployment.note_injection(*old.find_family())
    deployment.supervisor.release(old)
    old.stop()
    new = deployment.make_api(port, folder=folder)
    deployment.supervisor.add(new)
    deployment.apis[number] = new
    wait_until(lambda: is_healthy(port), seconds=_START_SECONDS, what="the health of a new API")


def _replace_worker(deployment: Deployment, number: int, folder: Path) -> None:
    """Start another one, then let the old one finish what it makes."""
    old = deployment.workers[number]
    new = deployment.make_worker(folder=folder)
    deployment.supervisor.add(new)
    deployment.workers[number] = new
    deployment.note_injection(*old.find_family())
    deployment.supervisor.release(old)
    old.stop()
