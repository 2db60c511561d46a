"""The configuration of gunicorn: `gunicorn -c python:reports_app.gunicorn_conf "reports_app:create_app()"`.

Two processes with few threads each: more threads in one process are slower, since they contend for the
interpreter's lock at every reply from Redis.
"""

from __future__ import annotations

import logging
import os
import socket
import sys
import threading
from collections.abc import Iterable
from typing import Any

from reports_app.server.graceful_shutdown import end_waits_on_sigterm, resend_early_sigterm
from reports_worker import SettingsError, __version__, connect
from reports_worker.broker.health import warn_once_it_answers

from .exposure import OPEN_WARNING
from .settings import AppSettings

_log = logging.getLogger(__name__)

try:
    _SETTINGS = AppSettings.from_environ(os.environ)
except SettingsError as error:
    sys.exit(str(error))

bind = _SETTINGS.address
workers = _SETTINGS.processes
worker_class = "reports_app.server.gunicorn_worker.SharingThreadWorker"
threads = 4
preload_app = True
timeout = 30
graceful_timeout = 10
keepalive = 5
forwarded_allow_ips = "127.0.0.1,::1"
# No client sets SCRIPT_NAME or PATH_INFO: a proxy announces its prefix with X-Forwarded-Prefix.
forwarder_headers = ""
control_socket_disable = True
loglevel = "warning"


def on_starting(server: Any) -> None:
    """Check the addresses before gunicorn binds them: the command line may have changed them."""
    _refuse_addresses(server, (address[0] for address in server.cfg.address if isinstance(address, tuple)))


def when_ready(server: Any) -> None:
    """Check the sockets before the first accept: systemd or a host name may have selected other addresses.

    Then log the version and the addresses, once for all processes.
    """
    on_reload(server)
    _log.info("background-reports %s serves %s", __version__, ", ".join(map(str, server.LISTENERS)))
    if _SETTINGS.is_open:
        _log.warning("%s", OPEN_WARNING)


def on_reload(server: Any) -> None:
    """Check the sockets again: the reloaded configuration may have other addresses."""
    names = (one.getsockname() for one in server.LISTENERS if one.family != socket.AF_UNIX)
    _refuse_addresses(server, (str(name[0]) for name in names))


def post_fork(server: Any, worker: Any) -> None:
    """Keep the process' copy of the queue into which the arbiter's handler puts signals."""
    worker.early_signals = server.SIG_QUEUE


def post_worker_init(worker: Any) -> None:
    """End long polls when the process receives SIGTERM, also if the signal arrived before this call.

    The first process also logs conditions of the broker under which reports can be lost.
    """
    end_waits_on_sigterm(worker.wsgi)
    resend_early_sigterm(worker.early_signals)
    if worker.age == 1:
        shared = _SETTINGS.shared
        threading.Thread(
            target=warn_once_it_answers,
            args=[connect(shared.broker)],
            kwargs={"replicas": shared.broker_replicas},
            name="broker-warnings",
            daemon=True,
        ).start()


def _refuse_addresses(server: Any, hosts: Iterable[str]) -> None:
    """Stop the server if an address can be reached from other machines without REPORTS_OPEN."""
    try:
        for host in hosts:
            _SETTINGS.refuse_address(host or "0.0.0.0")  # noqa: S104 - an empty host is every address
    except SettingsError as error:
        print(error, file=sys.stderr, flush=True)
        server.stop()
        if server.pidfile is not None:
            server.pidfile.unlink()
        sys.exit(1)
