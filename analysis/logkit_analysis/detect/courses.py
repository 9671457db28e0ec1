"""How a metric went over a window: rows by bucket in, a short series for each trouble out."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from logkit_analysis.detect.troubles import Trouble

Row = dict[str, Any]
Course = tuple[float | None, ...]
Key = tuple[str | None, str | None]

CELLS = 40
"""How many values a course has; one more where the window does not begin with a bucket."""

_BUCKETS_A_CELL = 4
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Grid:
    """A window in buckets that begin where those of the queries do.

    A trouble of minutes would drown in a cell of half an hour: several buckets share a cell, and
    the greatest counts.

    Attributes:
        since: Start of the window.
        until: Its end.
    """

    since: datetime
    until: datetime

    @property
    def bucket_seconds(self) -> int:
        """Width of a bucket, at least a second."""
        seconds = (self.until - self.since).total_seconds()
        return max(-int(-seconds // (CELLS * _BUCKETS_A_CELL)), 1)

    @property
    def parameters(self) -> dict[str, str]:
        """The parameter of queries that tells the width."""
        return {"bucket_seconds": str(self.bucket_seconds)}

    @property
    def start(self) -> datetime:
        """Start of the first bucket."""
        bucket = timedelta(seconds=self.bucket_seconds)
        return self.since - (self.since - _EPOCH) % bucket

    @property
    def count(self) -> int:
        """Cells that the buckets fill."""
        return self.cell(self.until - timedelta(microseconds=1)) + 1

    def cell(self, at: datetime) -> int:
        """Return the cell of the bucket that begins at *at*, or that holds it."""
        return int((at - self.start).total_seconds()) // (self.bucket_seconds * _BUCKETS_A_CELL)


@dataclass(frozen=True, slots=True)
class Courses:
    """The courses of metrics over a window.

    Attributes:
        grid: The window.
        calls: Rows of ``endpoints_over_time``.
        queues: Rows of ``queue_depth``.
        resources: Rows of ``resource_usage``.
    """

    grid: Grid
    calls: Sequence[Row]
    queues: Sequence[Row]
    resources: Sequence[Row]
    _calls: dict[Key, list[Row]] = field(default_factory=dict, init=False)
    _known: dict[tuple[str, Key], Course] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        """Sort the calls by what a trouble may be about: a service, a route, a method of it."""
        for row in self.calls:
            route = f"{row['method']} {row['endpoint']}"
            for subject in {None, row["endpoint"], route}:
                self._calls.setdefault((row["service"], subject), []).append(row)

    def of(self, trouble: Trouble) -> Course:
        """Return the metric of *trouble* in equal steps over the window, ``None`` without rows."""
        key = (trouble.service, trouble.subject)
        if (trouble.kind, key) not in self._known:
            self._known[trouble.kind, key] = self._course(trouble.kind, key)
        return self._known[trouble.kind, key]

    def failures(self, row: Row) -> Course:
        """Return the failed and refused calls of an endpoint, a row of ``dependency_health``."""
        rows = self._calls_of((row["service"], f"{row['method']} {row['endpoint']}"))
        return self._folded(rows, lambda group: sum(r["errors"] + r["rate_limited"] for r in group))

    def _course(self, kind: str, key: Key) -> Course:
        service, subject = key
        if kind in _OF_CALLS:
            return self._folded(self._calls_of(key), _OF_CALLS[kind])
        if kind == "queue_depth":
            rows = [r for r in self.queues if (r["service"], r["queue"]) == key]
            return self._folded(rows, lambda group: _greatest(group, "max_depth"))
        column = subject if kind == "memory" and subject else kind
        rows = [row for row in self.resources if row["service"] == service]
        return self._folded(rows, lambda group: _greatest(group, column))

    def _calls_of(self, key: Key) -> list[Row]:
        service, _ = key
        return self._calls.get(key) or self._calls.get((service, None), [])

    def _folded(self, rows: Iterable[Row], measure: Callable[[list[Row]], float | None]) -> Course:
        buckets: dict[datetime, list[Row]] = {}
        for row in rows:
            buckets.setdefault(row["bucket_at"], []).append(row)
        cells: list[float | None] = [None] * self.grid.count
        for at, group in buckets.items():
            cell, value = self.grid.cell(at), measure(group)
            before = cells[cell]
            if value is not None and (before is None or value > before):
                cells[cell] = value
        return tuple(cells)


def _latency(rows: list[Row]) -> float | None:
    """Return the medians of the endpoints together, each as heavy as its requests."""
    timed = [row for row in rows if row["p50_ms"] is not None]
    requests = sum(row["requests"] for row in timed)
    return sum(row["p50_ms"] * row["requests"] for row in timed) / requests if timed else None


def _error_ratio(rows: list[Row]) -> float:
    errors: int = sum(row["errors"] for row in rows)
    requests: int = sum(row["requests"] for row in rows)
    return errors / requests


def _limited(rows: list[Row]) -> float:
    return float(sum(row["rate_limited"] for row in rows))


_OF_CALLS: dict[str, Callable[[list[Row]], float | None]] = {
    "latency": _latency,
    "error_ratio": _error_ratio,
    "rate_limit_storm": _limited,
}


def _greatest(rows: list[Row], column: str) -> float | None:
    return max((row[column] for row in rows if row[column] is not None), default=None)
