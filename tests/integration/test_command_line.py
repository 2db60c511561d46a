"""The commands for reports: their output and exit codes."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from harness.broker import Broker
from harness.ports import free_port
from harness.wait import wait_until
from harness.worker_process import Reports, StartWorkerOf
from reports_worker import Status
from reports_worker.cli.main import main
from reports_worker.domain.report import Completed
from reports_worker.domain.serialization import serialize
from reports_worker.queue.leases import Execution, Leases
from tests.integration import command_lines

UNKNOWN_ID = "0190a2b4-5c6d-7000-8000-00000000abcd"
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
DOCS = ("README.md", "docs/how-to/python-and-shell.md")


@pytest.fixture(scope="module")
def busy_broker(tmp_path_factory: pytest.TempPathFactory, start_worker: StartWorkerOf) -> Iterator[Broker]:
    """A broker with a worker that makes reports at once."""
    broker = Broker(tmp_path_factory.mktemp("busy")).start()
    start_worker(broker.url).wait_until_ready()
    yield broker
    broker.stop()


@pytest.fixture
def leases(reports: Reports) -> Leases:
    return Leases(reports.connection, retention=timedelta(days=1))


def ask(broker: Broker, *arguments: str, url: str | None = None) -> Result:
    """Run a command in this process."""
    environ = {"ConnectionStrings__broker": url or broker.url, "REPORTS_RETENTION": None}
    return CliRunner(env=environ).invoke(main, arguments, prog_name="reports")


def begin(reports: Reports, leases: Leases, task_id: str) -> Execution:
    """Begin a report as a worker does."""
    reports.connection.lrem("rq:queue:reports", 0, task_id)
    execution = Execution(task_id, "1")
    assert leases.start(execution, worker="test", expires=timedelta(hours=1))
    return execution


def read_task_id(errors: str) -> str:
    found = _ID.search(errors)
    assert found
    return found[0]


def test_a_submit_prints_the_id_alone(broker: Broker, reports: Reports) -> None:
    done = ask(broker, "submit", "Quarter", "sales")

    assert (done.exit_code, done.stderr) == (0, "")
    assert reports.get(done.stdout.strip()).title == "Quarter"


def test_a_submit_that_waits_prints_the_figures_alone(busy_broker: Broker) -> None:
    done = ask(busy_broker, "submit", "Quarter", "sales", "--wait")

    assert done.exit_code == 0
    assert json.loads(done.stdout)["total_sales"] > 0
    first, *_, last = done.stderr.splitlines()
    assert _ID.fullmatch(first)
    assert last == "100 %  completed"


def test_elsewhere_than_on_a_terminal_each_stage_is_one_line(
    broker: Broker, reports: Reports, leases: Leases
) -> None:
    reports.submit_sales("Before")
    with command_lines.start(broker.url, "submit", "Quarter", "sales", "--wait") as running:
        running.wait_for("  0 %  pending, 1 ahead in the queue\n")
        execution = begin(reports, leases, task_id := read_task_id(running.errors))
        leases.progress(execution, 40, "adding up")
        running.wait_for(" 40 %  adding up\n")
        leases.publish(execution, Completed({"total_sales": 7}))
        code, output = running.wait()

    assert code == 0
    assert json.loads(output) == {"title": "Quarter", "type": "sales", "total_sales": 7}
    lines = [line for line in running.errors.splitlines() if line != "  0 %  running"]
    assert lines == [task_id, "  0 %  pending, 1 ahead in the queue", " 40 %  adding up", "100 %  completed"]


def test_on_a_terminal_a_bar_goes_forward_and_back(broker: Broker, reports: Reports, leases: Leases) -> None:
    with command_lines.start(broker.url, "submit", "Quarter", "sales", "--wait", on_terminal=True) as running:
        running.wait_for("pending")
        execution = begin(reports, leases, read_task_id(running.errors))
        leases.progress(execution, 50, "adding up " + "x" * 200)
        running.wait_for(f"[{'#' * 15}{'-' * 15}]  50 %  adding up")
        leases.progress(execution, 10, "begun anew")
        running.wait_for(f"[{'#' * 3}{'-' * 27}]  10 %  begun anew")
        leases.publish(execution, Completed({"total_sales": 7}))
        code, output = running.wait()

    assert code == 0
    assert json.loads(output)["total_sales"] == 7
    _, *drawn = running.errors.split("\r\x1b[K")
    assert max(map(len, (text.strip() for text in drawn))) <= 79
    assert drawn[-1].strip() == f"[{'#' * 30}] 100 %  completed"


@pytest.mark.parametrize("on_terminal", [True, pytest.param(False, marks=pytest.mark.wide)])
def test_ctrl_c_ends_the_wait_and_prints_that_the_report_continues(
    broker: Broker, reports: Reports, on_terminal: bool
) -> None:
    arguments = ("submit", "Quarter", "sales", "--wait")
    with command_lines.start(broker.url, *arguments, on_terminal=on_terminal) as running:
        running.wait_for("pending")
        running.process.send_signal(signal.SIGINT)
        code, output = running.wait()

    task_id = read_task_id(running.errors)
    assert (code, output) == (130, "")
    assert running.errors.splitlines()[-1] == (
        f"The report continues. Show its status with: python -m reports_worker show {task_id}"
    )
    assert "Traceback" not in running.errors
    assert reports.get(task_id).status is Status.PENDING


def test_an_outage_of_the_broker_during_the_wait_is_reported_in_one_sentence(tmp_path: Path) -> None:
    broker = Broker(tmp_path).start()
    with command_lines.start(broker.url, "submit", "Quarter", "sales", "--wait") as running:
        running.wait_for("pending")
        broker.kill()
        code, output = running.wait()

    assert (code, output) == (1, "")
    error, hint = running.errors.splitlines()[-2:]
    assert error.startswith("The report continues. Show its status with: ")
    assert hint.startswith("Error: The broker cannot be used: ")


def test_a_report_that_fails_fails_the_waiting_submit(broker: Broker, reports: Reports) -> None:
    def cancel() -> None:
        wait_until(lambda: reports.list().total == 1, what="the report")
        reports.cancel(reports.list().reports[0].task_id)

    with ThreadPoolExecutor(1) as threads:
        cancelling = threads.submit(cancel)
        done = ask(broker, "submit", "Quarter", "sales", "--wait")
        cancelling.result()

    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.endswith("Error: This report was cancelled before it was completed.\n")


def test_without_a_broker_one_line_names_the_setting(broker: Broker) -> None:
    done = ask(broker, "list", url=f"redis://127.0.0.1:{free_port()}")

    assert (done.exit_code, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("Error: The broker cannot be used: ")
    assert line.endswith(" Its address is read from ConnectionStrings__broker, else BROKER_URI.")


def test_a_word_that_is_no_command_starts_no_worker(broker: Broker) -> None:
    done = command_lines.run(broker.url, "sumbit", "Quarter", "sales")

    assert done.returncode == 2
    assert "No such command 'sumbit'" in done.stderr


def test_the_help_lists_the_commands_and_names_the_worker(broker: Broker) -> None:
    done = command_lines.run(broker.url, "--help")

    assert done.returncode == 0
    for name in main.commands:
        assert f"\n  {name} " in done.stdout
    assert "worker" in done.stdout


def test_a_reader_that_leaves_early_is_no_error(broker: Broker, reports: Reports) -> None:
    for _ in range(2):
        reports.submit_sales("Quarter")
    read, write = os.pipe()
    os.close(read)

    done = subprocess.run(
        [*command_lines.COMMAND, "list"],
        cwd=command_lines.ROOT,
        env=command_lines.make_environ(broker.url),
        stdout=write,
        stderr=subprocess.PIPE,
        timeout=60,
        check=False,
    )
    os.close(write)

    assert done.stderr == b""


def test_reports_are_listed_as_lines_and_as_json(broker: Broker, reports: Reports) -> None:
    first, second = reports.submit_sales("First"), reports.submit_sales("Zweiter größer")

    lines = ask(broker, "list").stdout.splitlines()
    described = ask(broker, "list", "--json").stdout.splitlines()

    assert [line[:36] for line in lines] == [second, first]
    assert lines[0].endswith("  pending    sales       Zweiter größer")
    assert [json.loads(line)["title"] for line in described] == ["Zweiter größer", "First"]


def test_a_list_is_chosen_from_by_status_type_and_words(broker: Broker, reports: Reports) -> None:
    failed, other = reports.submit_sales("Quarter one"), reports.submit_sales("Quarter two")
    reports.cancel(failed)

    def list_ids(*options: str) -> list[str]:
        result = ask(broker, "list", *options)
        assert result.exit_code == 0
        return [line[:36] for line in result.stdout.splitlines()]

    assert list_ids("--status", "failed") == [failed]
    assert list_ids("--status", "pending", "--type", "sales") == [other]
    assert list_ids("-q", "TWO") == [other]
    assert list_ids("--type", "users") == []
    assert list_ids("--limit", "1") == [other]


def test_a_choice_finds_what_is_further_back_than_one_look(broker: Broker, reports: Reports) -> None:
    wanted = reports.submit_sales("Wanted")
    with reports.connection.pipeline(transaction=False) as pipeline:
        for number in range(2500):
            pipeline.zadd("rq:reports", {f"ffffffff-ffff-7000-8000-{number:012x}": 0})
        pipeline.execute()

    assert ask(broker, "list", "-q", "wanted").stdout.startswith(wanted)


def test_a_report_is_shown_as_the_api_shows_it(broker: Broker, reports: Reports) -> None:
    task_id = reports.submit_sales("Quarter")

    assert json.loads(ask(broker, "show", task_id).stdout) == serialize(reports.get(task_id))


def test_a_report_is_cancelled_run_again_and_deleted(
    broker: Broker, reports: Reports, leases: Leases
) -> None:
    task_id = reports.submit_sales("Quarter")

    said = [ask(broker, command, task_id).stdout for command in ("cancel", "retry")]
    begin(reports, leases, task_id)
    said += [ask(broker, command, task_id).stdout for command in ("cancel", "delete")]

    assert said == ["cancelled\n", "requested again\n", "being cancelled\n", "deleted\n"]
    assert reports.find(task_id) is None


@pytest.mark.parametrize("command", ["show", "cancel", "retry", "delete"])
@pytest.mark.parametrize("task_id", [UNKNOWN_ID, "x", "../x"])
def test_an_unknown_id_is_reported_in_one_line(broker: Broker, command: str, task_id: str) -> None:
    result = ask(broker, command, task_id)

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == f"Error: There is no report '{task_id}'.\n"


def test_a_wrong_state_is_reported_in_one_line(broker: Broker, reports: Reports) -> None:
    task_id = reports.submit_sales("Quarter")

    retried = ask(broker, "retry", task_id)
    reports.cancel(task_id)
    cancelled = ask(broker, "cancel", task_id)

    assert (retried.exit_code, cancelled.exit_code) == (1, 1)
    assert retried.stderr == "Error: The report is pending: only a failed report can run again.\n"
    assert cancelled.stderr == "Error: The report has ended already, so there is nothing to cancel.\n"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["submit", " ", "sales"], 1, "The title must have 1 to 200 characters."),
        (["submit", "Quarter", "forecast"], 2, "'sales', 'inventory', 'users'"),
        (["submit", "Quarter", "sales", "--parameters", '{"year": 1}'], 1, "'year' is not a parameter"),
        (["submit", "Quarter", "sales", "-p", "year=1"], 1, "'year' is not a parameter of this type."),
        (["submit", "Quarter", "sales", "-p", "year"], 2, "'year' has no value: give name=value"),
        (["submit", "Quarter", "sales", "--format", "docx"], 1, "csv, parquet, xlsx, pdf, svg, png, json"),
        (["submit", "Quarter", "sales", "--max-age", "0"], 1, "seconds from 1 to 2592000"),
        (["submit", "Quarter", "sales", "--max-age", "soon"], 2, "'soon' is not a valid integer"),
        (["submit", "Quarter", "sales", "--parameters", "7"], 1, "The parameters must be an object."),
        (["submit", "Quarter", "sales", "--parameters", "{"], 2, "'--parameters': '{' is not JSON"),
        (["submit", "Quarter", "sales", "--callback-url", "http://a/"], 1, "REPORTS_CALLBACK_HOSTS"),
        (["submit", "Quarter", "sales", "--idempotency-key", ""], 1, "1 to 255 printable ASCII"),
        (["list", "--limit", "0"], 2, "'--limit': 0 is not in the range 1<=x<=500"),
        (["list", "--status", "done"], 2, "'pending', 'running', 'completed', 'failed'"),
        (["list", "--type", "forecast"], 2, "'sales', 'inventory', 'users'"),
    ],
)
def test_what_is_not_valid_is_named_with_what_is_allowed(
    broker: Broker, reports: Reports, arguments: list[str], code: int, said: str
) -> None:
    result = ask(broker, *arguments)

    assert (result.exit_code, result.stdout) == (code, "")
    assert said in result.stderr
    assert reports.list().total == 0


def test_a_key_that_was_used_for_another_request_is_reported(broker: Broker) -> None:
    first = ask(broker, "submit", "Quarter", "sales", "--idempotency-key", "k", "--parameters", "{}")
    again = ask(broker, "submit", "Quarter", "sales", "--idempotency-key", "k")
    other = ask(broker, "submit", "Other", "sales", "--idempotency-key", "k")

    assert first.stdout == again.stdout
    assert (other.exit_code, other.stdout) == (1, "")
    assert "was used for another request" in other.stderr


def test_an_earlier_report_serves_and_standard_error_says_so(broker: Broker, reports: Reports) -> None:
    arguments = ("submit", "Quarter", "sales", "--format", "pdf", "--format", "csv")
    first = ask(broker, *arguments)
    again = ask(broker, *arguments, "--max-age", "3600")
    other = ask(broker, "submit", "Quarter", "sales", "--max-age", "3600")

    assert reports.get(first.stdout.strip()).formats == ("csv", "pdf")
    assert (again.stdout, again.stderr) == (first.stdout, "An earlier report serves.\n")
    assert other.stderr == ""
    assert other.stdout != first.stdout


def test_types_are_listed_for_people_and_for_programs(broker: Broker) -> None:
    told, as_json = ask(broker, "types"), ask(broker, "types", "--json")

    assert told.stdout.startswith("sales: Sales\n  Revenue, orders")
    described = [json.loads(line) for line in as_json.stdout.splitlines()]
    assert [one["name"] for one in described] == ["sales", "inventory", "users"]
    assert described[0]["parameters"]["additionalProperties"] is False


def test_a_setting_that_is_not_valid_is_reported_in_one_line(broker: Broker) -> None:
    result = ask(broker, "list", url="http://nowhere")

    assert result.exit_code == 1
    assert result.stderr == (
        "Error: ConnectionStrings__broker is not valid: the scheme must be one of redis, rediss, unix, "
        "redis+sentinel, rediss+sentinel\n"
    )


def read_examples(name: str) -> Iterator[tuple[str, str]]:
    """The examples of a page that use the package: the kind of each, and its text."""
    page = (command_lines.ROOT / name).read_text(encoding="utf-8")
    for kind, text in re.findall(r"```(python|console)\n(.*?)```", page, re.DOTALL):
        if kind == "python" and "Reports()" in text:
            yield kind, text
        elif "$ python -m reports_worker " in text:
            yield kind, "".join(line.removeprefix("$ ") + "\n" for line in text.splitlines())


def test_the_examples_of_the_docs_work(busy_broker: Broker) -> None:
    """Those of one kind run together, and a command that two pages show runs once."""
    examples = [example for name in DOCS for example in read_examples(name)]
    assert [kind for kind, _ in examples] == ["python", "console"] * len(DOCS)

    python = "\n".join(text for kind, text in examples if kind == "python")
    console = dict.fromkeys(
        line for kind, text in examples if kind == "console" for line in text.splitlines()
    )
    for command in (
        ["python", "-W", "error", "-c", python],
        ["bash", "-euo", "pipefail", "-c", "\n".join(console)],
    ):
        done = subprocess.run(
            command,
            cwd=command_lines.ROOT,
            env=command_lines.make_environ(busy_broker.url),
            capture_output=True,
            text=True,
            timeout=110,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout
        assert "Error" not in done.stderr
