"""Memory over time: the line through it, and whether it grows without end."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from datetime import timedelta
from math import cos, pi, sin, sqrt
from statistics import fmean, median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

_LEAST_POINTS = 20
_LEAST_RUN = timedelta(minutes=30)
_LEAST_GROWTH = 0.05
_LEAST_GROWTH_BYTES = 8 << 20
_LEAST_R2 = 0.7
_LEAST_LOAD_GROWTH = 0.3
_STEADINESS = 0.4
_HOUR = timedelta(hours=1)
_DAY_HOURS = 24.0
_SEASONAL_HOURS = 36.0


@dataclass(frozen=True, slots=True)
class Point:
    """Memory in use in one bin: least figure, mean at the mean time of its samples, and load.

    Attributes:
        at: Mean time of the samples.
        least_bytes: The least of them.
        mean_bytes: Their mean.
        events: Lines that the process wrote in the bin.
    """

    at: datetime
    least_bytes: float
    mean_bytes: float
    events: float


@dataclass(frozen=True, slots=True)
class Line:
    """Memory over time: *level* bytes at *at*, growing by *slope* bytes an hour."""

    at: datetime
    level: float
    slope: float

    def reaches(self, limit: float) -> datetime | None:
        """Return when the line meets *limit*, or ``None`` if not within the calendar."""
        if self.slope <= 0:
            return None
        try:
            return self.at + _HOUR * max((limit - self.level) / self.slope, 0.0)
        except OverflowError:
            return None


def fit_line(points: Sequence[Point]) -> Line | None:
    """Return the Theil-Sen line: the median of all slopes (Sen 1968), which outliers leave alone.

    With more than a day and a half of memory only points at the same time of day are compared
    (Hirsch, Slack and Smith 1982), so that a daily wave has no slope. The slope is that of the
    least figures, which a garbage collector leaves alone; the level is that of the means at the
    end. ``None`` with fewer than two points.
    """
    if len(points) < 2:
        return None
    hours = _hours(points)
    used = [point.least_bytes for point in points]
    slope = median(_slopes(hours, used))
    recent = hours[-1] - (_DAY_HOURS if hours[-1] >= _SEASONAL_HOURS else hours[-1] / 4)
    offset = median(
        point.mean_bytes - slope * hour
        for point, hour in zip(points, hours, strict=True)
        if hour >= recent
    )
    return Line(points[-1].at, offset + slope * hours[-1], slope)


def _slopes(
    hours: Sequence[float], used: Sequence[float], *, is_seasonal: bool | None = None
) -> Iterator[float]:
    """Yield the slope of each pair that tells of growth alone, at least one.

    Of a short run these are near pairs: a step lies between few of them. Where there is no such
    pair, every pair has to do; samples of one instant do not grow.
    """
    told = list(_told_slopes(hours, used, is_seasonal=is_seasonal))
    pairs = itertools.combinations(zip(hours, used, strict=True), 2)
    every = ((later[1] - first[1], later[0] - first[0]) for first, later in pairs)
    yield from told or [grown / apart for grown, apart in every if apart > 0] or [0.0]


def _told_slopes(
    hours: Sequence[float], used: Sequence[float], *, is_seasonal: bool | None
) -> Iterator[float]:
    count, run = len(hours), hours[-1]
    if is_seasonal is None:
        is_seasonal = run >= _SEASONAL_HOURS
    near = max(2 * run / count, 1.0)
    for i in range(count):
        for j in range(i + 1, count):
            apart = hours[j] - hours[i]
            off = abs((apart + _DAY_HOURS / 2) % _DAY_HOURS - _DAY_HOURS / 2)
            is_told = apart >= _DAY_HOURS / 2 and off <= near if is_seasonal else apart <= run / 3
            if apart > 0 and is_told:
                yield (used[j] - used[i]) / apart


def is_leak(points: Sequence[Point], line: Line) -> bool:
    """Return whether memory grows all the time, by an amount that matters, and not with the load.

    A daily wave is taken out first where the run is long enough to know it.
    """
    run = points[-1].at - points[0].at
    growth = line.slope * (run / _HOUR)
    start = max(line.level - growth, 1.0)
    if len(points) < _LEAST_POINTS or run < _LEAST_RUN:
        return False
    if growth < max(_LEAST_GROWTH * start, _LEAST_GROWTH_BYTES):
        return False
    flat = _without_wave(points, line)
    return (
        r2(flat) >= _LEAST_R2
        and _is_steady(flat, line)
        and not _has_come_to_rest(flat, line)
        and not _are_steps(points, flat, line)
        and not _follows_load(points, growth / start)
    )


def _is_steady(points: Sequence[Point], line: Line) -> bool:
    third = len(points) // 3
    parts = (points[:third], points[third:-third], points[-third:])
    return all(_local_slope(part) >= _STEADINESS * line.slope for part in parts)


def _has_come_to_rest(points: Sequence[Point], line: Line) -> bool:
    """Return whether the last sixth is flat for sure: its own noise could not hide the growth."""
    last = points[-(len(points) // 6) :]
    if len(last) < 4:
        return False
    slope, hours = _local_slope(last), _hours(last)
    rests = [p.least_bytes - slope * h for p, h in zip(last, hours, strict=True)]
    middle = median(rests)
    spread = 1.4826 * median(abs(rest - middle) for rest in rests)
    doubt = spread * sqrt(12 / len(last)) / hours[-1]
    return slope + 3 * doubt < _STEADINESS * line.slope


def _are_steps(points: Sequence[Point], flat: Sequence[Point], line: Line) -> bool:
    """Return whether three levels tell more of the memory than a line and a daily wave.

    In less than two waves steps pass for one.
    """
    if flat is points:
        return False
    rests = [p.least_bytes - line.slope * h for p, h in zip(flat, _hours(flat), strict=True)]
    return _left_by_levels([p.least_bytes for p in points]) < _spread(rests)


def _left_by_levels(used: Sequence[float]) -> float:
    """Return the sum of squares that the best three levels, one after the other, leave over."""
    middle = fmean(used)
    sums, squares = [0.0], [0.0]
    for value in used:
        sums.append(sums[-1] + value - middle)
        squares.append(squares[-1] + (value - middle) ** 2)

    def left(i: int, j: int) -> float:
        return squares[j] - squares[i] - (sums[j] - sums[i]) ** 2 / (j - i)

    count = len(used)
    return min(
        left(0, i) + left(i, j) + left(j, count)
        for i in range(1, count - 1)
        for j in range(i + 1, count)
    )


def _spread(values: Sequence[float]) -> float:
    middle = fmean(values)
    return sum((value - middle) ** 2 for value in values)


def _follows_load(points: Sequence[Point], growth_ratio: float) -> bool:
    """Return whether the load grew at least as much as memory: the morning of a day, no leak."""
    hours = _hours(points)
    if hours[-1] >= _SEASONAL_HOURS:
        return False
    loads = [float(point.events) for point in points]
    slope = median(_slopes(hours, loads))
    start = median(load - slope * hour for load, hour in zip(loads, hours, strict=True))
    load_growth = slope * hours[-1] / max(start, 1.0)
    return load_growth >= max(_LEAST_LOAD_GROWTH, growth_ratio)


def _local_slope(points: Sequence[Point]) -> float:
    """Return the slope of the least figures without regard to the time of day."""
    used = [point.least_bytes for point in points]
    return median(_slopes(_hours(points), used, is_seasonal=False))


def _without_wave(points: Sequence[Point], line: Line) -> Sequence[Point]:
    """Return *points* without the sine of a day that fits what *line* leaves over."""
    hours = _hours(points)
    if hours[-1] < _SEASONAL_HOURS:
        return points
    turns = [2 * pi * hour / _DAY_HOURS for hour in hours]
    rests = [p.least_bytes - line.slope * h for p, h in zip(points, hours, strict=True)]
    middle = fmean(rests)
    sines, cosines = [sin(turn) for turn in turns], [cos(turn) for turn in turns]
    up = _share(sines, rests, middle)
    across = _share(cosines, rests, middle)
    return [
        replace(point, least_bytes=point.least_bytes - up * s - across * c)
        for point, s, c in zip(points, sines, cosines, strict=True)
    ]


def _share(wave: Sequence[float], rests: Sequence[float], middle: float) -> float:
    weight = sum(value * value for value in wave)
    return sum(v * (r - middle) for v, r in zip(wave, rests, strict=True)) / weight


def _hours(points: Sequence[Point]) -> list[float]:
    return [(point.at - points[0].at) / _HOUR for point in points]


def r2(points: Sequence[Point]) -> float:
    """Return the squared correlation of memory and time, 0 where one of them is constant."""
    hours, used = _hours(points), [point.least_bytes for point in points]
    mean_hours, mean_used = fmean(hours), fmean(used)
    across = sum((h - mean_hours) * (u - mean_used) for h, u in zip(hours, used, strict=True))
    along = sum((h - mean_hours) ** 2 for h in hours)
    up = sum((u - mean_used) ** 2 for u in used)
    return across * across / (along * up) if along and up else 0.0
