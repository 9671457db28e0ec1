"""Which incidents there were: troubles that went on at the same time are one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from logkit_analysis.detect.troubles import Evidence, find_troubles
from logkit_analysis.errors import UsageError
from logkit_analysis.time_window import Window

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logkit_analysis.detect.troubles import Trouble
    from logkit_analysis.reports.ledger import Ledger

Row = dict[str, Any]

_TOGETHER = timedelta(minutes=10)
_MANY_REFUSED = 50
_TICK = timedelta(microseconds=1)
_LEAST = timedelta(seconds=1)
_SERVING = ("latency", "error_ratio")


@dataclass(frozen=True, slots=True)
class Incident:
    """Troubles that went on together.

    Attributes:
        number: Its place among those found: 1 is the latest.
        troubles: What was broken, in order of the start.
        started_at: Start of the first of them.
        ended_at: End of the last of them; ``None`` while one is going on.
        degradations: Rows of `degradation_start` that it is made of, in that order.
        refused: 429s of the storms in it.
    """

    number: int
    troubles: tuple[Trouble, ...]
    started_at: datetime
    ended_at: datetime | None
    degradations: tuple[Row, ...]
    refused: int

    @property
    def is_open(self) -> bool:
        """Whether it is still going on."""
        return self.ended_at is None

    @property
    def is_grave(self) -> bool:
        """Whether it is more than a handful of 429s, of which a busy bot meets some each hour."""
        return self.refused >= _MANY_REFUSED or any(
            one.kind != "rate_limit_storm" for one in self.troubles
        )

    @property
    def score(self) -> float:
        """Contrast of the clearest degradation in it, in standard errors."""
        return max((row["score"] for row in self.degradations), default=0.0)

    @property
    def main(self) -> Trouble:
        """The trouble that it is named after: what answers slowly or fails, the clearest first."""
        return min(
            self.troubles,
            key=lambda one: (one.kind not in _SERVING, -self._score_of(one), one.started_at),
        )

    @property
    def main_row(self) -> Row | None:
        """The row of `degradation_start` of the main trouble, ``None`` where it is another."""
        return self._row_of(self.main)

    def _row_of(self, trouble: Trouble) -> Row | None:
        for row in self.degradations:
            if (row["metric"], row["started_at"]) == (trouble.kind, trouble.started_at):
                return row
        return None

    def _score_of(self, trouble: Trouble) -> float:
        row = self._row_of(trouble)
        return 0.0 if row is None else float(row["score"])

    def window(self, until: datetime) -> Window:
        """Return its time; *until* is the end where it is going on."""
        end = self.ended_at or until
        if any(one.kind == "rate_limit_storm" and one.ended_at == end for one in self.troubles):
            # A storm ends with its last 429, which belongs to it.
            end += _TICK
        return Window(self.started_at, max(end, self.started_at + _LEAST))


def find_incidents(ledger: Ledger, window: Window) -> list[Incident]:
    """Return the incidents of *window*, the latest first.

    A leak lasts for hours and touches nobody before its end: it is an incident of its own only
    where there is nothing else.
    """
    evidence = _evidence(ledger, window)
    troubles = find_troubles(evidence)
    acute = [one for one in troubles if one.kind != "memory"]
    groups = reversed(_together(acute or troubles, window.until))
    return [_incident(number, group, evidence) for number, group in enumerate(groups, start=1)]


def find_leaks(ledger: Ledger, window: Window) -> tuple[Trouble, ...]:
    """Return the leaks of *window*, which go on beside its incidents."""
    troubles = find_troubles(_evidence(ledger, window))
    return tuple(one for one in troubles if one.kind == "memory")


def _evidence(ledger: Ledger, window: Window) -> Evidence:
    return Evidence(
        until=window.until,
        degradations=ledger.rows("degradation_start", window),
        storms=ledger.rows("rate_limit_storms", window),
        memory=ledger.rows("memory_growth", window),
        restarts=ledger.rows("restarts", window),
        silences=ledger.rows("silences", window),
        errors_of=lambda since, until: ledger.rows("top_errors", Window(since, until)),
    )


def choose(incidents: Sequence[Incident], number: int | None) -> Incident | None:
    """Return the incident *number*, by default the worst open one, else the last.

    A few 429s count only where there is nothing else.

    Raises:
        UsageError: There is none of that number.
    """
    if number is not None:
        for one in incidents:
            if one.number == number:
                return one
        found = f"{len(incidents)} found, 1 is the latest"
        raise UsageError(f"there is no incident {number}; {found if incidents else 'none found'}")
    grave = [one for one in incidents if one.is_grave] or incidents
    going_on = [one for one in grave if one.is_open]
    if going_on:
        return max(going_on, key=lambda one: one.score)
    return grave[0] if grave else None


def _together(troubles: Sequence[Trouble], until: datetime) -> list[list[Trouble]]:
    groups: list[list[Trouble]] = []
    busy_until = until
    for one in sorted(troubles, key=lambda trouble: trouble.started_at):
        end = one.ended_at or until
        if groups and one.started_at <= busy_until + _TOGETHER:
            groups[-1].append(one)
            busy_until = max(busy_until, end)
        else:
            groups.append([one])
            busy_until = end
    return groups


def _incident(number: int, troubles: list[Trouble], evidence: Evidence) -> Incident:
    ends = [one.ended_at for one in troubles if one.ended_at is not None]
    started = {(one.kind, one.started_at) for one in troubles}
    return Incident(
        number=number,
        troubles=tuple(troubles),
        started_at=troubles[0].started_at,
        ended_at=max(ends) if len(ends) == len(troubles) else None,
        degradations=tuple(
            row for row in evidence.degradations if (row["metric"], row["started_at"]) in started
        ),
        refused=sum(
            row["hits"]
            for row in evidence.storms
            if ("rate_limit_storm", row["started_at"]) in started
        ),
    )
