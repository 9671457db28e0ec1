"""Simulated bins of calls with a known story."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import TYPE_CHECKING, Any

import pytest
from logkit_analysis.detect.change_points import detect
from logkit_analysis.results import Column, ResultSet

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

START = datetime(2026, 1, 31, 9, tzinfo=UTC)
_NAMES = (
    *("series", "service", "method", "endpoint", "queue", "bin_at", "first_at", "answered"),
    *("errors", "samples", "centre", "upper_end", "slow_id", "failed_id"),
)


class Calls:
    """Calls of endpoints of one service, with durations in milliseconds from a story."""

    def __init__(self, seed: int = 1) -> None:
        self._rng = random.Random(seed)
        self._calls: list[tuple[datetime, str, float, bool]] = []

    def add(
        self,
        endpoint: str,
        minutes: float,
        *,
        per_minute: float,
        median_ms: Callable[[float], float],
        error_ratio: Callable[[float], float] = lambda _: 0.0,
    ) -> None:
        """Add *minutes* of calls; the functions take the minute since the start."""
        at = 0.0
        while (at := at + self._rng.expovariate(per_minute)) < minutes:
            duration = median_ms(at) * self._rng.lognormvariate(0, 0.4)
            failed = self._rng.random() < error_ratio(at)
            self._calls.append((START + timedelta(minutes=at), endpoint, duration, failed))

    def first_after(self, minute: float, endpoint: str = "/a") -> datetime:
        """Return the start of the first call of *endpoint* from that minute on."""
        at = START + timedelta(minutes=minute)
        return min(begun for begun, name, *_ in self._calls if name == endpoint and begun >= at)

    def bins(self, changed: Mapping[str, object] | None = None) -> ResultSet:
        """Return the rows of the query, as its SQL would give them."""
        wanted: Mapping[str, Any] = changed or {}
        width = wanted.get("bin_seconds", 30)
        groups: dict[tuple[str, datetime], list[tuple[datetime, str, float, bool]]] = {}
        for call in self._calls:
            if wanted.get("since", call[0]) <= call[0] < wanted.get("until", call[0] + _TICK):
                past = (call[0] - START) // timedelta(seconds=width)
                key = (call[1], START + past * timedelta(seconds=width))
                groups.setdefault(key, []).append(call)
        rows = [_row(endpoint, at, calls) for (endpoint, at), calls in sorted(groups.items())]
        return ResultSet(tuple(Column(name, "VARCHAR") for name in _NAMES), rows)

    def findings(self) -> list[dict[str, Any]]:
        """Return what the detector finds."""
        return detect(self.bins(), self.bins).dicts()


_TICK = timedelta(microseconds=1)


def _row(
    endpoint: str, at: datetime, calls: list[tuple[datetime, str, float, bool]]
) -> tuple[object, ...]:
    good = sorted(duration for _, _, duration, failed in calls if not failed)
    errors = sum(failed for *_, failed in calls)
    first_at = min(begun for begun, *_ in calls)
    centre = median(good) if good else None
    upper_end = good[int(0.9 * (len(good) - 1))] if good else None
    place = ("calls", "bot", "GET", endpoint, None, at, first_at)
    return (*place, len(calls), errors, len(good), centre, upper_end, "slow", "failed")


@pytest.fixture
def calls() -> Calls:
    """Return no calls yet."""
    return Calls()
