"""Does memory grow without end? The bins of `memory_growth` in, one row per process out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import fmean, median
from typing import TYPE_CHECKING, Any

from logkit_analysis.results import Column, ResultSet

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_COLUMNS = (
    Column("service", "VARCHAR"),
    Column("instance", "VARCHAR"),
    Column("metric", "VARCHAR"),
    Column("samples", "BIGINT"),
    Column("since_at", "TIMESTAMP WITH TIME ZONE"),
    Column("last_bytes", "DOUBLE"),
    Column("slope_bytes_per_hour", "DOUBLE"),
    Column("r2", "DOUBLE"),
    Column("limit_bytes", "BIGINT"),
    Column("exhausts_at", "TIMESTAMP WITH TIME ZONE"),
)
_MOST_POINTS = 180
_LEAST_POINTS = 20
_LEAST_RUN = timedelta(minutes=30)
_ALIVE = timedelta(minutes=10)
_LEAST_GROWTH = 0.05
_LEAST_GROWTH_BYTES = 8 << 20
_LEAST_R2 = 0.7
_STEADINESS = 0.4
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Point:
    """The least memory in use in one bin."""

    at: datetime
    used_bytes: float


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
            return self.at + _HOUR * ((limit - self.level) / self.slope)
        except OverflowError:
            return None


def detect(rows: ResultSet, again: Callable[[Mapping[str, object]], ResultSet]) -> ResultSet:
    """Return one row for each process alive at the end of its service's samples.

    Args:
        rows: Bins of the `memory_growth` query.
        again: Not needed here.
    """
    del again
    runs: dict[tuple[Any, Any, Any], list[dict[str, Any]]] = {}
    newest: dict[tuple[Any, Any], datetime] = {}
    for row in rows.dicts():
        bins: dict[str, Any] = row
        runs.setdefault((row["service"], row["instance"], row["metric"]), []).append(bins)
        key = (row["service"], row["metric"])
        newest[key] = max(newest.get(key, bins["bucket_at"]), bins["bucket_at"])
    found = [
        _row(key, run)
        for key, run in runs.items()
        if run[-1]["bucket_at"] >= newest[key[0], key[2]] - _ALIVE
    ]
    return ResultSet(_COLUMNS, found)


def _row(key: tuple[Any, Any, Any], run: list[dict[str, Any]]) -> tuple[object, ...]:
    points = [Point(row["bucket_at"], float(row["least_bytes"])) for row in run]
    thinned = _thinned(points)
    line = fit_line(thinned)
    limits = [row["greatest_limit_bytes"] for row in run if row["greatest_limit_bytes"] is not None]
    limit = limits[-1] if limits else None
    exhausts_at = None
    if line is not None and limit is not None and is_leak(thinned, line):
        exhausts_at = line.reaches(limit)
    return (
        *key,
        len(points),
        points[0].at,
        None if line is None else line.level,
        None if line is None else line.slope,
        _r2(thinned),
        limit,
        exhausts_at,
    )


def _thinned(points: Sequence[Point]) -> list[Point]:
    """Return at most `_MOST_POINTS` points, each the least of its neighbours."""
    stride = -(-len(points) // _MOST_POINTS)
    groups = (points[i : i + stride] for i in range(0, len(points), stride))
    return [min(group, key=lambda one: one.used_bytes) for group in groups]


def fit_line(points: Sequence[Point]) -> Line | None:
    """Return the Theil-Sen line: the median of all slopes (Sen 1968), which outliers leave alone.

    ``None`` with fewer than two points.
    """
    if len(points) < 2:
        return None
    hours = _hours(points)
    slopes = [
        (points[j].used_bytes - points[i].used_bytes) / (hours[j] - hours[i])
        for i in range(len(points))
        for j in range(i + 1, len(points))
    ]
    slope = median(slopes)
    offset = median(p.used_bytes - slope * h for p, h in zip(points, hours, strict=True))
    return Line(points[-1].at, offset + slope * hours[-1], slope)


def is_leak(points: Sequence[Point], line: Line) -> bool:
    """Return whether memory grows all the time, and by an amount that matters."""
    run = points[-1].at - points[0].at
    growth = line.slope * (run / _HOUR)
    start = max(line.level - growth, 0.0)
    if len(points) < _LEAST_POINTS or run < _LEAST_RUN:
        return False
    if growth < max(_LEAST_GROWTH * start, _LEAST_GROWTH_BYTES) or _r2(points) < _LEAST_R2:
        return False
    third = len(points) // 3
    parts = (points[:third], points[third:-third], points[-third:])
    lines = [fit_line(part) for part in parts]
    return all(part is not None and part.slope >= _STEADINESS * line.slope for part in lines)


def _hours(points: Sequence[Point]) -> list[float]:
    return [(point.at - points[0].at) / _HOUR for point in points]


def _r2(points: Sequence[Point]) -> float:
    """Return the squared correlation of memory and time, 0 where one of them is constant."""
    hours, used = _hours(points), [point.used_bytes for point in points]
    mean_hours, mean_used = fmean(hours), fmean(used)
    across = sum((h - mean_hours) * (u - mean_used) for h, u in zip(hours, used, strict=True))
    along = sum((h - mean_hours) ** 2 for h in hours)
    up = sum((u - mean_used) ** 2 for u in used)
    return across * across / (along * up) if along and up else 0.0
