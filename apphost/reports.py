"""The app model of the product: a broker, the API and its workers."""

from __future__ import annotations

from collections.abc import Mapping

from .application import DistributedApplication
from .builder import create_builder
from .settings import Settings

BROKER_PORT = 6379
ARTIFACTS = "ConnectionStrings__artifacts"
WAREHOUSE = "ConnectionStrings__warehouse"


def describe_app(settings: Settings, environ: Mapping[str, str], secret_key: str) -> DistributedApplication:
    """Build the app model."""
    with create_builder() as builder:
        if environ.get("ConnectionStrings__broker"):
            broker = builder.add_connection_string("broker")
        else:
            broker = builder.add_redis("broker", port=BROKER_PORT)
        broker.with_queue("rq:queue:reports", pause_key="rq:suspended")

        api = builder.add_python_module("api", ".", "gunicorn")
        api.with_args(["--config", "python:reports_app.gunicorn_conf", "reports_app:create_app()"])
        api.with_reference(broker).wait_for(broker)
        api.with_http_endpoint(port=settings.port, env="PORT").with_external_http_endpoints()
        api.with_http_health_check(path="/health")
        # A long limit: gunicorn itself restarts processes that hang, and a busy process responds late.
        api.with_http_probe(
            "liveness", path="/alive", period_seconds=10, timeout_seconds=5, failure_threshold=6
        )
        api.with_env("REPORTS_SECRET_KEY", environ.get("REPORTS_SECRET_KEY") or secret_key)

        # A module, as the API: a script beside the interpreter names the folder that the checkout once had.
        worker = builder.add_python_module("worker", ".", "reports_worker")
        worker.with_reference(broker).with_reference(api).wait_for(broker)
        worker.with_replicas(settings.workers).with_stop_timeout(6)
        worker.with_http_probe(
            "liveness",
            path="/alive",
            env="REPORTS_PROBE_PORT",
            initial_delay_seconds=0,
            period_seconds=3,
            timeout_seconds=3,
            failure_threshold=4,
        )
        # The address that the apphost probes, independent of the apphost's own environment.
        worker.with_env("REPORTS_PROBE_HOST", "127.0.0.1")
        if environ.get("REPORTS_SECRET_KEY"):
            # Only the API signs sessions, and the code of report types, which runs in workers, must not read the key.
            worker.with_env("REPORTS_SECRET_KEY", "")
        worker.with_env("REPORTS_GRACE", environ.get("REPORTS_GRACE") or "5s")

        for name, value in find_stores(settings, environ).items():
            api.with_env(name, value)
            worker.with_env(name, value)
        return builder.build()


def find_stores(settings: Settings, environ: Mapping[str, str]) -> Mapping[str, str]:
    """Find the warehouse and the artifact store, which API and workers share."""
    artifacts = environ.get(ARTIFACTS) or str((settings.folder / "artifacts").absolute())
    warehouse = environ.get(WAREHOUSE)
    return {ARTIFACTS: artifacts} | ({WAREHOUSE: warehouse} if warehouse else {})
