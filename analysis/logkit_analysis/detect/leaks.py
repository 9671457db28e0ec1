"""Does memory grow without end? The bins of `memory_growth` in, one row per process out."""

from __future__ import annotations

from datetime import timedelta
from statistics import fmean
from typing import TYPE_CHECKING, Any

from logkit_analysis.detect.growth import Point, fit_line, is_leak, r2
from logkit_analysis.results import Column, ResultSet

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

# Service, instance, metric and pid.
_Process = tuple[Any, Any, Any, Any]

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
_ALIVE = timedelta(minutes=10)


def detect(rows: ResultSet, again: Callable[[Mapping[str, object]], ResultSet]) -> ResultSet:
    """Return one row for each process alive at the end of its service's samples.

    Args:
        rows: Bins of the `memory_growth` query.
        again: Not needed here.
    """
    del again
    runs: dict[_Process, list[dict[str, Any]]] = {}
    newest: dict[tuple[Any, Any], datetime] = {}
    for row in rows.dicts():
        bins: dict[str, Any] = row
        process = (row["service"], row["instance"], row["metric"], row["pid"])
        runs.setdefault(process, []).append(bins)
        key = (row["service"], row["metric"])
        newest[key] = max(newest.get(key, bins["bucket_at"]), bins["bucket_at"])
    found = [
        _row(key[:3], run)
        for key, run in runs.items()
        if run[-1]["bucket_at"] >= newest[key[0], key[2]] - _ALIVE and not _is_followed(key, runs)
    ]
    return ResultSet(_COLUMNS, found)


def _is_followed(key: _Process, runs: Mapping[_Process, list[dict[str, Any]]]) -> bool:
    """Return whether another process took the name of *key* when its last samples were in."""
    ended_at = runs[key][-1]["bucket_at"]
    return any(
        other != key and other[:3] == key[:3] and run[0]["bucket_at"] >= ended_at
        for other, run in runs.items()
    )


def _row(key: tuple[Any, Any, Any], run: list[dict[str, Any]]) -> tuple[object, ...]:
    points = _thinned(
        [
            Point(row["mean_at"], float(row["least_bytes"]), row["mean_bytes"], row["events"])
            for row in run
        ]
    )
    line = fit_line(points)
    limits = [row["greatest_limit_bytes"] for row in run if row["greatest_limit_bytes"] is not None]
    limit = limits[-1] if limits else None
    exhausts_at = None
    if line is not None and limit is not None and is_leak(points, line):
        exhausts_at = line.reaches(limit)
    return (
        *key,
        sum(row["samples"] for row in run),
        run[0]["bucket_at"],
        None if line is None else line.level,
        None if line is None else line.slope,
        r2(points),
        limit,
        exhausts_at,
    )


def _thinned(points: Sequence[Point]) -> list[Point]:
    """Return at most `_MOST_POINTS` points, each of several neighbours."""
    stride = -(-len(points) // _MOST_POINTS)
    groups = (points[i : i + stride] for i in range(0, len(points), stride))
    return [_merged(group) for group in groups]


def _merged(group: Sequence[Point]) -> Point:
    return Point(
        group[len(group) // 2].at,
        min(point.least_bytes for point in group),
        fmean(point.mean_bytes for point in group),
        fmean(point.events for point in group),
    )
