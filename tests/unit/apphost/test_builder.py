"""The builder uses Aspire's names and refuses inconsistent models."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from apphost import create_builder
from apphost.errors import ModelError
from apphost.model.resources import Kind, LivenessProbe
from apphost.reports import describe_app
from apphost.settings import Settings


def test_a_model_keeps_its_resources_in_the_order_of_their_addition() -> None:
    with create_builder() as builder:
        broker = builder.add_redis("broker", port=6379)
        api = builder.add_python_module("api", ".", "gunicorn").with_args(["app:app"]).with_reference(broker)
        api.wait_for(broker).with_http_endpoint(port=8000, env="PORT").with_external_http_endpoints()
        api.with_http_health_check(path="/health").with_env("A", "1").with_environment("B", "2")
        builder.add_executable("worker", "rq", ".", ["worker"]).with_replicas(2)

        first, second, third = builder.build().resources

    assert (first.name, first.kind, first.port) == ("broker", Kind.REDIS, 6379)
    assert second.command == (sys.executable, "-m", "gunicorn", "app:app")
    assert (second.references, second.waits) == (("broker",), ("broker",))
    assert second.endpoint is not None
    assert (second.endpoint.port, second.endpoint.env, second.endpoint.is_external) == (8000, "PORT", True)
    assert second.health_check is not None
    assert second.health_check.path == "/health"
    assert second.env == {"A": "1", "B": "2"}
    assert third.instance_names == ("worker-1", "worker-2")


def test_a_program_beside_the_interpreter_comes_first() -> None:
    program = Path(sys.executable).name

    resource = create_builder().add_executable("one", program, ".").resource

    assert resource.command == (str(Path(sys.executable).parent / program),)


def test_a_program_that_is_not_beside_the_interpreter_is_searched_on_the_path() -> None:
    assert create_builder().add_executable("one", "no-such-program", ".").resource.command == (
        "no-such-program",
    )


def test_a_resource_cannot_wait_for_itself() -> None:
    api = create_builder().add_python_module("api", ".", "gunicorn")

    with pytest.raises(ModelError, match="cannot wait for itself"):
        api.wait_for(api)


def test_a_name_is_given_once() -> None:
    builder = create_builder()
    builder.add_redis("broker")

    with pytest.raises(ModelError, match="already"):
        builder.add_redis("broker")


def test_a_replica_cannot_have_the_name_of_another_resource() -> None:
    builder = create_builder()
    builder.add_executable("worker", "rq", ".").with_replicas(2)
    builder.add_executable("worker-2", "rq", ".")

    with pytest.raises(ModelError, match="replica"):
        builder.build()


@pytest.mark.parametrize("name", ["", "Broker", "1st", "a b", "a--b", "-a", "a-", "a/b", "x" * 65, "ä"])
def test_a_name_that_is_no_label_is_refused(name: str) -> None:
    with pytest.raises(ModelError, match="not a valid resource name"):
        create_builder().add_redis(name)


def test_a_resource_of_another_builder_is_refused() -> None:
    stranger = create_builder().add_redis("stranger")
    builder = create_builder()
    builder.add_executable("worker", "rq", ".").wait_for(stranger)

    with pytest.raises(ModelError, match="'stranger': add this resource"):
        builder.build()


def test_resources_that_wait_for_each_other_are_refused() -> None:
    builder = create_builder()
    one, two = builder.add_executable("one", "x", "."), builder.add_executable("two", "x", ".")
    one.wait_for(two)
    two.wait_for(one)

    with pytest.raises(ModelError, match="cycle: one, two"):
        builder.build()


@pytest.mark.parametrize("count", [0, -1, 65])
def test_replicas_have_limits(count: int) -> None:
    with pytest.raises(ModelError, match="1 to 64"):
        create_builder().add_executable("worker", "rq", ".").with_replicas(count)


def test_a_health_check_needs_an_endpoint() -> None:
    with pytest.raises(ModelError, match="with_http_endpoint first"):
        create_builder().add_python_module("api", ".", "x").with_http_health_check(path="/")


def test_a_liveness_probe_asks_the_endpoint_or_a_port_of_each_process() -> None:
    builder = create_builder()
    api = (
        builder.add_python_module("api", ".", "x").with_http_endpoint().with_http_probe("liveness", path="/a")
    )
    worker = builder.add_python_module("worker", ".", "x").with_http_probe("liveness", env="PROBE_PORT")

    assert api.resource.liveness == LivenessProbe("/a", None, 5, 5, 1, 3)
    assert worker.resource.liveness == LivenessProbe("/", "PROBE_PORT", 5, 5, 1, 3)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"probe_type": "readiness"}, "api can have a probe of the type 'liveness', not 'readiness'."),
        ({}, "api has no HTTP endpoint: call with_http_endpoint first, or give env."),
        ({"env": "P", "period_seconds": 0}, "needs times above 0 and a threshold of at least 1"),
        ({"env": "P", "timeout_seconds": -1}, "needs times above 0"),
        ({"env": "P", "initial_delay_seconds": -1}, "needs times above 0"),
        ({"env": "P", "failure_threshold": 0}, "a threshold of at least 1"),
    ],
)
def test_a_liveness_probe_that_cannot_work_is_refused(options: dict[str, Any], sentence: str) -> None:
    api = create_builder().add_python_module("api", ".", "x")

    with pytest.raises(ModelError, match=sentence):
        api.with_http_probe(**{"probe_type": "liveness", **options})


def test_this_product_is_a_broker_an_api_and_workers() -> None:
    broker, api, worker = describe_app(Settings(workers=3), {}, "secret").resources

    assert (broker.name, broker.kind) == ("broker", Kind.REDIS)
    assert api.waits == worker.waits == ("broker",)
    assert api.env["REPORTS_SECRET_KEY"] == "secret"
    assert worker.instance_names == ("worker-1", "worker-2", "worker-3")
    # A script of the environment would not survive a move of the checkout.
    assert worker.command == (sys.executable, "-m", "reports_worker")
    assert worker.env["REPORTS_GRACE"] == "5s"
    assert (api.liveness and api.liveness.path, worker.liveness and worker.liveness.env) == (
        "/alive", "REPORTS_PROBE_PORT",
    )  # fmt: skip


def test_the_users_own_broker_secret_and_grace_come_first() -> None:
    environ = {
        "ConnectionStrings__broker": "redis.internal:6379",
        "REPORTS_SECRET_KEY": "of the user",
        "REPORTS_GRACE": "1m",
    }

    broker, api, worker = describe_app(Settings(), environ, "made").resources

    assert broker.kind is Kind.CONNECTION_STRING
    assert api.env["REPORTS_SECRET_KEY"] == "of the user"
    assert worker.env["REPORTS_GRACE"] == "1m"
