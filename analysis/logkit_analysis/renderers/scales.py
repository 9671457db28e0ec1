"""Where a value lies on an axis, and where an axis is labelled."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from zoneinfo import ZoneInfo

_STEPS = (1.0, 2.0, 5.0, 10.0)
_TIME_STEPS_S = (
    *(1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200),
    *(86_400, 2 * 86_400, 7 * 86_400, 14 * 86_400, 28 * 86_400, 91 * 86_400, 365 * 86_400),
)
_MOST_TIME_TICKS = 8
_HOUR_S = 3600
# One absurd duration in a log must not leave the others without a chart: no eye tells more decades
# apart, and above the greatest the next round number may be infinite.
_MOST_DECADES = 12
_GREATEST = 1e300


@dataclass(frozen=True, slots=True)
class Scale:
    """A vertical axis from *low* to *high*; labels stand at *ticks*."""

    low: float
    high: float
    ticks: tuple[float, ...]
    is_log: bool = False

    def share(self, value: float) -> float:
        """Return how far up *value* lies, 0 at the foot and 1 at the top."""
        low, high = self.low, self.high
        if self.is_log:
            value, low, high = (math.log(max(one, self.low)) for one in (value, low, high))
        return min(max((value - low) / (high - low), 0.0), 1.0)


def linear(values: Sequence[float], least_top: float = 1.0) -> Scale:
    """Return an axis from 0 to a round number above all *values* up to `_GREATEST`."""
    top = min(max(max(values, default=0.0), least_top), _GREATEST)
    step = round_up(top / 3)
    high = step * math.ceil(top / step - 1e-9)
    return Scale(0.0, high, tuple(step * index for index in range(round(high / step) + 1)))


def logarithmic(values: Sequence[float]) -> Scale:
    """Return an axis over whole decades (or halves of one) that holds all positive *values*.

    Those more than `_MOST_DECADES` below the greatest lie at its foot.
    """
    positive = [min(max(value, 1 / _GREATEST), _GREATEST) for value in values if value > 0] or [1.0]
    high = max(positive)
    low = max(min(positive), high / 10.0**_MOST_DECADES)
    bottom = 10.0 ** math.floor(math.log10(low))
    top = next(step for step in _decades(bottom) if step >= high and step > bottom)
    ticks = tuple(10.0**power for power in range(_power(bottom), _power(top) + 1))
    return Scale(bottom, top, ticks, is_log=True)


def time_ticks(since: datetime, until: datetime, zone: ZoneInfo) -> list[datetime]:
    """Return round times of day in *zone* between the two instants, at most eight."""
    seconds = (until - since).total_seconds()
    wanted = seconds / _MOST_TIME_TICKS
    step = next((one for one in _TIME_STEPS_S if one >= wanted), _TIME_STEPS_S[-1])
    # Steps count from local midnight, or an axis by hours would be labelled 01:00, 05:00 ...
    midnight = since.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    first = math.ceil((since - midnight.astimezone(UTC)).total_seconds() / step) - 1
    ticks: list[datetime] = []
    for index in count(max(first, 0)):
        at = _after(midnight, index * step, by_clock=step % _HOUR_S == 0)
        if at > until:
            return ticks
        if at >= since and at not in ticks[-1:]:
            ticks.append(at)
    return ticks


def _after(midnight: datetime, seconds: int, *, by_clock: bool) -> datetime:
    """Return the instant *seconds* after a local midnight, as the clock on the wall counts them.

    Where the clock changes, that keeps 06:00 at 06:00; steps of minutes pass evenly instead.
    """
    later = timedelta(seconds=seconds)
    return (midnight + later).astimezone(UTC) if by_clock else midnight.astimezone(UTC) + later


def round_up(step: float) -> float:
    """Return the next 1, 2 or 5 times a power of ten."""
    scale = 10.0 ** math.floor(math.log10(step))
    return next(one * scale for one in _STEPS if one * scale >= step * (1 - 1e-9))


def _decades(bottom: float) -> tuple[float, ...]:
    powers = range(_MOST_DECADES + 2)
    return tuple(bottom * 10**power * part for power in powers for part in (1, 2, 5))


def _power(value: float) -> int:
    return math.floor(math.log10(value) + 1e-9)
