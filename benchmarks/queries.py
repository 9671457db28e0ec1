"""What asking costs once the lines are in the store, against asking the file with DuckDB alone."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import duckdb
from logkit_analysis.catalog import load_catalog
from logkit_analysis.engine import bind, run_query
from logkit_analysis.ingest import Silent, ingest
from logkit_analysis.resources import queries_directory
from logkit_analysis.store.database import reading
from logkit_analysis.time_window import Window

from benchmarks.figures import Figure, compare
from benchmarks.ingest import write_log
from logkit.schema import FIELDS

if TYPE_CHECKING:
    from pathlib import Path

_LINES = 1_000_000
_QUERIES = ("error_rate", "latency_percentiles")
_ONE_LINER = """
select service, endpoint, count(*), quantile_cont(duration_ms, 0.95),
    count(*) filter (status_code >= 400) / count(*)
from read_json($1, columns = {columns}, format = 'newline_delimited', ignore_errors = true)
where status_code is not null group by all
"""


def measure(folder: Path, scale: float) -> list[Figure]:
    """Return the figure of two queries on a million ingested lines."""
    log = folder / "bot.log"
    lines = write_log(log, max(1_000, round(_LINES * scale)))
    database = folder / "ours.duckdb"
    ingest(database, [str(log)], zone=UTC, progress=Silent(), on_wait=print)
    asked, scanned = compare(lambda: _ask(database), lambda: _one_liner(log))
    questions = f"{' + '.join(_QUERIES)} on {lines:,} ingested lines, CPU"
    return [Figure(questions, "s", asked, "DuckDB one-liner on the file", scanned)]


def _ask(database: Path) -> float:
    catalog = load_catalog([queries_directory()])
    window = Window(datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
    started = time.process_time()
    with reading(database) as connection:
        for name in _QUERIES:
            spec = catalog.find(name)
            values = bind(spec, {}, window, zone=ZoneInfo("UTC"), now=window.until)
            list(run_query(connection, spec, values).rows)
    return time.process_time() - started


def _one_liner(log: Path) -> float:
    started = time.process_time()
    with duckdb.connect() as connection:
        connection.execute(_ONE_LINER.format(columns=_columns()), [str(log)]).fetchall()
    return time.process_time() - started


def _columns() -> str:
    return "{" + ", ".join(f"{field.name}: '{field.duckdb}'" for field in FIELDS) + "}"
