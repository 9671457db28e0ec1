"""A simulated log into a store in memory, and what is found in it."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
from logkit_analysis.catalog import load_catalog
from logkit_analysis.engine import bind, run_query
from logkit_analysis.resources import queries_directory
from logkit_analysis.store.database import empty_store
from logkit_analysis.time_window import Window

from benchmarks.detection.scoring import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    import duckdb

    from benchmarks.detection.logs import Log
    from benchmarks.detection.noise import Floats

START = datetime(2026, 1, 5, tzinfo=UTC)
_TYPES = {
    "status_code": pa.int32(),
    "duration_ms": pa.float64(),
    "queue_depth": pa.int64(),
    "cpu_percent": pa.float64(),
    "open_connections": pa.int64(),
}
_INSERT = """
insert into events by name
select *, 1 as source_id, row_number() over () as source_offset, 'bot.log' as source_file,
    now() as ingested_at
from rows
"""


@contextmanager
def stored(log: Log) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield a connection to a store that holds *log*."""
    with empty_store() as connection:
        connection.register("rows", _table(log))
        connection.execute(_INSERT)
        connection.unregister("rows")
        yield connection


def _table(log: Log) -> pa.Table:
    columns = {name: _column(name, parts) for name, parts in log.columns().items()}
    size = len(columns["timestamp"])
    ids = pa.array(np.char.mod("c%d", np.arange(size)), pa.string())
    return pa.table({**columns, "correlation_id": ids})


def _column(name: str, parts: list[Floats]) -> pa.ChunkedArray:
    if name == "timestamp":
        epoch = START.timestamp()
        stamps = [((epoch + part.astype(float)) * 1e6).astype(np.int64) for part in parts]
        return pa.chunked_array([pa.array(s, pa.timestamp("us", "UTC")) for s in stamps])
    kind = _TYPES.get(name, pa.string())
    if kind == pa.int64():
        parts = [part if part.dtype == object else np.rint(part) for part in parts]
    return pa.chunked_array(
        [
            pa.nulls(part.size, kind)
            if part.dtype == object
            else pa.array(part.astype(object) if part.dtype.kind == "U" else part).cast(kind)
            for part in parts
        ]
    )


def found_by_logkit(connection: duckdb.DuckDBPyConnection, seconds: float) -> list[Finding]:
    """Return what `degradation_start` finds in the first *seconds* of the log."""
    spec = load_catalog([queries_directory()]).find("degradation_start")
    window = Window(START, START + timedelta(seconds=seconds))
    values = bind(spec, {}, window, zone=ZoneInfo("UTC"), now=window.until)
    rows: list[dict[str, Any]] = run_query(connection, spec, values).dicts()
    return [
        Finding(
            service=row["service"],
            metric=row["metric"],
            endpoint=row["endpoint"],
            queue=row["queue"],
            started_at=(row["started_at"] - START).total_seconds(),
            ended_at=row["ended_at"] and (row["ended_at"] - START).total_seconds(),
        )
        for row in rows
    ]
