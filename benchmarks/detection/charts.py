"""What other detectors look at: one value a minute of each thing, from the same store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.detection.store import START

if TYPE_CHECKING:
    import duckdb

    from benchmarks.detection.noise import Floats

_CALLS = """
select service, endpoint, null as queue,
    floor((epoch_us(timestamp) / 1e6 - coalesce(duration_ms, 0) / 1e3 - $start) / 60) as minute,
    median(duration_ms) filter (status_code < 400),
    count(*) filter (status_code >= 400 and status_code <> 429)
        / nullif(count(*) filter (status_code <> 429), 0)
from events where duration_ms is not null
group by all order by all
"""
_FIGURES = """
select service, null as endpoint, queue,
    floor((epoch_us(timestamp) / 1e6 - $start) / 60) as minute, median({name}), null
from events where {name} is not null
group by all order by all
"""


@dataclass(frozen=True, slots=True, eq=False)
class Chart:
    """A value a minute, on the scale where noise is even: logarithms, and shares of errors.

    Attributes:
        service: Logical name.
        metric: What is measured.
        endpoint: Route template.
        queue: Name of the queue.
        minutes: Minutes since the start of the log that have a value.
        values: The values.
    """

    service: str
    metric: str
    endpoint: str | None
    queue: str | None
    minutes: Floats
    values: Floats

    def rise(self, ratio: float) -> float:
        """Return how much higher a value is that is worse by *ratio*; for errors, by a share."""
        return 0.02 * ratio if self.metric == "error_ratio" else float(np.log(ratio))


def charts(connection: duckdb.DuckDBPyConnection) -> list[Chart]:
    """Return the charts of a stored log."""
    start = START.timestamp()
    rows = connection.execute(_CALLS, {"start": start}).fetchall()
    found = [*_grouped(rows, 4, "latency", np.log), *_grouped(rows, 5, "error_ratio", np.positive)]
    for name in ("queue_depth", "cpu_percent", "open_connections"):
        rows = connection.execute(_FIGURES.format(name=name), {"start": start}).fetchall()
        found += _grouped(rows, 4, name, np.log1p)
    return found


def _grouped(rows: list[tuple[Any, ...]], column: int, metric: str, scale: np.ufunc) -> list[Chart]:
    groups: dict[tuple[Any, ...], list[tuple[float, float]]] = {}
    for row in rows:
        if row[column] is not None:
            groups.setdefault(row[:3], []).append((row[3], row[column]))
    return [
        Chart(service, metric, endpoint, queue, *_columns(pairs, scale))
        for (service, endpoint, queue), pairs in groups.items()
    ]


def _columns(pairs: list[tuple[float, float]], scale: np.ufunc) -> tuple[Floats, Floats]:
    minutes, values = np.array(pairs, dtype=np.float64).T
    return minutes, scale(values)
