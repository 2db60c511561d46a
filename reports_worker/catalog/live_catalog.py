"""The current catalog: loaded by a process of its own, and refreshed when a file has changed."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence

from reports_worker.domain.type_description import TypeDescription, type_from_data
from reports_worker.errors import DefinitionError
from reports_worker.settings.data import DataSettings

from .environment import without_secrets
from .errors import Broken

log = logging.getLogger(__name__)

CHECK_SECONDS = 2.0
# Options that queries return change with the data.
REFRESH_SECONDS = 600.0
LONGEST_SECONDS = 120.0
_COMMAND = [sys.executable, "-m", "reports_worker.catalog"]

Files = frozenset[tuple[str, int, int]]


class LiveCatalog(Mapping[str, TypeDescription]):
    """Checks the files on access, at most every `CHECK_SECONDS`.

    The first access waits for the catalog. While the catalog is being refreshed, readers get the previous types. No
    definition is ever imported in this process.
    """

    def __init__(self, settings: DataSettings, simulated: Mapping[str, TypeDescription]) -> None:
        self._settings = settings
        self._simulated = simulated
        self._types: Mapping[str, TypeDescription] | None = None
        self._broken: Sequence[Broken] = ()
        self._files: Files = frozenset()
        self._checked_at = self._refreshed_at = -REFRESH_SECONDS
        self._lock = threading.Lock()

    def __getitem__(self, name: str) -> TypeDescription:
        return self._current()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._current())

    def __len__(self) -> int:
        return len(self._current())

    @property
    def broken(self) -> Sequence[Broken]:
        """Definitions that cannot be used, and warnings about others."""
        self._current()
        return self._broken

    def _current(self) -> Mapping[str, TypeDescription]:
        types = self._types
        if types is None:
            with self._lock:
                if self._types is None:
                    self._refresh()
            return self._types or self._simulated
        now = time.monotonic()
        if now - self._checked_at >= CHECK_SECONDS and self._lock.acquire(blocking=False):
            self._checked_at = now
            if now - self._refreshed_at >= REFRESH_SECONDS or self._read_files() != self._files:
                threading.Thread(target=self._refresh_and_release, name="catalog", daemon=True).start()
            else:
                self._lock.release()
        return types

    def _refresh_and_release(self) -> None:
        try:
            self._refresh()
        finally:
            self._lock.release()

    def _refresh(self) -> None:
        """Inspect all files in a process; keep the previous types where the inspection fails."""
        files = self._read_files()
        try:
            answer = subprocess.run(
                _COMMAND, env=self._environ(), capture_output=True, timeout=LONGEST_SECONDS, check=True
            )
            found = json.loads(answer.stdout)
            types = [type_from_data(one) for one in found["types"]]
            broken = [Broken(**one) for one in found["broken"]]
        except (OSError, subprocess.SubprocessError, ValueError, KeyError, DefinitionError) as error:
            log.error("the definitions of report types cannot be inspected: %s", error)
            types = list((self._types or {}).values())
            broken = [Broken("all files", "The definitions cannot be inspected; see the log.")]
        for one in broken:
            if one not in self._broken:
                log.warning("definition of a report type: %s", one)
        self._types = {**self._simulated, **{one.name: one for one in types}}
        self._broken, self._files = broken, files
        self._checked_at = self._refreshed_at = time.monotonic()

    def _environ(self) -> dict[str, str]:
        settings = self._settings
        known = {
            "ConnectionStrings__warehouse": settings.warehouse or "",
            "REPORTS_PATH": os.pathsep.join(map(str, settings.report_folders)),
            "REPORTS_TIMEZONE": settings.timezone.key,
            "REPORTS_FISCAL_YEAR_START": str(settings.fiscal_year_start),
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        }
        return {**without_secrets(os.environ), **known}

    def _read_files(self) -> Files:
        found = set[tuple[str, int, int]]()
        for folder in self._settings.report_folders:
            try:
                entries = list(os.scandir(folder))
            except OSError:
                continue
            for entry in entries:
                try:
                    about = entry.stat()
                except OSError:
                    continue
                found.add((entry.path, about.st_mtime_ns, about.st_size))
        return frozenset(found)
