"""``logkit demo``: a made-up incident from its first log line to its answers."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from logkit_analysis.cli import notes, output
from logkit_analysis.errors import UsageError

if TYPE_CHECKING:
    from logkit_analysis.demo.answers import Answers
    from logkit_analysis.demo.truth import IncidentTruth
    from logkit_analysis.results import ResultSet

EPILOG = """\b
Examples:
  logkit demo
  logkit demo /tmp/incident

Writes six hours of a Discord bot's logs with a known incident in them, reads them into
DIR/logkit.duckdb and asks what broke, since when and how badly. DIR/incident.html is the report,
DIR/truth.json the truth."""

_STORM_COLUMNS = ("started_at", "ended_at", "endpoint", "hits", "ignored_retry_after")
_ONSET_COLUMNS = ("metric", "endpoint", "queue", "started_at", "baseline", "degraded")
# Unlike a query, this is to be read wherever it lands.
_WIDTH = 100


def demo(
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="Where the logs and the database go.")
    ] = Path("demo"),
) -> None:
    """Write a sample incident, ingest it and ask what happened."""
    from logkit_analysis.demo.answers import answer
    from logkit_analysis.demo.incident import write_incident

    started = time.monotonic()
    database = directory / "logkit.duckdb"
    _refuse_foreign(directory)
    for old in directory.glob(f"{database.name}*"):
        # An earlier demo's rows must not count again.
        old.unlink()
    truth = write_incident(directory)
    _say(f"Wrote {truth.lines:,} log lines of a made-up bot to {directory}/, and what is true of")
    _say("them to truth.json.")
    _ingest(directory, database, truth)
    _tell(answer(database))
    _say(f"\nThe whole story, for a browser: {_report(directory, database)}")
    _say(f"All of this took {time.monotonic() - started:.1f} s. To try next:")
    for words in ("triage", "query memory_growth", "rejects"):
        _say(f"  logkit {words} --db {database}")


def _refuse_foreign(directory: Path) -> None:
    """Keep away from a folder in which something else than an earlier demo lies."""
    is_used = directory.exists() and (not directory.is_dir() or any(directory.iterdir()))
    if is_used and not (directory / "truth.json").is_file():
        raise UsageError(f"{directory} holds something else than a demo; name an empty folder")


def _ingest(directory: Path, database: Path, truth: IncidentTruth) -> None:
    from datetime import UTC

    from logkit_analysis.cli.progress import ByteProgress
    from logkit_analysis.ingest import ingest

    paths = [str(directory / name) for name in truth.files]
    with ByteProgress() as progress:
        report = ingest(database, paths, zone=UTC, progress=progress, on_wait=notes.note)
    _say(f"Read {report.rows:,} events from {report.files} files in {report.seconds:.1f} s.")


def _report(directory: Path, database: Path) -> Path:
    """Write the report on the incident; return its path."""
    from logkit_analysis.cli.report import ReportFormat, describe, save
    from logkit_analysis.cli.session import open_session

    session = open_session(database, "UTC")
    path = directory / "incident.html"
    with session.reading() as connection:
        document = describe(connection, session)
    save(document, path, ReportFormat.HTML, session)
    return path


def _tell(answers: Answers) -> None:
    _show("When did the platform refuse us? (rate_limit_storms)", answers.storms, _STORM_COLUMNS)
    _show("What got worse, since when? (degradation_start)", answers.degradations, _ONSET_COLUMNS)
    _show(
        f"How slow was {answers.slow_endpoint}? (latency_percentiles)",
        answers.percentiles,
        tuple(answers.percentiles.column_names),
    )
    _show("What was rejected? (rejects)", answers.rejects, tuple(answers.rejects.column_names))


def _show(title: str, result: ResultSet, columns: tuple[str, ...]) -> None:
    """Print *title* and the *columns* of *result* as a table, times to the second."""
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from logkit_analysis.cli.options import Format
    from logkit_analysis.cli.rows import write_rows
    from logkit_analysis.results import ResultSet

    chosen = [result.column_names.index(name) for name in columns]
    part = ResultSet(
        tuple(result.columns[index] for index in chosen),
        [
            tuple(
                value.replace(microsecond=0) if isinstance(value, datetime) else value
                for value in (row[index] for index in chosen)
            )
            for row in result.rows
        ],
    )
    _say(f"\n{title}")
    write_rows(part, Format.TABLE, None, ZoneInfo("UTC"), width=_WIDTH)


def _say(text: str) -> None:
    output.write_text(f"{text}\n")
