"""What asking costs once the lines are in the store, against asking with DuckDB alone.

Two queries run on ingested lines, beside a one-liner on the file itself. All of them run on a
made-up day and on ten, beside a one-liner of counts and percentiles on the same database.
"""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import duckdb
from logkit_analysis.catalog import load_catalog
from logkit_analysis.engine import bind, run_query
from logkit_analysis.ingest import ingest
from logkit_analysis.intake import Silent
from logkit_analysis.resources import queries_directory
from logkit_analysis.store.database import reading
from logkit_analysis.time_window import Window

from benchmarks.figures import Figure, compare
from benchmarks.ingest import write_log
from benchmarks.stored_events import ROWS_A_DAY, START, make_database
from logkit.schema import FIELDS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


_LINES = 1_000_000
_DAYS = (1, 10)
_QUERIES = ("error_rate", "latency_percentiles")
_ALWAYS = Window(datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
_ON_FILE = """
select service, endpoint, count(*), quantile_cont(duration_ms, 0.95),
    count(*) filter (status_code >= 400) / count(*)
from read_json($1, columns = {columns}, format = 'newline_delimited', ignore_errors = true)
where status_code is not null group by all
"""
_ON_EVENTS = """
select service, endpoint, count(*), quantile_cont(duration_ms, 0.95),
    count(*) filter (status_code >= 400) / count(*)
from events where status_code is not null group by all
"""


def measure(folder: Path, scale: float) -> Iterator[Figure]:
    """Yield the figures of two queries on ingested lines, then of all on one day and on ten."""
    yield _on_ingested_lines(folder, max(1_000, round(_LINES * scale)))
    for days in _DAYS:
        database = folder / f"{days}.duckdb"
        rows = make_database(database, max(1_000, round(ROWS_A_DAY * days * scale)))
        yield from _on_days(database, days, rows)
        database.unlink()


def _on_ingested_lines(folder: Path, count: int) -> Figure:
    log = folder / "bot.log"
    lines = write_log(log, count)
    database = folder / "ours.duckdb"
    ingest(database, [str(log)], zone=UTC, progress=Silent(), on_wait=print)
    asked, scanned = compare(lambda: _ask(database), lambda: _one_liner(log))
    questions = f"{' + '.join(_QUERIES)} on {lines:,} ingested lines, CPU"
    return Figure(questions, "s", asked, "DuckDB one-liner on the file", scanned)


def _on_days(database: Path, days: int, rows: int) -> Iterator[Figure]:
    """Yield the CPU time of each query on all rows, slowest first, and the wall of a triage."""
    peer = "DuckDB one-liner on the same rows"
    with reading(database) as connection:
        scanned = min(_scan(connection) for _ in range(3))
        costs = {name: _cost(connection, name, days) for name in _names()}
    for name, cost in sorted(costs.items(), key=lambda item: -item[1]):
        yield Figure(f"{name} on {rows:,} rows, CPU", "s", cost, peer, scanned)
    yield Figure(f"triage on {rows:,} rows, wall", "s", _triage(database), f"{peer}, CPU", scanned)


def _names() -> list[str]:
    return list(load_catalog([queries_directory()]).queries)


def _cost(connection: duckdb.DuckDBPyConnection, name: str, days: int) -> float:
    """Return the CPU seconds of the query *name*, its detector included; of two runs on a day."""
    spec = load_catalog([queries_directory()]).find(name)
    window = Window(START, START + timedelta(days=days))
    if name == "compare":
        window = Window(START + timedelta(days=days) / 2, window.until)
    values = bind(spec, {}, window, zone=ZoneInfo("UTC"), now=window.until)

    def once() -> float:
        started = time.process_time()
        list(run_query(connection, spec, values).rows)
        return time.process_time() - started

    return min(once(), once()) if days == 1 else once()


def _scan(connection: duckdb.DuckDBPyConnection) -> float:
    started = time.process_time()
    connection.execute(_ON_EVENTS).fetchall()
    return time.process_time() - started


def _triage(database: Path) -> float:
    """Return the seconds of `logkit triage`, from the start of its process to its end."""
    words = [sys.executable, "-m", "logkit_analysis", "triage", "--db", str(database)]
    started = time.perf_counter()
    subprocess.run(words, check=True, capture_output=True)
    return time.perf_counter() - started


def _ask(database: Path) -> float:
    catalog = load_catalog([queries_directory()])
    started = time.process_time()
    with reading(database) as connection:
        for name in _QUERIES:
            spec = catalog.find(name)
            values = bind(spec, {}, _ALWAYS, zone=ZoneInfo("UTC"), now=_ALWAYS.until)
            list(run_query(connection, spec, values).rows)
    return time.process_time() - started


def _one_liner(log: Path) -> float:
    started = time.process_time()
    with duckdb.connect() as connection:
        connection.execute(_ON_FILE.format(columns=_columns()), [str(log)]).fetchall()
    return time.process_time() - started


def _columns() -> str:
    return "{" + ", ".join(f"{field.name}: '{field.duckdb}'" for field in FIELDS) + "}"
