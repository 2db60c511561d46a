"""Which instances are ready, and what the console shows of it."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable

from apphost.logs.console import Console
from apphost.logs.console_log import SecretMask
from apphost.model.resources import Resource

from .instance import Instance

UNWELL_SECONDS = 3.0


def find_unready(resource: Resource, instances: Iterable[Instance]) -> tuple[str, ...]:
    """Find the instances that a resource waits for and that are not ready yet."""
    return tuple(
        other.name for other in instances if other.resource.name in resource.waits and not other.is_ready
    )


class Readiness:
    """Reports changes of health on the console, each change once."""

    def __init__(self, instances: Collection[Instance], *, console: Console, mask: SecretMask) -> None:
        self._instances = instances
        self._console = console
        self._mask = mask
        self._begun_at = time.monotonic()
        self._was_ready = False

    def report_health(self, instance: Instance, now: float) -> None:
        """Report an instance that is not healthy for `UNWELL_SECONDS`, and its recovery."""
        if instance.is_ready:
            if instance.is_reported_unwell:
                self._console.say(f"{instance.name} is healthy again")
            instance.unwell_since, instance.is_reported_unwell = None, False
        elif instance.health and not instance.is_reported_unwell:
            instance.unwell_since = instance.unwell_since or now
            if now - instance.unwell_since >= UNWELL_SECONDS:
                self._console.say(f"{instance.name} is not healthy: {self._mask(instance.health.problem)}")
                instance.is_reported_unwell = True

    def report_notice(self, instance: Instance, notice: str) -> None:
        """Report the notice of a probe, and that the notice no longer holds."""
        if notice != instance.notice:
            over = f"this no longer holds: {instance.notice}"
            instance.notice = notice
            self._console.say(f"{instance.name}: {notice or over}")

    def report_if_all_ready(self) -> None:
        """Report once that all instances are ready."""
        if not self._was_ready and all(instance.is_ready for instance in self._instances):
            self._console.say(f"All healthy after {time.monotonic() - self._begun_at:.1f} s")
            self._was_ready = True
