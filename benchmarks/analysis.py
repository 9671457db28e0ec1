"""What reading and asking cost, against DuckDB's own reader of JSON lines."""

from __future__ import annotations

import fileinput
import time
from datetime import UTC, datetime
from itertools import cycle, islice
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import duckdb
from logkit_analysis.catalog import load_catalog
from logkit_analysis.demo.incident import write_incident
from logkit_analysis.engine import bind, run_query
from logkit_analysis.ingest import ingest
from logkit_analysis.resources import queries_directory
from logkit_analysis.store.database import reading
from logkit_analysis.time_window import Window

from benchmarks.figures import Figure, compare
from logkit.schema import FIELDS

if TYPE_CHECKING:
    from pathlib import Path

_QUERIES = ("error_rate", "latency_percentiles")
_ONE_LINER = """
select service, endpoint, count(*), quantile_cont(duration_ms, 0.95),
    count(*) filter (status_code >= 400) / count(*)
from read_json($1, columns = {columns}, format = 'newline_delimited', ignore_errors = true)
where status_code is not null group by all
"""


class _Silent:
    """Progress that nobody watches."""

    def total(self, file_count: int, byte_count: int | None) -> None:
        """Say nothing."""

    def advance(self, path: str, position: int, row_count: int) -> None:
        """Say nothing."""


def measure(folder: Path, scale: float) -> list[Figure]:
    """Return the figures of ingest and of two queries on the sample incident's lines."""
    lines = round(300_000 * scale)
    log = _write_log(folder, lines)
    database = folder / "ours.duckdb"
    written, read = compare(lambda: _ingest(log, database), lambda: _read_json(log, folder))
    asked, scanned = compare(lambda: _ask(database), lambda: _one_liner(log))
    size = f"{lines:,} lines, {log.stat().st_size / 1e6:.0f} MB"
    questions = f"{' + '.join(_QUERIES)} on {lines:,} ingested lines, CPU"
    return [
        Figure(f"ingest of {size}, wall", "s", written, "DuckDB read_json, columns given", read),
        Figure(questions, "s", asked, "DuckDB one-liner on the file", scanned),
    ]


def _write_log(folder: Path, lines: int) -> Path:
    truth = write_incident(folder / "incident")
    plain = [folder / "incident" / name for name in truth.files if not name.endswith(".gz")]
    log = folder / "bot.log"
    with fileinput.input(plain, mode="rb") as source, log.open("wb") as joined:
        incident = list(source)
        joined.writelines(islice(cycle(incident), lines))
    return log


def _ingest(log: Path, database: Path) -> float:
    for old in database.parent.glob(f"{database.name}*"):
        old.unlink()
    started = time.perf_counter()
    ingest(database, [str(log)], zone=UTC, progress=_Silent(), on_wait=print)
    return time.perf_counter() - started


def _read_json(log: Path, folder: Path) -> float:
    path = folder / "peer.duckdb"
    path.unlink(missing_ok=True)
    started = time.perf_counter()
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            f"create table events as select * from read_json($1, columns = {_columns()}, "
            "format = 'newline_delimited', ignore_errors = true)",
            [str(log)],
        ).fetchall()
    return time.perf_counter() - started


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
