"""The questions that the demo asks of its database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from logkit_analysis import engine, stored
from logkit_analysis.catalog import load_catalog
from logkit_analysis.resources import queries_directory
from logkit_analysis.results import Column, ResultSet
from logkit_analysis.store.database import reading
from logkit_analysis.time_window import TimeFlags, Window, resolve

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb

    from logkit_analysis.catalog import Catalog
    from logkit_analysis.results import Row

_REJECTS = """
select split_part(reason, ':', 1) as reason, count(*) as lines, min(source_file) as first_file
from quarantine
group by split_part(reason, ':', 1)
order by lines desc, reason
"""
_PERCENTILES = ("method", "requests", "p50_ms", "p95_ms", "p99_ms")


@dataclass(frozen=True, slots=True)
class Answers:
    """What the demo shows.

    Attributes:
        storms: Rows of ``rate_limit_storms``.
        degradations: Rows of ``degradation_start``.
        slow_endpoint: The endpoint whose latency got worse most, ``None`` if none did.
        percentiles: Its rows of ``latency_percentiles`` before, during and after that.
        rejects: Quarantined lines by reason.
    """

    storms: ResultSet
    degradations: ResultSet
    slow_endpoint: str | None
    percentiles: ResultSet
    rejects: ResultSet


def answer(database: Path) -> Answers:
    """Return what the canned queries find in *database*."""
    catalog = load_catalog([queries_directory()])
    with reading(database) as connection:
        span = stored.stored_span(connection)
        zone = ZoneInfo("UTC")
        whole = resolve(TimeFlags(), span=span, zone=zone, now=datetime.now(UTC))
        storms = _ask(connection, catalog, "rate_limit_storms", whole)
        degradations = _ask(connection, catalog, "degradation_start", whole)
        slowdowns = [row for row in degradations.dicts() if row["metric"] == "latency"]
        worst = max(slowdowns, key=_increase, default=None)
        percentiles = _around(connection, catalog, worst, whole)
        rejects = engine.run_sql(connection, _REJECTS, {})
        endpoint = None if worst is None else str(worst["endpoint"])
    return Answers(storms, degradations, endpoint, percentiles, rejects)


def _ask(
    connection: duckdb.DuckDBPyConnection, catalog: Catalog, name: str, window: Window
) -> ResultSet:
    spec = catalog.find(name)
    values = engine.bind(spec, {}, window, zone=ZoneInfo("UTC"), now=datetime.now(UTC))
    return engine.run_query(connection, spec, values)


def _increase(row: dict[str, object]) -> float:
    return float(str(row["degraded"])) / max(float(str(row["baseline"])), 1e-9)


def _around(
    connection: duckdb.DuckDBPyConnection,
    catalog: Catalog,
    worst: dict[str, object] | None,
    whole: Window,
) -> ResultSet:
    """Return the percentiles of the endpoint of *worst* before, during and after it."""
    texts = (Column("window", "VARCHAR"), Column("method", "VARCHAR"))
    columns = (*texts, *(Column(name, "DOUBLE") for name in _PERCENTILES[1:]))
    rows: list[Row] = []
    for name, window in _windows(worst, whole).items():
        rows += [
            (name, *(row[column] for column in _PERCENTILES))
            for row in _ask(connection, catalog, "latency_percentiles", window).dicts()
            if worst is not None and row["endpoint"] == worst["endpoint"]
        ]
    return ResultSet(columns, rows)


def _windows(worst: dict[str, object] | None, whole: Window) -> dict[str, Window]:
    if worst is None or not isinstance(onset := worst["started_at"], datetime):
        return {}
    end = worst["ended_at"]
    if not isinstance(end, datetime):
        return {"before": Window(whole.since, onset), "since": Window(onset, whole.until)}
    return {
        "before": Window(whole.since, onset),
        "during": Window(onset, end),
        "after": Window(end, whole.until),
    }
