"""Two versions beside each other: what the fault suite finds wrong, and where the previous version comes from."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from faults.choice import choose_scenarios, without_previous_version
from faults.scenarios import FAULTS
from faults.versions import previous
from faults.versions.comparison import Expectation, find_faults, includes
from faults.versions.report_type import open_gate, write_type
from faults.versions.site import Site
from harness.errors import MissingToolError

DATA = b"number\n1\n"
DIGEST = hashlib.sha256(DATA).hexdigest()
EXPECTED = Expectation("7", "Quarter", "completed")
REPORT = {
    "task_id": "7",
    "title": "Quarter",
    "status": "completed",
    "artifacts": [{"name": "a.csv", "sha256": DIGEST}],
}


class Answers:
    """What an API of some version answers, by path."""

    def __init__(self, report: Any) -> None:
        self.by_path: dict[str, Any] = {
            "/api/reports?limit=500": [report] if report else [],
            "/api/reports/7/artifacts/a.csv": DATA,
            "/reports/7": b"<h1>Quarter</h1>",
        }
        if report:
            self.by_path["/api/reports/7"] = report


@pytest.fixture
def serve() -> Iterator[Any]:
    """Start a server that gives these answers, and 404 for the rest."""
    servers = []

    def start(version: str, answers: Answers) -> Site:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                found = answers.by_path.get(self.path)
                self.send_response(404 if found is None else 200)
                self.end_headers()
                self.wfile.write(found if isinstance(found, bytes) else json.dumps(found).encode())

            def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002 - as the class has it

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return Site(version, server.server_port)

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def find(serve: Any, old: Answers, new: Answers) -> list[str]:
    return list(find_faults([EXPECTED], serve("old", old), serve("new", new)))


def test_a_report_that_both_versions_show_alike_is_no_fault(serve: Any) -> None:
    assert find(serve, Answers(REPORT), Answers(REPORT | {"newer": 1})) == []


def test_a_report_that_one_version_hides_is_named(serve: Any) -> None:
    assert find(serve, Answers(None), Answers(REPORT)) == [
        "Version old does not list 'Quarter'.",
        "Version old hides 'Quarter'.",
    ]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"status": "pending"}, "Version new shows 'Quarter' as pending (None) instead of completed (None)."),
        ({"reason": "error"}, "Version new shows 'Quarter' as completed (error)"),
        ({"result": None}, "The versions show 'Quarter' otherwise"),
        ({"artifacts": []}, "Version new shows no file of 'Quarter'."),
        ({"title": "Other"}, "Version new has no page of 'Quarter'."),
    ],
)
def test_what_a_version_shows_otherwise_is_named(serve: Any, change: dict[str, Any], sentence: str) -> None:
    old = REPORT | ({"result": {"total": 7}} if "result" in change else {})

    assert any(found.startswith(sentence) for found in find(serve, Answers(old), Answers(REPORT | change)))


def test_a_file_that_a_version_does_not_serve_as_its_receipt_says_is_named(serve: Any) -> None:
    spoiled = Answers(REPORT)
    spoiled.by_path["/api/reports/7/artifacts/a.csv"] = b"other"

    assert find(serve, Answers(REPORT), spoiled) == ["Version new does not serve a.csv of 'Quarter'."]


def test_a_newer_version_may_show_more_and_nothing_less() -> None:
    old = {"a": 1, "files": [{"name": "x"}]}

    assert includes({"a": 1, "b": 2, "files": [{"name": "x", "seconds": 1}]}, old)
    assert not includes({"a": 1, "files": []}, old)
    assert not includes({"files": [{"name": "x"}]}, old)
    assert not includes(None, old)


def test_the_type_that_all_versions_make_is_read_by_this_one(tmp_path: Path) -> None:
    folder = write_type(tmp_path)
    names: dict[str, Any] = {"__file__": str(folder / "versioned.py")}

    exec((folder / "versioned.py").read_text(), names)  # noqa: S102 - the type as a worker loads it

    assert names["TYPE"].name == "versioned"
    assert not names["GATE"].exists()
    open_gate(tmp_path)
    assert names["GATE"].exists()


def test_a_checkout_without_the_history_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(MissingToolError, match="git fetch --unshallow"):
        previous.extract(tmp_path / "code", root=tmp_path)


def test_a_checkout_without_the_history_is_noticed_before_anything_starts(tmp_path: Path) -> None:
    assert "git fetch --unshallow" in previous.find_missing_history(root=tmp_path)


def test_without_the_history_all_other_faults_are_played() -> None:
    scenarios = list(choose_scenarios(FAULTS, seed=1, each_step=False))

    left_out = {one.fault.name for one in scenarios} - {
        one.fault.name for one in without_previous_version(scenarios)
    }

    assert left_out == {"previous-api", "previous-workers"}


def test_the_changelog_names_the_version_that_the_suite_runs_beside_this_one() -> None:
    changelog = (Path(__file__).parents[3] / "CHANGELOG.md").read_text(encoding="utf-8")

    assert f"The oldest version that this one may run beside is {previous.NAME}," in changelog
