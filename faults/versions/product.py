"""The processes of one version of the product, over the broker and the files of a deployment."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from faults.deployment import Deployment
from harness.ports import free_port
from harness.processes import ROOT, Program
from harness.wait import wait_until

from . import previous
from .site import Site

_START_SECONDS = 60
_NUMBERS = count(1)


@dataclass(frozen=True)
class Product:
    """One version: its name, its code, and the Python with its packages."""

    version: str
    folder: Path
    python: Path

    def start_api(self, deployment: Deployment, types: Path) -> Site:
        """Start an API on a port of its own, and wait until it answers."""
        site = Site(self.version, free_port())
        environ = {"PORT": str(site.port), "REPORTS_SECRET_KEY": secrets.token_hex(16)}
        program = self._make(deployment, "api", types, [self.python, "-m", "reports_app"], environ)
        deployment.supervisor.add(program)
        wait_until(site.is_healthy, seconds=_START_SECONDS, what=f"the API of version {self.version}")
        return site

    def start_workers(self, deployment: Deployment, types: Path, number: int) -> None:
        """Replace the workers of a deployment by so many of this version; the former ones hand back what they run."""
        for worker in deployment.workers:
            deployment.supervisor.release(worker)
            worker.stop()
        command: list[str | Path] = [self.python.parent / "rq", "worker", "-c", "reports_worker.rq_config"]
        deployment.workers = [self._make(deployment, "worker", types, command, {}) for _ in range(number)]
        for worker in deployment.workers:
            deployment.supervisor.add(worker)

    def _make(
        self,
        deployment: Deployment,
        name: str,
        types: Path,
        command: list[str | Path],
        environ: Mapping[str, str],
    ) -> Program:
        return Program(
            command,
            deployment.folder / f"{self.version}-{name}-{next(_NUMBERS)}.log",
            folder=self.folder,
            PATH=os.pathsep.join([str(self.python.parent), os.environ.get("PATH", os.defpath)]),
            ConnectionStrings__broker=deployment.broker.url,
            ConnectionStrings__artifacts=str(deployment.artifacts),
            REPORTS_PATH=str(types),
            REPORTS_SIMULATED_SECONDS=deployment.needs.report_seconds,
            REPORTS_GRACE=deployment.needs.grace,
            **environ,
        )


def take_current() -> Product:
    """Take this tree, and the environment that runs the suite."""
    return Product("of this tree", ROOT, Path(sys.executable))


def take_previous(folder: Path) -> Product:
    """Take the previous version; its code goes into the folder."""
    return Product(previous.NAME, previous.extract(folder), previous.prepare_environment())
