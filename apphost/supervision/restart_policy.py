"""When a process that died is started again."""

from __future__ import annotations

from dataclasses import dataclass

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
WELL_AFTER_SECONDS = 10.0
MOST_DEATHS = 5


@dataclass(frozen=True)
class RestartRecord:
    """The number of deaths in a row, each soon after its start."""

    deaths: int = 0

    def after_death(self, ran_seconds: float) -> RestartRecord:
        """Count a death; a death later than `WELL_AFTER_SECONDS` after the start begins a new row."""
        return RestartRecord(1 if ran_seconds >= WELL_AFTER_SECONDS else self.deaths + 1)

    @property
    def has_given_up(self) -> bool:
        return self.deaths >= MOST_DEATHS

    @property
    def pause_seconds(self) -> float:
        """The pause before the next start, which doubles with each death."""
        return min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2.0 ** max(0, self.deaths - 1))
