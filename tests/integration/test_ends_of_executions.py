"""The end of an execution: once, with all processes that it started, and with its true reason."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import psutil
import pytest

from harness.broker import Broker
from harness.wait import wait_until
from harness.worker_process import RQ_COMMAND, Reports, StartWorker, StartWorkerOf, WorkerProcess, is_gone
from reports_worker import Report, Status, Submission
from tests.integration.sample_types import write_python
from tests.integration.starting_types import COUNT, find_left, find_started, write_starting_types
from tests.raising_types import RAISING

PASSWORD, KEY = "pa55/w0rd:of@crm", "k3y-of-the-store"


@dataclass(frozen=True)
class Scene:
    """A worker that runs one report after the other, and the folder of their types."""

    broker: Broker
    reports: Reports
    worker: WorkerProcess
    types: Path

    def make(self, name: str) -> Report:
        return self.reports.wait_for_end(self.reports.submit(Submission("Quarter", name)), seconds=40)

    def wait_until_all_started(self, task_id: str) -> set[int]:
        return wait_for_started(self.types, task_id)

    def assert_none_is_left(self, task_id: str, *, executions: int = 1) -> None:
        assert_none_is_left(self.types, task_id, executions=executions)

    @property
    def environ(self) -> dict[str, str]:
        return {"REPORTS_PATH": str(self.types)}


def wait_for_started(types: Path, task_id: str) -> set[int]:
    wait_until(lambda: len(find_started(types, task_id)) == COUNT, what="what the report starts")
    return find_started(types, task_id)


def assert_none_is_left(types: Path, task_id: str, *, executions: int = 1) -> None:
    started = find_started(types, task_id)
    assert len(started) >= executions * COUNT
    wait_until(lambda: not find_left(started), seconds=5, what="the end of what the report has started")


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory, start_worker: StartWorkerOf) -> Iterator[Scene]:
    types, files = tmp_path_factory.mktemp("types"), tmp_path_factory.mktemp("files")
    write_starting_types(types)
    write_raising_types(types)
    broker = Broker(tmp_path_factory.mktemp("broker")).start()
    worker = start_worker(
        broker.url,
        REPORTS_PATH=str(types),
        REPORTS_MEMORY="200MB",
        ConnectionStrings__artifacts=str(files),
        CRM_URL="https://bob:pa55%2Fw0rd%3Aof%40crm@crm/api",
        AWS_SECRET_ACCESS_KEY=KEY,
    )
    reports = Reports(broker.url)
    yield Scene(broker, reports, worker.wait_until_ready(), types)
    reports.connection.close()
    broker.stop()


# -- what a report started ends with it


@pytest.mark.parametrize("name", ["completes", pytest.param("raises", marks=pytest.mark.wide)])
def test_processes_of_a_report_end_when_the_report_ends(scene: Scene, name: str) -> None:
    report = scene.make(name)

    assert report.status is (Status.COMPLETED if name == "completes" else Status.FAILED)
    scene.assert_none_is_left(report.task_id)


@pytest.mark.parametrize("name", [pytest.param("waits", marks=pytest.mark.wide), "waits_for_a_program"])
def test_processes_of_a_report_end_at_its_time_limit(scene: Scene, name: str) -> None:
    hurried = Reports(scene.broker.url, timeout=timedelta(seconds=3))
    task_id = hurried.submit(Submission("Quarter", name))

    report = hurried.wait_for_end(task_id)
    assert (report.status, report.reason) == (Status.FAILED, "timeout")
    assert report.error is not None
    assert report.error.startswith("The report took longer than the 3 s that it may run (REPORTS_TIMEOUT).")
    assert report.started_at is not None
    assert report.ended_at is not None
    assert timedelta(seconds=3) <= report.ended_at - report.started_at < timedelta(seconds=17)
    assert hurried.count_executions(task_id) == 1
    scene.assert_none_is_left(task_id)
    hurried.connection.close()


def test_processes_of_a_report_end_at_its_memory_limit(scene: Scene) -> None:
    report = scene.make("hogs")

    assert report.reason == "memory"
    scene.assert_none_is_left(report.task_id)


@pytest.mark.parametrize("is_deleted", [False, True], ids=["cancelled", "deleted"])
def test_processes_of_a_report_end_when_it_is_cancelled_or_deleted(scene: Scene, is_deleted: bool) -> None:
    task_id = scene.reports.submit(Submission("Quarter", "waits"))
    scene.wait_until_all_started(task_id)

    (scene.reports.delete if is_deleted else scene.reports.cancel)(task_id)

    scene.assert_none_is_left(task_id)


# -- the true cause of a death


@pytest.mark.parametrize(
    ("name", "words"),
    [
        # The words of each exit code and signal are those of `test_process_death`.
        pytest.param("exits", "with exit code 3. Contact your administrator.", marks=pytest.mark.wide),
        pytest.param("says_nothing", "with exit code 0. Contact your administrator.", marks=pytest.mark.wide),
        pytest.param(
            "faults",
            "by the signal SIGSEGV (Segmentation fault). Contact your administrator.",
            marks=pytest.mark.wide,
        ),
        pytest.param(
            "aborts", "by the signal SIGABRT (Aborted). Contact your administrator.", marks=pytest.mark.wide
        ),
        ("is_killed", "by the signal SIGKILL (Killed). The kernel sends this signal where no memory is left"),
    ],
)
def test_a_report_whose_process_dies_each_time_fails_with_the_cause_and_leaves_nothing(
    scene: Scene, name: str, words: str
) -> None:
    report = scene.make(name)

    assert (report.status, report.reason) == (Status.FAILED, "abandoned")
    assert scene.reports.count_executions(report.task_id) == 4
    assert scene.reports.connection.llen("rq:queue:reports") == 0
    assert not scene.worker.has_ended
    assert report.error is not None
    assert f"has ended 4 times without a result, the last time {words}" in report.error
    assert f"task {report.task_id}: its process ended {words.partition('.')[0]}" in scene.worker.output
    scene.assert_none_is_left(report.task_id, executions=4)


# -- the worker itself


def test_the_standby_process_survives_the_end_of_a_report(scene: Scene) -> None:
    scene.make("completes")
    scene.worker.wait_until_ready()
    waiting = scene.worker.wait_for_job_process()

    report = scene.make("tells_its_pid")

    assert report.result is not None
    assert report.result["pid"] == waiting.pid


# Two signals requeue it, too, below; a grace period that ends does so in `test_worker_shutdown`.
@pytest.mark.wide
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_processes_of_a_report_end_when_a_stopping_worker_requeues_it(
    scene: Scene, worker: StartWorker, reports: Reports, number: signal.Signals
) -> None:
    process = worker(**scene.environ, REPORTS_GRACE="1s")
    task_id = reports.submit(Submission("Quarter", "waits"))
    wait_for_started(scene.types, task_id)

    process.send(number)

    assert process.wait() == 0
    assert_none_is_left(scene.types, task_id)
    assert reports.get(task_id).status is Status.PENDING
    assert reports.count_executions(task_id) == 0


def test_processes_of_a_report_end_when_its_worker_gets_two_signals(
    scene: Scene, worker: StartWorker, reports: Reports
) -> None:
    process = worker(**scene.environ, REPORTS_GRACE="5m")
    task_id = reports.submit(Submission("Quarter", "waits"))
    wait_for_started(scene.types, task_id)

    def has_ended_after_one_more() -> bool:
        process.send(signal.SIGTERM)
        return process.has_ended

    wait_until(has_ended_after_one_more, what="the worker's exit")

    assert_none_is_left(scene.types, task_id)
    assert reports.get(task_id).status is Status.PENDING
    assert reports.count_executions(task_id) == 0


def test_a_report_is_requeued_although_further_signals_arrive(
    scene: Scene, worker: StartWorker, reports: Reports, broker: Broker
) -> None:
    process = worker(**scene.environ, REPORTS_GRACE="5m")
    task_id = reports.submit(Submission("Quarter", "waits"))
    wait_for_started(scene.types, task_id)
    process.send(signal.SIGTERM)

    def is_ended_by_one_more() -> bool:
        process.send(signal.SIGTERM)
        return not find_left(find_started(scene.types, task_id))

    os.kill(broker.pid, signal.SIGSTOP)
    try:
        wait_until(is_ended_by_one_more, what="the end of what is made")
        process.send(signal.SIGTERM)
        process.send(signal.SIGINT)
    finally:
        os.kill(broker.pid, signal.SIGCONT)

    assert process.wait() == 0
    assert reports.get(task_id).status is Status.PENDING
    assert reports.count_executions(task_id) == 0


def test_a_program_that_was_started_before_the_worker_survives_the_reports(
    scene: Scene, worker: StartWorker, reports: Reports
) -> None:
    process = worker(command=("sh", "-c", f"sleep 1000 & exec {' '.join(RQ_COMMAND)}"), **scene.environ)
    process.wait_until_ready()
    beside = next(child for child in psutil.Process(process.pid).children() if child.name() == "sleep")
    process.wait_for_job_process()  # what the test ends, too

    task_id = reports.submit(Submission("Quarter", "completes"))

    assert reports.wait_for_end(task_id).status is Status.COMPLETED
    assert_none_is_left(scene.types, task_id)
    assert not is_gone(beside)


# -- whatever a report raises has failed it, once


_FORKING = """\
import os, sys
child = os.fork()
if child == 0:
    {in_child}
return {{"code": os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])}}
"""
FORKING = {
    "forks_and_exits": ("sys.exit(3)", 3),
    "forks_and_returns": ("return {'code': -1}", 0),
    "forks_and_raises": ("raise ValueError('in the child')", 1),
    "forks_and_stops": ("sys.exit('no')", 1),
}


def write_raising_types(types: Path) -> None:
    for name, (body, _) in RAISING.items():
        write_python(types, name, body)
    for name, (in_child, _) in FORKING.items():
        write_python(types, name, _FORKING.format(in_child=in_child))
    for name, body in _SHORT_OF_FILES.items():
        write_python(types, name, body)
    write_python(types, "tells_its_pid", "import os\nreturn {'pid': os.getpid()}")
    write_python(types, "says_it_all", f"import os\nraise RuntimeError(f'{PASSWORD} {{dict(os.environ)}}')")
    (types / "interrupts_its_import.py").write_text('raise KeyboardInterrupt("at once")\n')


# All others are raised in the process of the tests, by `test_raising_types`.
@pytest.mark.parametrize(
    "name",
    [
        name if name in ("interrupts", "raises_amid_rows") else pytest.param(name, marks=pytest.mark.wide)
        for name in RAISING
    ],
)
def test_any_exception_of_a_type_fails_its_report_once_with_the_cause(scene: Scene, name: str) -> None:
    report = scene.make(name)

    assert report.reason == "error"
    assert report.error == f"The report failed: {RAISING[name][1]}"
    assert scene.reports.count_executions(report.task_id) == 1


def test_a_file_that_raises_any_exception_at_its_import_fails_its_report_once(scene: Scene) -> None:
    report = scene.make("interrupts_its_import")

    assert report.reason == "error"
    assert report.error == (
        "The definition of 'interrupts_its_import' cannot be used: The file cannot be loaded: "
        "KeyboardInterrupt: at once"
    )
    assert scene.reports.count_executions(report.task_id) == 1


@pytest.mark.parametrize(
    "name",
    [
        "forks_and_exits",
        "forks_and_returns",
        pytest.param("forks_and_raises", marks=pytest.mark.wide),
        pytest.param("forks_and_stops", marks=pytest.mark.wide),
    ],
)
def test_a_process_that_a_type_forks_ends_no_report(scene: Scene, name: str) -> None:
    report = scene.make(name)

    assert report.status is Status.COMPLETED
    assert report.result is not None
    assert report.result["code"] == FORKING[name][1]


# -- a report that leaves nothing to open


_SHORT_OF_FILES = {
    "keeps_all_files_open": """\
        import builtins, resource
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
        builtins.kept = []
        while True:
            builtins.kept.append(open("/dev/null"))""",
    "may_open_nothing": """\
        import resource
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))
        return {"it": "is there"}""",
    "waits_with_all_files_open": """\
        import builtins, resource
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
        builtins.kept = []
        try:
            while True:
                builtins.kept.append(open("/dev/null"))
        except OSError:
            time.sleep(1000)""",
    "closes_what_it_did_not_open": """\
        import os, resource
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))
        os.closerange(3, 256)
        return {}""",
}


def test_a_report_that_uses_up_its_file_descriptors_fails_once_with_the_cause(scene: Scene) -> None:
    report = scene.make("keeps_all_files_open")

    assert (report.reason, scene.reports.count_executions(report.task_id)) == ("error", 1)
    assert report.error is not None
    assert "Too many open files" in report.error
    assert scene.make("tells_its_pid").status is Status.COMPLETED


def test_a_report_whose_process_can_open_no_more_files_is_published(scene: Scene) -> None:
    report = scene.make("may_open_nothing")

    assert (report.status, scene.reports.count_executions(report.task_id)) == (Status.COMPLETED, 1)


def test_a_report_with_all_its_files_open_ends_at_its_time_limit(scene: Scene) -> None:
    hurried = Reports(scene.broker.url, timeout=timedelta(seconds=2))

    report = hurried.wait_for_end(hurried.submit(Submission("Quarter", "waits_with_all_files_open")))

    assert (report.reason, hurried.count_executions(report.task_id)) == ("timeout", 1)
    hurried.connection.close()


def test_a_report_whose_outcome_cannot_be_published_for_lack_of_files_is_abandoned_with_that_cause(
    scene: Scene,
) -> None:
    report = scene.make("closes_what_it_did_not_open")

    assert (report.reason, scene.reports.count_executions(report.task_id)) == ("abandoned", 4)
    assert report.error is not None
    assert "too many open files" in report.error
    assert (
        f"task {report.task_id}: the job process ends: Too many open files, so the outcome 'completed' cannot "
        "be published" in scene.worker.output
    )


# -- no secret in what it raised


def test_an_error_shows_no_password_to_people_or_in_the_log(scene: Scene) -> None:
    report = scene.make("says_it_all")

    assert report.error is not None
    assert report.error.startswith("The report failed: RuntimeError: *** {")
    assert "Traceback" in scene.worker.output
    for text in (report.error, scene.worker.output):
        assert not [secret for secret in (PASSWORD, "pa55%2Fw0rd", "pa55", KEY) if secret in text]
