"""Downloads of report files by programs and browsers."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import NoReturn
from urllib.parse import unquote

import pytest
from fakeredis import FakeRedis
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from reports_app.services.container import EXTENSION, Services, add_services
from reports_app.services.downloads import SMALL_BYTES, Downloads, format_disposition
from reports_worker import Receipt, ReportQueue
from reports_worker.artifacts import StorageError
from reports_worker.artifacts.filesystem import FolderStore
from reports_worker.domain.report import Completed, Failed, Reason
from tests.unit.reports_app.report_factory import FIGURES, UNKNOWN_ID, ReportFactory

DATA = bytes(range(256)) * (2 * SMALL_BYTES // 256)
DIGEST = hashlib.sha256(DATA).hexdigest()
RECEIPT = Receipt("csv", "text/csv; charset=utf-8", 0.1, name="orders.csv", size=len(DATA), sha256=DIGEST)
EMPTY = Receipt(
    "csv", "text/csv; charset=utf-8", 0.1, name="empty.csv", size=0, sha256=hashlib.sha256().hexdigest()
)


class StoreThatIsAway(FolderStore):
    def open(self, *_: object, **__: object) -> NoReturn:
        raise StorageError("It is away.")


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "artifacts")


@pytest.fixture
def app(app: Flask, services: Services, store: FolderStore) -> Flask:
    use(app, services, store)
    return app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def use(app: Flask, services: Services, store: FolderStore) -> None:
    """Let the application serve the files of this store, two at a time."""
    changed = replace(services)
    object.__setattr__(changed, "downloads", Downloads(store, max_concurrent=2))
    add_services(app, changed)


@pytest.fixture
def path(factory: ReportFactory, store: FolderStore, tmp_path: Path) -> str:
    """Create a completed report with files; return the path of one."""
    return complete(factory, store, tmp_path)


def complete(factory: ReportFactory, store: FolderStore, folder: Path, title: str = "Q4 sales") -> str:
    task_id = factory.start(title)
    for receipt, data in ((RECEIPT, DATA), (EMPTY, b"")):
        ready = folder / "ready"
        ready.write_bytes(data)
        store.put(task_id, "1", receipt.name, ready)
    factory.end(task_id, Completed(FIGURES, artifacts=[RECEIPT, EMPTY]))
    return f"/api/reports/{task_id}/artifacts/orders.csv"


def test_a_file_is_returned_completely_with_its_headers(client: FlaskClient, path: str) -> None:
    response = client.get(path)

    assert response.status_code == 200
    assert response.data == DATA
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert response.headers["Content-Length"] == str(len(DATA))
    assert response.headers["ETag"] == f'"{DIGEST}"'
    assert response.headers["Accept-Ranges"] == "bytes"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Cache-Control"] == "private, no-cache"
    assert response.headers["Content-Disposition"].startswith('attachment; filename="orders.csv"')
    assert "sandbox" in response.headers["Content-Security-Policy"]


def test_head_returns_the_same_headers_without_a_body(client: FlaskClient, path: str) -> None:
    response = client.head(path, headers={"Range": "bytes=0-1"})

    assert (response.status_code, response.data) == (200, b"")
    assert response.headers["Content-Length"] == str(len(DATA))
    assert response.headers["ETag"] == f'"{DIGEST}"'


def test_an_empty_file_can_be_downloaded(client: FlaskClient, path: str) -> None:
    response = client.get(path.replace("orders", "empty"))

    assert (response.status_code, response.data, response.headers["Content-Length"]) == (200, b"", "0")


@pytest.mark.parametrize("etags", [f'"{DIGEST}"', f'"other", W/"{DIGEST}"', "*"])
def test_a_file_that_the_client_has_is_not_sent_again(client: FlaskClient, path: str, etags: str) -> None:
    response = client.get(path, headers={"If-None-Match": etags})

    assert (response.status_code, response.data) == (304, b"")
    assert response.headers["ETag"] == f'"{DIGEST}"'


@pytest.mark.parametrize(
    ("requested", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=100-299", 100, 300),
        (f"bytes={len(DATA) - 5}-", len(DATA) - 5, len(DATA)),
        ("bytes=-7", len(DATA) - 7, len(DATA)),
        ("bytes=10-99999999999", 10, len(DATA)),
    ],
)
def test_a_range_is_returned_alone(
    client: FlaskClient, path: str, requested: str, start: int, end: int
) -> None:
    response = client.get(path, headers={"Range": requested})

    assert response.status_code == 206
    assert response.data == DATA[start:end]
    assert response.headers["Content-Range"] == f"bytes {start}-{end - 1}/{len(DATA)}"
    assert response.headers["Content-Length"] == str(end - start)


@pytest.mark.parametrize("requested", ["bytes=0-1,5-6", "lines=0-1", "bytes=x-y", "bytes=5-1", "bytes"])
def test_several_or_invalid_ranges_return_the_complete_file(
    client: FlaskClient, path: str, requested: str
) -> None:
    response = client.get(path, headers={"Range": requested})

    assert (response.status_code, len(response.data)) == (200, len(DATA))


@pytest.mark.parametrize("requested", [f"bytes={len(DATA)}-", f"bytes={len(DATA)}-{2 * len(DATA)}"])
def test_a_range_behind_the_end_is_refused(client: FlaskClient, path: str, requested: str) -> None:
    response = client.get(path, headers={"Range": requested})

    assert response.status_code == 416
    assert response.headers["Content-Range"] == f"bytes */{len(DATA)}"
    assert response.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("condition", "status"),
    [(f'"{DIGEST}"', 206), ('"other"', 200), (f'W/"{DIGEST}"', 200), ("Mon, 23 Nov 2026 08:00:00 GMT", 200)],
)
def test_a_range_of_another_file_brings_all(
    client: FlaskClient, path: str, condition: str, status: int
) -> None:
    response = client.get(path, headers={"Range": "bytes=0-1", "If-Range": condition})

    assert response.status_code == status


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Q4 sales", "Q4 sales - orders.csv"),
        ("Příjmy 销售", "Příjmy 销售 - orders.csv"),
        ("../../etc/passwd", "etc passwd - orders.csv"),
        ('a"; filename="evil.exe', "a filename evil.exe - orders.csv"),
        ("evil\u202egpj", "evil gpj - orders.csv"),
        ("...", "orders.csv"),
    ],
)
def test_a_browser_gives_the_file_a_safe_name(title: str, name: str) -> None:
    header = format_disposition(title, "orders.csv")

    assert header.startswith("attachment; filename=\"orders.csv\"; filename*=UTF-8''")
    assert unquote(header.partition("UTF-8''")[2]) == name


def test_files_are_unknown_until_the_report_is_completed_and_after_it_is_deleted(
    client: FlaskClient, factory: ReportFactory, queue: ReportQueue, path: str
) -> None:
    running = client.get(f"/api/reports/{factory.start()}/artifacts/orders.csv")
    unknown = client.get(path.replace("orders", "others"))
    none = client.get(f"/api/reports/{UNKNOWN_ID}/artifacts/orders.csv")
    queue.delete(path.split("/")[3])
    deleted = client.get(path)

    assert [response.status_code for response in (running, unknown, none, deleted)] == [404] * 4
    assert "running" in running.get_json()["detail"]
    assert "others.csv" in unknown.get_json()["detail"]


@pytest.mark.parametrize("name", ["..%2f..%2fetc%2fpasswd", ".scratch", "%00", "orders.csv%0d%0aX: y"])
def test_a_name_that_leads_elsewhere_is_unknown(client: FlaskClient, path: str, name: str) -> None:
    response = client.get(path.replace("orders.csv", name))

    assert response.status_code == 404


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("change", ["removed", "longer", "shorter"])
def test_a_file_that_was_removed_or_changed_is_gone(
    client: FlaskClient, store: FolderStore, path: str, method: str, change: str
) -> None:
    file = store.scratch_root.parent / path.split("/")[3] / "1" / "orders.csv"
    if change == "removed":
        file.unlink()
    else:
        file.write_bytes(DATA + b"x" if change == "longer" else DATA[:-1])

    answers = [client.open(path, method=method) for _ in range(5)]
    answers.append(client.open(path, method=method, headers={"If-None-Match": f'"{DIGEST}"'}))

    assert {response.status_code for response in answers} == {410}
    if method == "GET":
        assert str(store.scratch_root.parent) not in answers[0].text


@pytest.mark.parametrize("execution", [None, "", "zz/../../x", ".."])
def test_a_file_whose_record_names_no_execution_is_gone(
    client: FlaskClient, memory: FakeRedis, path: str, execution: str | None
) -> None:
    key = f"rq:job:{path.split('/')[3]}"
    memory.hdel(key, "artifacts_at")
    if execution is not None:
        memory.hset(key, "artifacts_at", execution)

    response = client.get(path)

    assert (response.status_code, "was removed" in response.text) == (410, True)


def test_a_store_that_is_away_is_not_a_missing_file(
    app: Flask, services: Services, client: FlaskClient, path: str, tmp_path: Path
) -> None:
    use(app, services, StoreThatIsAway(tmp_path))

    answers = [client.get(path) for _ in range(5)]

    assert {response.status_code for response in answers} == {503}
    assert answers[0].headers["Retry-After"] == "2"


def begin(client: FlaskClient, path: str, **headers: str) -> TestResponse:
    """Request a file without reading it."""
    return client.get(path, headers=headers, buffered=False)


def test_downloads_of_large_files_are_limited_and_small_ranges_are_not(
    client: FlaskClient, path: str
) -> None:
    taken = [begin(client, path) for _ in range(2)]
    crowded = client.get(path)
    small = client.get(path, headers={"Range": "bytes=0-99"})
    for response in taken:
        response.close()
    after = client.get(path)

    assert [response.status_code for response in taken] == [200, 200]
    assert (crowded.status_code, crowded.headers["Retry-After"]) == (503, "2")
    assert small.status_code == 206
    assert after.data == DATA


def test_slots_are_released_after_any_response(client: FlaskClient, path: str) -> None:
    for headers in (
        {"If-None-Match": f'"{DIGEST}"'},
        {"Range": f"bytes={len(DATA)}-"},
        {"Range": f"bytes=0-{len(DATA) - 2}"},
    ):
        for _ in range(3):
            client.get(path, headers=headers)
            client.head(path, headers=headers)

    assert client.get(path).status_code == 200


def test_a_truncated_file_breaks_the_response_instead_of_ending_it(
    client: FlaskClient, store: FolderStore, path: str
) -> None:
    response = begin(client, path)
    file = store.scratch_root.parent / path.split("/")[3] / "1" / "orders.csv"
    file.write_bytes(b"")

    with pytest.raises(Exception, match="was changed in the file store"):
        _ = response.data
    response.close()


def test_a_failed_report_has_no_files(client: FlaskClient, factory: ReportFactory) -> None:
    factory.end(task_id := factory.start(), Failed(Reason.ERROR, "It broke."))

    assert client.get(f"/api/reports/{task_id}").get_json()["artifacts"] == []
    assert client.get(f"/api/reports/{task_id}/artifacts/orders.csv").status_code == 404


def test_a_report_has_its_receipts_and_a_cut_file_is_not_complete(
    client: FlaskClient, factory: ReportFactory
) -> None:
    whole, cut = factory.start(), factory.start()
    factory.end(whole, Completed(FIGURES, artifacts=[RECEIPT]))
    factory.end(cut, Completed(FIGURES, artifacts=[RECEIPT, replace(EMPTY, cut="Only 7 rows.")]))

    assert client.get(f"/api/reports/{whole}").get_json()["complete"] is True
    body = client.get(f"/api/reports/{cut}").get_json()
    assert body["complete"] is False
    assert [artifact["complete"] for artifact in body["artifacts"]] == [True, False]
    assert body["artifacts"][1]["cut"] == "Only 7 rows."
    assert body["artifacts"][0]["sha256"] == DIGEST


def test_every_application_has_downloads_of_its_own(app: Flask) -> None:
    assert isinstance(app.extensions[EXTENSION].downloads, Downloads)
