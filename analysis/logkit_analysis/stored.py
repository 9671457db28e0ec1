"""What is stored: the span of time, how many events and rejects, and the events themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logkit_analysis.results import ResultSet
from logkit_analysis.statements import columns_of, stream
from logkit_analysis.time_window import Span, Window

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa


def stored_span(connection: duckdb.DuckDBPyConnection) -> Span | None:
    """Return the times of the oldest and newest event, or ``None`` without timed events."""
    oldest, newest = connection.execute(
        "select min(timestamp), max(timestamp) from events"
    ).fetchall()[0]
    return None if oldest is None else Span(oldest, newest)


def rejected_line_count(connection: duckdb.DuckDBPyConnection) -> int:
    """Return how many lines are in quarantine."""
    return int(connection.execute("select count(*) from quarantine").fetchall()[0][0])


_BATCH_ROWS = 20_000
_EVENTS = """
from events
where $since is null or (timestamp >= $since and timestamp < $until)
"""
_IN_ORDER = "order by timestamp, source_id, source_offset"


def stored_event_count(connection: duckdb.DuckDBPyConnection, window: Window | None) -> int:
    """Return how many events lie in *window*; ``None`` takes all, those without a time too."""
    cursor = connection.execute(f"select count(*) {_EVENTS}", _bounds(window))
    return int(cursor.fetchall()[0][0])


def stored_events(connection: duckdb.DuckDBPyConnection, window: Window | None) -> ResultSet:
    """Return the events of *window* in order of time; the rows stream."""
    cursor = connection.execute(f"select * {_EVENTS} {_IN_ORDER}", _bounds(window))
    return ResultSet(columns_of(cursor), stream(cursor))


def stored_event_batches(
    connection: duckdb.DuckDBPyConnection, window: Window | None
) -> pa.RecordBatchReader:
    """Return the events of *window* in order of time as Arrow batches."""
    relation = connection.sql(f"select * {_EVENTS} {_IN_ORDER}", params=_bounds(window))
    return relation.to_arrow_reader(_BATCH_ROWS)


def _bounds(window: Window | None) -> dict[str, object]:
    if window is None:
        return {"since": None, "until": None}
    return {"since": window.since, "until": window.until}
