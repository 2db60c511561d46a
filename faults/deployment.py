"""The product as it is deployed, with steady submissions; and what a fault needs of it."""

from __future__ import annotations

import secrets
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from pathlib import Path

import psutil

from faults.attempts.attempt_file import AttemptFile, Event, Line, read_lines
from faults.attempts.gates import Gates
from faults.attempts.steps import Step
from harness.broker import ConfiguredBroker
from harness.client import FailoverClient
from harness.ports import free_port
from harness.processes import ROOT, Program, merge
from harness.proxies.interrupting import InterruptingProxy
from harness.small_disk import mount_small_disk
from harness.supervisor import Supervisor
from harness.wait import wait_until

from .load import Load
from .shifted_clock import ShiftedClock

_START_SECONDS = 60
_HOLD_SECONDS = 40
_BURST = 8
# Quick ones, since the machine has much else to do.
_FORMATS = ("csv", "parquet", "json")
_COMMANDS = Path(sys.executable).parent


@dataclass(frozen=True)
class Needs:
    """What a fault needs of the deployment that it is struck on; the first worker is the victim."""

    workers: int = 3
    apis: int = 1
    proxied_victim: bool = False
    proxied_api: bool = False
    small_disk: bool = False
    shifted_clock: bool = False
    # The code and the packages of the version before this one.
    previous_version: bool = False
    # Reports leave files, and are in their middle amid the rows of a table.
    files: bool = False
    # The whole seconds that a report takes.
    report_seconds: str = "1"
    submit_every_seconds: float = 0.7
    grace: str = "5s"


class Deployment:
    """Everything that runs in one scenario."""

    def __init__(self, folder: Path, broker: ConfiguredBroker, needs: Needs, *, seed: int) -> None:
        self.folder, self.broker, self.needs, self.seed = folder, broker, needs, seed
        self.supervisor = Supervisor()
        self.attempts = AttemptFile(folder / "attempts")
        self.gates = Gates(folder / "gates")
        self.artifacts = folder / "artifacts"
        self.ports = [free_port() for _ in range(needs.apis)]
        self.client = FailoverClient(self.ports, formats=_FORMATS if needs.files else None)
        self.load = Load(self.client, needs.submit_every_seconds)
        self._numbers = count(1)
        self.apis: list[Program] = []
        self.workers: list[Program] = []
        # What a fault finds wrong by itself, in sentences.
        self.complaints: list[str] = []

    @cached_property
    def proxy(self) -> InterruptingProxy:
        return InterruptingProxy(self.broker.port, seed=self.seed)

    @cached_property
    def clock(self) -> ShiftedClock:
        return ShiftedClock(self.folder / "clock")

    @property
    def victim(self) -> Program:
        return self.workers[0]

    # -- start

    def start(self) -> None:
        self.supervisor.start()
        if self.needs.proxied_victim or self.needs.proxied_api:
            self.proxy.start()
        for port in self.ports:
            self.apis.append(self.make_api(port))
        for number in range(self.needs.workers):
            self.workers.append(self.make_worker(is_victim=number == 0))
        for program in (*self.apis, *self.workers):
            self.supervisor.add(program)
        wait_until(self.client.is_healthy, seconds=_START_SECONDS, what="the API's health")
        wait_until(self._has_all_workers, seconds=_START_SECONDS, what="the workers' registration")

    def make_api(self, port: int, *, folder: Path = ROOT) -> Program:
        proxied = self.proxy.port if self.needs.proxied_api else None
        return Program(
            [sys.executable, "-m", "reports_app"],
            self._choose_log("api"),
            folder=folder,
            ConnectionStrings__broker=self.broker.url_at(proxied),
            ConnectionStrings__artifacts=str(self.artifacts),
            PORT=str(port),
            REPORTS_SECRET_KEY=self._secret,
        )

    def make_worker(self, *, is_victim: bool = False, folder: Path = ROOT) -> Program:
        proxied = self.proxy.port if is_victim and self.needs.proxied_victim else None
        basics = {
            "ConnectionStrings__broker": self.broker.url_at(proxied),
            "ConnectionStrings__artifacts": str(self.artifacts),
            "REPORTS_SIMULATED_SECONDS": self.needs.report_seconds,
            "REPORTS_GRACE": self.needs.grace,
            "FAULTS_ATTEMPTS": str(self.attempts.path),
        }
        special = {"FAULTS_GATES": str(self.gates.folder)} if is_victim else {}
        files = {"FAULTS_FILES": "true"} if self.needs.files else {}
        clock = self.clock.environ if is_victim and self.needs.shifted_clock else {}
        command: list[str | Path] = [_COMMANDS / "rq", "worker", "-c", "faults.worker_config"]
        return Program(
            command, self._choose_log("worker"), folder=folder, **merge(basics, special, files, clock)
        )

    @cached_property
    def _secret(self) -> str:
        return secrets.token_hex(16)

    def _choose_log(self, name: str) -> Path:
        return self.folder / f"{name}-{next(self._numbers)}.log"

    def _has_all_workers(self) -> bool:
        with self.broker.client() as redis:
            return int(redis.scard("rq:workers")) >= self.needs.workers

    def end(self) -> None:
        self.load.abandon()
        self.gates.open()
        self.broker.resume()
        self.supervisor.end()
        if self.needs.proxied_victim or self.needs.proxied_api:
            self.proxy.close()
        self.broker.kill_at_once()
        self.attempts.close()

    # -- what a fault does

    def bring_to(self, step: Step) -> None:
        """Let a report come to this step: in the victim's hands it is held there until the gates open."""
        if step is Step.QUEUED:
            self.load.submit(_BURST)
            return
        self.gates.arm(step)
        self.load.submit(self.needs.workers)
        wait_until(
            self.find_held, seconds=_HOLD_SECONDS, what=f"a report that is {step} in the victim's hands"
        )

    def find_held(self) -> Line | None:
        """The last report that a gate held."""
        held = [line for line in read_lines(self.attempts.path) if line.event is Event.HELD]
        return held[-1] if held else None

    def find_job_process(self) -> Sequence[psutil.Process]:
        """What the victim has forked."""
        return self.victim.find_family()[1:]

    def note_injection(self, *processes: psutil.Process) -> None:
        """Write down that the fault is there; without processes it hits all."""
        self.attempts.write(Event.STRUCK, pids=[process.pid for process in processes])

    def note_mend(self) -> None:
        """Write down that the fault is over."""
        self.attempts.write(Event.MENDED)

    def freeze(self, processes: Sequence[psutil.Process]) -> None:
        """Stop processes with SIGSTOP, the last one first."""
        for process in reversed(processes):
            process.send_signal(signal.SIGSTOP)
            self.attempts.write(Event.STOPPED, pid=process.pid)

    def thaw(self, processes: Sequence[psutil.Process]) -> None:
        for process in processes:
            self.attempts.write(Event.CONTINUED, pid=process.pid)
            if process.is_running():
                process.send_signal(signal.SIGCONT)


@contextmanager
def deploy(needs: Needs, folder: Path, *, seed: int) -> Iterator[Deployment]:
    """Run the product with its files in `folder`, and end all of it."""
    with ExitStack() as stack:
        data = folder / "data"
        if needs.small_disk:
            stack.enter_context(mount_small_disk(data))
        else:
            data.mkdir()
        broker = ConfiguredBroker(data)
        stack.callback(broker.kill_at_once)
        broker.start()
        deployment = Deployment(folder, broker, needs, seed=seed)
        stack.callback(deployment.end)
        deployment.start()
        yield deployment


def make_folder(name: str) -> Path:
    return Path(tempfile.mkdtemp(prefix=f"faults-{name}-"))
