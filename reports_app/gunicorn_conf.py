"""Production settings of gunicorn: `gunicorn -c python:reports_app.gunicorn_conf "reports_app:create_app()"`.

Two processes of few threads: more threads in one process make it slower, since they contend for the
interpreter's lock at every reply from Redis.
"""

from __future__ import annotations

import os
import sys
import threading
from typing import Any

from reports_worker import SettingsError, connect
from reports_worker.broker_checks import warn_once_it_answers

from .leaving import answer_waits_on_sigterm, heed_early_sigterm
from .settings import AppSettings, refuse_open_address_without_secret

try:
    _SETTINGS = AppSettings.from_environ(os.environ)
except SettingsError as error:
    sys.exit(str(error))

bind = _SETTINGS.address
workers = _SETTINGS.processes
worker_class = "reports_app.fair_worker.FairWorker"
threads = 4
preload_app = True
timeout = 30
graceful_timeout = 10
keepalive = 5
forwarded_allow_ips = "127.0.0.1,::1"
control_socket_disable = True
loglevel = "warning"


def on_starting(server: Any) -> None:
    """Look at the addresses that are really served: the command line may have changed them."""
    try:
        for address in server.cfg.address:
            if isinstance(address, tuple):
                refuse_open_address_without_secret(address[0], _SETTINGS.secret_key)
    except SettingsError as error:
        sys.exit(str(error))


def post_fork(server: Any, worker: Any) -> None:
    """Keep the process' copy of the queue into which its arbiter's handler puts signals."""
    worker.early_signals = server.SIG_QUEUE


def post_worker_init(worker: Any) -> None:
    """Have those who wait for a report answered when the process is told to end, however early.

    Have the first process log what about the broker endangers reports, once it answers.
    """
    answer_waits_on_sigterm(worker.wsgi)
    heed_early_sigterm(worker.early_signals)
    if worker.age == 1:
        shared = _SETTINGS.shared
        threading.Thread(
            target=warn_once_it_answers,
            args=[connect(shared.broker)],
            kwargs={"replicas": shared.broker_replicas},
            name="broker-warnings",
            daemon=True,
        ).start()
