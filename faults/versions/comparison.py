"""What two versions show of the same reports: each as it should be, and the same by both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .site import Site

# What moves while a report has not ended.
_MOVING = ("progress", "position", "started_at")


@dataclass(frozen=True)
class Expectation:
    """A report that was accepted, and how each version is to show it."""

    task_id: str
    title: str
    status: str
    reason: str | None = None

    def is_met_by(self, report: Any) -> bool:
        return report is not None and (report["status"], report.get("reason")) == (self.status, self.reason)


def find_faults(expected: Sequence[Expectation], old: Site, new: Site) -> Iterator[str]:
    """Say in sentences which reports a version hides, or shows otherwise than it should or than the other does."""
    for site in (old, new):
        listed = site.list_ids()
        yield from (
            f"Version {site.version} does not list {one.title!r}."
            for one in expected
            if one.task_id not in listed
        )
    for one in expected:
        reports = [site.find(one.task_id) for site in (old, new)]
        for site, report in zip((old, new), reports, strict=True):
            yield from _find_faults(one, site, report)
        if all(reports) and not includes(_settle(reports[1]), _settle(reports[0])):
            yield f"The versions show {one.title!r} otherwise: {reports[0]} and {reports[1]}."


def _find_faults(one: Expectation, site: Site, report: Any) -> Iterator[str]:
    if report is None:
        yield f"Version {site.version} hides {one.title!r}."
        return
    if not one.is_met_by(report):
        yield (
            f"Version {site.version} shows {one.title!r} as {report['status']} ({report.get('reason')}) "
            f"instead of {one.status} ({one.reason})."
        )
    if not site.has_page(report):
        yield f"Version {site.version} has no page of {one.title!r}."
    if spoiled := list(site.find_spoiled(report)):
        yield f"Version {site.version} does not serve {', '.join(spoiled)} of {one.title!r}."
    if one.status == "completed" and not report["artifacts"]:
        yield f"Version {site.version} shows no file of {one.title!r}."


def _settle(report: Mapping[str, Any]) -> Mapping[str, Any]:
    """Leave out what may have moved between two requests."""
    has_ended = report["status"] in ("completed", "failed")
    return {name: value for name, value in report.items() if has_ended or name not in _MOVING}


def includes(new: Any, old: Any) -> bool:
    """Tell whether a newer version shows all that an older one shows; it may show more."""
    if isinstance(old, Mapping):
        return isinstance(new, Mapping) and all(
            name in new and includes(new[name], value) for name, value in old.items()
        )
    if isinstance(old, list):
        return isinstance(new, list) and len(new) == len(old) and all(map(includes, new, old))
    return bool(new == old)
