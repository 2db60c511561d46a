"""The order in which all instances stop: a resource stops after the resources that wait for it."""

from __future__ import annotations

from collections.abc import Iterable

from .instance import Instance


class StopOrder:
    """The groups of instances that stop one after another; the replicas of one resource are one group."""

    def __init__(self, instances: Iterable[Instance]) -> None:
        self._groups = iter(sort_groups(instances))
        self._stopping: list[Instance] = []

    def take_next(self) -> list[Instance]:
        """Take the group that is to stop now; no instance while one of the previous group still runs."""
        if any(instance.process for instance in self._stopping):
            return []
        self._stopping = next(self._groups, [])
        return self._stopping


def sort_groups(instances: Iterable[Instance]) -> list[list[Instance]]:
    """Sort instances into groups, in the order of the model where no resource waits for another."""
    left: dict[str, list[Instance]] = {}
    for instance in instances:
        left.setdefault(instance.resource.name, []).append(instance)
    order = []
    while left:
        needed = {name for group in left.values() for name in group[0].resource.waits}
        free = [name for name in left if name not in needed]
        order += [left.pop(name) for name in free]
    return order
