"""A real apphost restarts a process that is not alive, does not restart a finished one, and shows a pause."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

from redis import Redis

from apphost.supervision.health import redis_probe
from harness.broker import Broker
from harness.wait import wait_until
from tests.unit.apphost.conftest import Host

MakeHost = Callable[..., Host]

QUICK = "initial_delay_seconds=0.1, period_seconds=0.1, failure_threshold=3"


def test_only_a_process_that_is_not_alive_is_killed_and_restarted(make_host: MakeHost) -> None:
    host = make_host(f"""
        one = program("one").with_replicas(2)
        one.with_http_probe("liveness", path="/alive", env="PORT", timeout_seconds=0.5, {QUICK})
        api = program("api").with_http_endpoint(env="PORT")
        api.with_http_probe("liveness", path="/alive", timeout_seconds=10, {QUICK})
    """).start_healthy()
    stopped, other, api = (host.resource(name) for name in ("one-1", "one-2", "api"))
    wait_until(lambda: len(list(host.folder.glob("asked-*"))) == 3, what="three that have answered")

    os.kill(stopped["pid"], signal.SIGSTOP)
    wait_until(lambda: host.resource("one-1")["restarts"] == 1, what="the restart of what stands still")
    host.wait_for_state("one-1", "Running")

    why = "does not live, so it is killed: 3 times in a row GET /alive: timed out"
    assert f"one-1 {why}" in host.read_output()
    assert "one-1 was ended by signal 9; it is started again in 0.5 s" in host.read_output()
    lines = [line["text"] for line in host.call("GET", "/api/resources/one-1/logs")["lines"]]
    assert f"apphost: {why}" in lines
    assert [host.resource(name)["pid"] for name in ("one-2", "api")] == [other["pid"], api["pid"]]

    (host.folder / "sick").touch()
    host.wait_for_text("api does not live, so it is killed: 3 times in a row GET /alive answered 503")


def test_a_process_that_reports_its_intended_end_is_not_restarted(make_host: MakeHost) -> None:
    says, ends = "print('INFO event=finished reason=drained')", "import sys; sys.exit(1)"
    host = make_host(f"""
        def python(name, code):
            return builder.add_executable(name, sys.executable, ".", ["-c", code])
        python("done", {says!r})
        python("silent", "pass")
        python("failed", {says!r} + "\\n" + {ends!r})
    """).start()

    done = host.wait_for_state("done", "Finished")
    for name in ("silent", "failed"):
        wait_until(lambda: host.resource(name)["restarts"] >= 1, what=f"the restart of {name}")  # noqa: B023

    assert (done["exit_code"], done["restarts"], done["actions"]) == (0, 0, ["start"])
    assert "done has finished, and says so: it is not started again" in host.read_output()
    host.call("POST", "/api/resources/done/start")
    wait_until(lambda: host.read_output().count("event=finished reason=drained") >= 3, what="another start")


def test_a_pause_of_the_queue_is_logged_and_shown(make_host: MakeHost, broker: Broker, redis: Redis) -> None:
    host = make_host(
        """
        builder.add_connection_string("broker").with_queue("q", pause_key="p")
        """,
        ConnectionStrings__broker=f"localhost:{broker.port}",
    ).start_healthy()

    redis.set("p", "since 2026-11-23T09:00:00Z")
    host.wait_for_text("broker: the queue is paused since 2026-11-23T09:00:00Z")
    figures = host.resource("broker")["figures"]
    redis.delete("p")
    host.wait_for_text("broker: this no longer holds: the queue is paused since")

    assert figures["queue"] == "paused since 2026-11-23T09:00:00Z"


def test_any_value_of_the_pause_key_pauses_and_only_a_sentence_is_shown(broker: Broker, redis: Redis) -> None:
    probe = redis_probe(broker.url, queue_key="q", pause_key="p")
    for value in ("1", b"since \xff\x1b[2J", "since " + "x" * 5000):
        redis.set("p", value)
        assert probe().notice == "the queue is paused"
    redis.delete("p")
    assert probe().notice == ""
