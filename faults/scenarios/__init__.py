"""The faults: one small module each kind, and the one table of them all."""

from __future__ import annotations

from collections.abc import Mapping

from faults.fault import Fault

from . import (
    api_killed,
    both_killed,
    broker_killed,
    broker_paused,
    clock_shifted,
    cut_off,
    disk_full,
    files_cut_off,
    making_killed,
    memory_full,
    previous_version,
    rolling_restart,
    rolling_upgrade,
    worker_killed,
    worker_stopped,
    worker_terminated,
)

_KINDS = (
    making_killed,
    worker_killed,
    both_killed,
    files_cut_off,
    worker_terminated,
    worker_stopped,
    broker_killed,
    broker_paused,
    cut_off,
    memory_full,
    disk_full,
    api_killed,
    clock_shifted,
    rolling_restart,
    rolling_upgrade,
    previous_version,
)

FAULTS: Mapping[str, Fault] = {fault.name: fault for kind in _KINDS for fault in kind.FAULTS}
