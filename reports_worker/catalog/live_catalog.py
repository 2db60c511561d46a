"""The catalog as it is now: made by a process of its own, and made anew when a file has changed."""

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

LOOK_SECONDS = 2.0
# Options that come from queries change with the data.
RENEW_SECONDS = 600.0
LONGEST_SECONDS = 120.0
_COMMAND = [sys.executable, "-m", "reports_worker.catalog"]

Files = frozenset[tuple[str, int, int]]


class LiveCatalog(Mapping[str, TypeDescription]):
    """Looks at the files at most every `LOOK_SECONDS`, when somebody asks; what is there serves meanwhile.

    The first who asks waits for it. No definition is ever imported here.
    """

    def __init__(self, settings: DataSettings, simulated: Mapping[str, TypeDescription]) -> None:
        self._settings = settings
        self._simulated = simulated
        self._types: Mapping[str, TypeDescription] | None = None
        self._broken: Sequence[Broken] = ()
        self._files: Files = frozenset()
        self._looked_at = self._made_at = -RENEW_SECONDS
        self._lock = threading.Lock()

    def __getitem__(self, name: str) -> TypeDescription:
        return self._now()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._now())

    def __len__(self) -> int:
        return len(self._now())

    @property
    def broken(self) -> Sequence[Broken]:
        """Definitions that cannot be used, and what else is wrong with them."""
        self._now()
        return self._broken

    def _now(self) -> Mapping[str, TypeDescription]:
        types = self._types
        if types is None:
            with self._lock:
                if self._types is None:
                    self._make()
            return self._types or self._simulated
        now = time.monotonic()
        if now - self._looked_at >= LOOK_SECONDS and self._lock.acquire(blocking=False):
            self._looked_at = now
            if now - self._made_at >= RENEW_SECONDS or self._read_files() != self._files:
                threading.Thread(target=self._make_and_release, name="catalog", daemon=True).start()
            else:
                self._lock.release()
        return types

    def _make_and_release(self) -> None:
        try:
            self._make()
        finally:
            self._lock.release()

    def _make(self) -> None:
        """Have the process look at all files; keep what there was where that fails."""
        files = self._read_files()
        try:
            answer = subprocess.run(
                _COMMAND, env=self._environ(), capture_output=True, timeout=LONGEST_SECONDS, check=True
            )
            found = json.loads(answer.stdout)
            types = [type_from_data(one) for one in found["types"]]
            broken = [Broken(**one) for one in found["broken"]]
        except (OSError, subprocess.SubprocessError, ValueError, KeyError, DefinitionError) as error:
            log.error("the definitions of reports cannot be looked at: %s", error)
            types = list((self._types or {}).values())
            broken = [Broken("all files", "They cannot be looked at now; see the log.")]
        for one in broken:
            if one not in self._broken:
                log.warning("definition of a report: %s", one)
        self._types = {**self._simulated, **{one.name: one for one in types}}
        self._broken, self._files = broken, files
        self._looked_at = self._made_at = time.monotonic()

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
