"""Reports over a warehouse by a real worker: their files, and their ends when they fail."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest

from harness.wait import wait_until
from harness.worker_process import StartWorkerOf, is_gone
from reports_app import AppSettings, create_app
from reports_worker import InvalidSubmissionError, Report, Status
from reports_worker.demo.generator import Demo, write
from reports_worker.domain.file_formats import FORMATS
from tests.extent import IS_WIDE
from tests.integration import command_line_runs, failing_types
from tests.integration.broker_monitors import record_updates
from tests.integration.data_places import DataPlace, open_place
from tests.integration.sample_types import write_python, write_sql

# The files of each format are written alike for all types, whose rows are counted in tests of their own.
BUILTIN = ("sales", "inventory", "users") if IS_WIDE else ("sales",)
FAILING = [*(failing_types.ALL if IS_WIDE else failing_types.NARROW)]
QUARTER = ("-p", "period=2026-01-01..2026-03-31", "-p", "granularity=quarter")
ORDERS = 200
MOST_ROWS = 5000
ENDLESS = "SELECT sum(a.range * b.range % 7) AS n FROM range(1000000) a, range(1000000) b"
HOSTILE = """'); DROP TABLE orders; -- " :note $note {note}"""
NOTE = (
    "SELECT range AS n, CAST(:note AS VARCHAR) AS note, orders FROM range(5000), "
    "(SELECT count(*) AS orders FROM orders WHERE status <> :note)"
)
NOTE_HEADER = "-- [[parameters]]\n-- kind = 'text'\n-- name = 'note'"
# While there is a file `hold`, the type waits in its second table, and creates a file `began`.
HELD = """
def give():
    yield (1,)
    (HERE.parent / "began").touch()
    while (HERE.parent / "hold").exists():
        time.sleep(0.02)

orders = Table("orders", "Orders", assignment.warehouse.query("SELECT * FROM orders"))
return Contents({}, tables=[orders, Table("held", "Held", GivenRows([NUMBER], give()))])
"""

# A label with a character that XML forbids kills the process of the chart renderer.
CHARTS = r"""
axis = {"labelExpr": "'\\u0002'"}
deadly = {"mark": "bar", "encoding": {"x": {"field": "number", "type": "ordinal", "axis": axis}}}
reads = {"mark": "bar", "data": {"url": "file:///etc/passwd"}}
good = chart_spec("line", NUMBER, NUMBER)
charts = [Chart(name, name.title(), spec, [NUMBER], [(1,), (2,)]) for name, spec in
          (("deadly", deadly), ("reads", reads), ("good", good))]
return Contents({"share": float("nan"), "parts": [float("inf"), 1.5]}, charts=charts)
"""
ODD_HEADER = """-- [[charts]]
-- table = 'found'
-- kind = 'bar'
-- x = 'No.'
-- y = "it's"
-- title = 'Odd names'"""
ODD = """SELECT 'n' || range || chr(2) AS "it's", range AS "No." FROM range(3)
-- summary
SELECT count(*) FILTER (range > 3) / count(*) AS share FROM range(0)"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, start_worker: StartWorkerOf) -> Iterator[DataPlace]:
    folder = tmp_path_factory.mktemp("data")
    write(Demo(ORDERS, 1, "2026-06-14"), folder / "warehouse")
    (folder / "secret.csv").write_text("secret\n42\n")
    with open_place(
        folder,
        start_worker,
        warehouse=str(folder / "warehouse"),
        REPORTS_MAX_ROWS=str(MOST_ROWS),
        REPORTS_MEMORY="600MB",
    ) as place:
        yield place


@dataclass(frozen=True)
class Ended:
    """Reports that were requested together, by name; the first was killed while it ran."""

    place: DataPlace
    reports: Mapping[str, Report]

    @property
    def folder(self) -> Path:
        return self.place.types.parent


def run_command(place: DataPlace, *arguments: str) -> str:
    """Run a command of the command line; return what it printed."""
    done = command_line_runs.run(place.broker.url, *arguments, **place.environ)
    assert done.exit_code == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def ended(place: DataPlace) -> Ended:
    failing_types.write_failing_types(place.types)
    write_python(place.types, "held", HELD)
    write_sql(place.types, "endless", ENDLESS)
    write_sql(place.types, "note", NOTE, header=NOTE_HEADER)
    write_python(place.types, "charts", CHARTS)
    write_sql(place.types, "odd", ODD, header=ODD_HEADER)
    hold, began = (place.types.parent / name for name in ("hold", "began"))
    hold.touch()

    ids = {"held": place.submit("held", "csv", "json")}
    ids["sales"] = run_command(place, "submit", "Of sales", "sales", *QUARTER).strip()
    ids |= {name: place.door.submit(f"Of {name}", name) for name in BUILTIN if name != "sales"}
    ids |= {name: place.submit(name, "json", "svg") for name in FAILING}
    if IS_WIDE:
        ids["endless"] = place.submit("endless", seconds=1)
    ids["charts"] = place.submit("charts", "svg", "json")
    if IS_WIDE:
        ids["odd"] = place.submit("odd", *FORMATS)
    ids["note"] = place.door.submit("Note", "note", {"note": HOSTILE}, formats=["json"])
    wait_until(began.exists, what="a report amid its rows")
    place.worker.wait_for_job_process().kill()
    hold.unlink()
    return Ended(
        place, {name: place.queue.wait_for_end(task_id, seconds=60) for name, task_id in ids.items()}
    )


@pytest.mark.parametrize("name", BUILTIN)
def test_a_report_of_each_type_leaves_all_files_as_their_receipts_say(ended: Ended, name: str) -> None:
    report = ended.reports[name]

    assert (report.status, report.error) == (Status.COMPLETED, None)
    files = ended.place.read_whole(report)
    assert {receipt.format for receipt in report.artifacts} == {*FORMATS, "receipts"}
    assert report.version is not None
    told = json.loads(files["receipts.json"])
    assert [file["name"] for file in told["files"]] == [receipt.name for receipt in report.artifacts[:-1]]
    document = json.loads(files["report.json"])
    assert report.result is not None
    figures = {figure["name"]: figure["value"] for figure in document["figures"]}
    assert figures.items() <= {**report.result, "processing_time": figures["processing_time"]}.items()


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("sales", {"total_sales", "orders", "average_order_value", "top_product"}),
        pytest.param(
            "inventory",
            {"total_items", "low_stock_items", "out_of_stock", "total_value"},
            marks=pytest.mark.wide,
        ),
        pytest.param(
            "users", {"total_users", "active_users", "new_signups", "churn_rate"}, marks=pytest.mark.wide
        ),
    ],
)
def test_the_figures_have_the_fields_of_simulated_reports(ended: Ended, name: str, fields: set[str]) -> None:
    result = ended.reports[name].result

    assert result is not None
    assert result.keys() >= {"title", "type", "processing_time", *fields}


@pytest.mark.parametrize("name", FAILING)
def test_a_report_that_fails_has_the_reason(ended: Ended, name: str) -> None:
    failing, report = failing_types.ALL[name], ended.reports[name]

    assert report.status is Status.FAILED
    assert report.error is not None
    assert failing.sentence in report.error
    assert report.reason == failing.reason
    assert (report.artifacts, ended.place.queue.count_executions(report.task_id)) == ((), 1)
    assert str(ended.folder) not in report.error


def test_a_chart_that_kills_the_renderer_fails_alone(ended: Ended) -> None:
    report = ended.reports["charts"]

    assert report.status is Status.COMPLETED
    assert not report.is_complete
    assert ended.place.queue.count_executions(report.task_id) == 2
    files = ended.place.read_whole(report)
    cuts = {receipt.name: receipt.cut for receipt in report.artifacts}
    said = "The chart could not be drawn: "
    assert cuts["chart-deadly.svg"] == f"Deadly: {said}the renderer crashed on it (SIGABRT)."
    assert (cuts["chart-reads.svg"] or "").startswith(f"Reads: {said}its specification has 'data'")
    assert (cuts["chart-good.svg"], cuts["report.json"]) == (None, None)
    assert said.strip() in files["chart-deadly-dark.svg"].decode()
    assert report.result is not None
    assert (report.result["share"], report.result["parts"]) == (None, [None, 1.5])


# The charts above have figures that are not numbers, too; odd names are asked of the writers of each format.
@pytest.mark.wide
def test_odd_names_and_figures_that_are_not_numbers_make_a_complete_report(ended: Ended) -> None:
    report = ended.reports["odd"]

    assert (report.status, report.error, report.is_complete) == (Status.COMPLETED, None, True)
    assert report.result is not None
    assert report.result["share"] is None
    files = ended.place.read_whole(report)
    assert {figure["value"] for figure in json.loads(files["report.json"])["figures"][:1]} == {None}
    assert "it's" in files["chart-found_bar.svg"].decode()


# The query ends at a cancel, too, below; `test_engine` has it end at its time without a worker.
@pytest.mark.wide
def test_a_query_that_may_not_run_so_long_ends_in_time(ended: Ended) -> None:
    report = ended.reports["endless"]

    assert (report.status, report.reason) == (Status.FAILED, "timeout")
    assert report.error is not None
    assert report.error.startswith(("The report took longer than the 1 s", "The query took longer"))


def test_a_report_may_have_exactly_the_allowed_rows_and_sql_in_a_value_is_a_value(ended: Ended) -> None:
    report = ended.reports["note"]

    assert (report.status, report.is_complete) == (Status.COMPLETED, True)
    (table,) = json.loads(ended.place.read(report, "report.json"))["tables"]
    assert table["rows"] == [[number, HOSTILE, ORDERS] for number in range(MOST_ROWS)]


def test_a_report_killed_while_it_reads_rows_is_run_again(ended: Ended) -> None:
    report = ended.reports["held"]

    assert (report.status, report.error) == (Status.COMPLETED, None)
    assert ended.place.queue.count_executions(report.task_id) == 2
    assert ended.place.read(report, "held.csv") == b"number\r\n1\r\n"
    assert ended.place.read_whole(report)


def test_a_choice_has_the_options_that_its_query_finds(place: DataPlace) -> None:
    (region,) = (one for one in place.door.types["sales"].parameters if one.name == "region")
    options = [option.value for option in region.options]  # type: ignore[attr-defined]

    assert len(options) > 2
    assert options == sorted(options)
    with pytest.raises(InvalidSubmissionError, match=f"must be one of {options[0]}, "):
        place.door.submit("Nowhere", "sales", {"region": "Atlantis"})


def test_the_command_line_requests_with_parameters_and_downloads_the_files(
    ended: Ended, tmp_path: Path
) -> None:
    report = ended.reports["sales"]

    run_command(ended.place, "download", report.task_id, "revenue.csv", "--to", str(tmp_path))

    assert report.parameters["period"] == {"from": "2026-01-01", "to": "2026-03-31"}
    assert [line[:11] for line in (tmp_path / "revenue.csv").read_text().splitlines()[1:]] == ["2026-01-01,"]


def test_a_removed_file_is_gone_in_the_api(ended: Ended) -> None:
    place, report = ended.place, ended.reports["sales"]
    client = create_app(AppSettings(shared=place.settings, secret_key="s" * 32)).test_client()
    url = f"/api/reports/{report.task_id}/artifacts/"
    assert client.get(f"{url}report.xlsx").data == place.read(report, "report.xlsx")

    (ended.folder / "artifacts" / report.task_id / str(report.artifacts_at) / "report.xlsx").unlink()

    assert client.get(f"{url}report.xlsx").status_code == 410
    assert client.get(f"{url}report.pdf").status_code == 200


def test_progress_is_reported_while_rows_are_read_and_a_cancel_ends_the_query(ended: Ended) -> None:
    place = ended.place
    with record_updates(place.broker.url) as updates:
        task_id = place.submit("endless")
        wait_until(lambda: len(updates.of(task_id, "reading Found")) >= 2, what="two updates")
        making = place.worker.wait_for_job_process()
        place.queue.cancel(task_id)
        wait_until(lambda: is_gone(making), seconds=5, what="the end of the query")

    times = updates.of(task_id, "reading Found")
    # One a second is promised; the rest is for a busy machine.
    assert all(later - sooner < 3 for sooner, later in pairwise(times))
    assert updates.others_of_its_client(task_id, "reading Found") == []
    report = place.queue.wait_for_end(task_id)
    assert (report.status, report.reason) == (Status.FAILED, "cancelled")


def test_definitions_are_followed_without_a_restart(ended: Ended, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reports_worker.catalog.live_catalog.CHECK_SECONDS", 0.05)
    place = ended.place
    wait_until(lambda: "note" in place.door.types, what="a type that is newer than the worker")
    before = place.door.types["note"].version

    write_sql(place.types, "note", "SELECT 2 AS n")
    write_sql(place.types, "fresh", "SELECT 1 AS n")
    (place.types / "wrong.py").write_text("TYPE = 1\n")
    after = place.make("note")
    wait_until(lambda: place.door.types["note"].version == after.version, what="its new version")
    wait_until(lambda: "fresh" in place.door.types, what="the new type")

    assert ended.reports["note"].version == before
    assert before != after.version
    assert json.loads(place.read(after, "report.json"))["tables"][0]["rows"] == [[2]]
    assert {*BUILTIN, "fresh", "charts"} <= {*place.door.types}
    (wrong,) = [one for one in place.door.types.broken if one.file == "wrong.py"]  # type: ignore[attr-defined]
    assert wrong.reason == "The file has no TYPE: write `TYPE = ReportType(...)`."


def test_nothing_was_stolen_and_no_partial_file_stays(ended: Ended) -> None:
    artifacts, scratch = ended.folder / "artifacts", ended.place.store.scratch_root

    assert not (ended.folder / "stolen").exists()
    # Files of the killed execution are removed 15 s after its last write.
    wait_until(lambda: not list(scratch.iterdir()), seconds=40, what="the end of what was being written")
    failed = [report for report in ended.reports.values() if report.status is Status.FAILED]
    assert not any((artifacts / report.task_id).exists() for report in failed)
    for report in ended.reports.values():
        if report.status is Status.COMPLETED:
            (execution,) = (artifacts / report.task_id).iterdir()
            assert execution.name == report.artifacts_at
    assert not [path for path in artifacts.rglob("*") if path.name.startswith(".") and path != scratch]
    assert not ended.place.worker.has_ended
