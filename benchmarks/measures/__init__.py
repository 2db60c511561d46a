"""All measurements, in the order of the table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from benchmarks.bench import Bench
from benchmarks.rows import Row

from .attended import measure_attended_submits
from .checks import check_peer
from .exports import measure_exports
from .files import measure_files
from .layers import measure_layers
from .listing import measure_lists
from .making import measure_making
from .memory import measure_memory
from .pick_up import measure_pick_up
from .status import measure_status
from .submits import measure_round_trips, measure_submits
from .warehouse import measure_warehouse

MEASURES: Sequence[Callable[[Bench], Iterable[Row]]] = (
    measure_submits,
    measure_attended_submits,
    measure_round_trips,
    measure_status,
    measure_layers,
    measure_lists,
    measure_pick_up,
    measure_making,
    measure_memory,
    measure_files,
    measure_exports,
    measure_warehouse,
)

# The peer's side takes no part in these, so they say nothing of it and need nothing from it.
WITHOUT_PEER = ("files", "exports", "warehouse")

BY_NAME = {measure.__name__.removeprefix("measure_"): measure for measure in MEASURES}

__all__ = ["BY_NAME", "MEASURES", "WITHOUT_PEER", "check_peer"]
