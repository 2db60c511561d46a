"""A real Spark cluster for tests: a master, two workers and a Connect server, on loopback alone."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import urllib.request
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from harness.ports import free_port
from harness.wait import wait_until

_START_SECONDS = 180
_STOP_SECONDS = 20


class Cluster:
    """Processes of one cluster; what they write is in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._master_port = free_port()
        self._page_port = free_port()
        self._processes: list[subprocess.Popen[bytes]] = []
        self.server = ConnectServer(self, folder)

    @property
    def master(self) -> str:
        return f"spark://127.0.0.1:{self._master_port}"

    def start(self) -> Cluster:
        self.folder.mkdir(parents=True, exist_ok=True)
        master = "org.apache.spark.deploy.master.Master"
        worker = "org.apache.spark.deploy.worker.Worker"
        place = ["--host", "127.0.0.1", "--port", str(self._master_port)]
        self._begin("master", master, *place, "--webui-port", str(self._page_port))
        wait_until(lambda: self._look() is not None, seconds=_START_SECONDS, what="Spark's master")
        for number in (1, 2):
            work = self.folder / f"work-{number}"
            size = [
                "--host",
                "127.0.0.1",
                "--webui-port",
                "0",
                "--work-dir",
                str(work),
                "-c",
                "1",
                "-m",
                "640M",
            ]
            self._begin(f"worker-{number}", worker, *size, self.master)
        wait_until(lambda: self._workers() == 2, seconds=_START_SECONDS, what="two workers at Spark's master")
        self.server.start()
        return self

    def stop(self) -> None:
        self.server.kill()
        for process in reversed(self._processes):
            end(process)
        self._processes.clear()

    def _begin(self, name: str, kind: str, *arguments: str) -> None:
        self._processes.append(begin(self.folder, name, "spark-class", kind, *arguments))

    def _workers(self) -> int:
        seen = self._look() or {}
        return sum(worker["state"] == "ALIVE" for worker in seen.get("workers", []))

    def _look(self) -> Any:
        return look(f"http://127.0.0.1:{self._page_port}/json/")


class ConnectServer:
    """The server that reports speak to; it can be killed and started again."""

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        self._cluster = cluster
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()
        self._page_port = free_port()

    @property
    def address(self) -> str:
        return f"sc://127.0.0.1:{self.port}"

    def start(self) -> None:
        options = {
            "spark.connect.grpc.binding.address": "127.0.0.1",
            "spark.connect.grpc.binding.port": self.port,
            # When a client is gone, its query ends soon after, instead of in 8 minutes (docs/how-to/spark.md).
            "spark.connect.execute.reattachable.senderMaxStreamDuration": "4s",
            "spark.connect.execute.manager.detachedTimeout": "4s",
            "spark.connect.execute.manager.maintenanceInterval": "1s",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.driver.host": "127.0.0.1",
            "spark.executor.memory": "512m",
            "spark.sql.shuffle.partitions": 4,
            "spark.sql.warehouse.dir": self._folder / "tables",
            "spark.ui.port": self._page_port,
        }
        pairs = [word for name, value in options.items() for word in ("--conf", f"{name}={value}")]
        kind = "org.apache.spark.sql.connect.service.SparkConnectServer"
        arguments = ["--master", self._cluster.master, "--class", kind, *pairs, "spark-internal"]
        self._process = begin(self._folder, "connect", "spark-submit", *arguments, memory="768m")
        wait_until(self._is_ready, seconds=_START_SECONDS, what="the Connect server and its two executors")

    def kill(self) -> None:
        """End it as a crash would."""
        if self._process is not None:
            end(self._process, signal.SIGKILL)
            self._process = None

    def running_jobs(self) -> Sequence[Any]:
        """Tell what runs on the cluster now, as its driver says."""
        return [job for job in self._ask("jobs") or [] if job["status"] == "RUNNING"]

    def _is_ready(self) -> bool:
        executors = [executor for executor in self._ask("executors") or [] if executor["id"] != "driver"]
        with socket.socket() as client:
            return len(executors) == 2 and client.connect_ex(("127.0.0.1", self.port)) == 0

    def _ask(self, what: str) -> Any:
        page = f"http://127.0.0.1:{self._page_port}/api/v1/applications"
        applications = look(page)
        return applications and look(f"{page}/{applications[0]['id']}/{what}")


def begin(
    folder: Path, name: str, program: str, *arguments: str, memory: str = "256m"
) -> subprocess.Popen[bytes]:
    """Start one of Spark's programs, which are shell scripts that become the Java process."""
    with resources.as_file(resources.files("pyspark")) as home:
        environ = {
            **os.environ,
            "SPARK_HOME": str(home),
            "SPARK_LOCAL_IP": "127.0.0.1",
            "SPARK_DAEMON_MEMORY": memory,
            "SPARK_LOCAL_DIRS": str(folder / "scratch"),
        }
        command = [str(home / "bin" / program), *arguments]
    with (folder / f"{name}.log").open("ab") as log:
        return subprocess.Popen(
            command, stdout=log, stderr=log, env=environ, cwd=folder, start_new_session=True
        )


def end(process: subprocess.Popen[bytes], with_signal: int = signal.SIGTERM) -> None:
    process.send_signal(with_signal)
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def look(address: str) -> Any:
    """Read JSON; None while nothing answers."""
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:
            return json.load(answer)
    except (OSError, ValueError):
        return None
