"""The probes of instances: started with a process, stopped with it, and what they find sent to the loop."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from .health import Health, Prober
from .instance import Instance, Launch
from .liveness import LivenessProber
from .messages import HealthFound, LivenessFound, Message


class Probing:
    """Starts and stops the threads that probe instances."""

    def __init__(self, launches: Mapping[str, Launch], send: Callable[[Message], None]) -> None:
        self._launches = launches
        self._send = send

    def start(self, instance: Instance) -> None:
        """Probe the health of an instance, where it has a check."""
        make_probe = self._launches[instance.name].make_probe
        instance.health = None
        if make_probe is None:
            return

        def send(prober: Prober, health: Health) -> None:
            self._send(HealthFound(instance.name, prober, health))

        instance.prober = Prober(make_probe, send)

    def start_liveness(self, instance: Instance, port: int | None) -> None:
        """Probe whether the process of an instance lives, where it has a probe and a port."""
        if instance.resource.liveness is None or port is None:
            return

        def send(prober: LivenessProber, problem: str, is_dead: bool) -> None:
            self._send(LivenessFound(instance.name, prober, problem, is_dead))

        instance.liveness = LivenessProber(port, instance.resource.liveness, send)

    def stop(self, instance: Instance) -> None:
        """Stop all probes of an instance."""
        self.stop_liveness(instance)
        if instance.prober is not None:
            instance.prober.stop()
            instance.prober = None
        instance.health = None

    def stop_liveness(self, instance: Instance) -> None:
        if instance.liveness is not None:
            instance.liveness.stop()
            instance.liveness = None
