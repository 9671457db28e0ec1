"""``logkit follow``: log files into the store as they grow."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

import typer

from logkit_analysis.cli import notes
from logkit_analysis.cli.interrupts import stop_on_signals
from logkit_analysis.cli.log_formats import AUTO, LogFormatOption, own_formats
from logkit_analysis.cli.options import (
    DEFAULT_DATABASE,
    DatabaseOption,
    Format,
    FormatOption,
    LogZoneOption,
    MaxLineBytesOption,
)
from logkit_analysis.cli.rows import choose_format, write_rows
from logkit_analysis.errors import UsageError
from logkit_analysis.parsers.line_limit import MAX_LINE_BYTES

if TYPE_CHECKING:
    from pathlib import Path

    from logkit_analysis.store.status import Status

EPILOG = """\b
Examples:
  logkit follow bot.log              also while rotated, or not there yet
  logkit follow logs/ 'other/*.log'  folders and globs; new files are found
  logkit follow bot.log --db /var/lib/bot/logs.duckdb
  logkit follow --status             how far each file is read, how fast
  logkit follow --status bot.log     the same of one file and its copies

Ctrl-C or SIGTERM commits what was read and ends with exit code 0. Meanwhile logkit query and
logkit sql read the same database, and so does any other DuckDB program, between two commits."""

_SIZE = re.compile(r"\d+(\.\d+)?\s*([KMGT]i?)?B", re.IGNORECASE)


def follow(
    paths: Annotated[
        list[str] | None, typer.Argument(metavar="PATH...", help="Files, folders, globs.")
    ] = None,
    db: DatabaseOption = DEFAULT_DATABASE,
    tz: LogZoneOption = "UTC",
    memory_limit: Annotated[
        str, typer.Option("--memory-limit", metavar="SIZE", help="What DuckDB may use.")
    ] = "512MB",
    threads: Annotated[
        int, typer.Option("--threads", min=1, help="Threads that DuckDB may use.")
    ] = 1,
    log_format: LogFormatOption = AUTO,
    max_line_bytes: MaxLineBytesOption = MAX_LINE_BYTES,
    is_status: Annotated[
        bool, typer.Option("--status", help="Show how far each file is read, and end.")
    ] = False,
    output_format: FormatOption = None,
    pace: Annotated[
        float, typer.Option(hidden=True, min=0.01, help="Factor to all waits, for tests.")
    ] = 1.0,
) -> None:
    """Read log files into the database as they grow, until Ctrl-C."""
    if is_status:
        _show_status(db, paths or [], output_format)
        return
    from logkit_analysis.follow import follow as run
    from logkit_analysis.sources.pace import Pace
    from logkit_analysis.time_window import parse_zone

    if not paths:
        raise UsageError("name the files, folders or globs to follow")
    if "-" in paths:
        raise UsageError("follow reads files; for standard input use: logkit ingest -")
    if not _SIZE.fullmatch(memory_limit.strip()):
        raise UsageError(f"--memory-limit: {memory_limit!r} is no size; write 512MB or 2GB")
    zone = parse_zone(tz)
    stop = stop_on_signals()
    notes.note(f"following {', '.join(paths)} into {db}; Ctrl-C ends")
    run(
        db,
        paths,
        zone=zone,
        memory_limit=memory_limit,
        threads=threads,
        stop=stop,
        say=notes.note,
        only_format=None if log_format == AUTO else log_format,
        own_formats=own_formats(),
        max_line_bytes=max_line_bytes,
        pace=Pace().times(pace),
    )


def _show_status(db: Path, paths: list[str], output_format: Format | None) -> None:
    from logkit_analysis.cli.session import open_session
    from logkit_analysis.sources.whereabouts import find, named_by
    from logkit_analysis.store.locks import writer_of
    from logkit_analysis.store.status import stream_status

    session = open_session(db, "UTC")
    with session.reading() as connection:
        status = stream_status(connection, find, named_by(paths))
    write_rows(status.streams, choose_format(output_format, None), None, session.zone)
    writer = writer_of(session.database)
    notes.note(f"{_summary(status, writer, paths)}; {_written_by(status, writer)}")


def _summary(status: Status, writer: str | None, paths: list[str]) -> str:
    if count := status.stream_count:
        many = "1 stream" if count == 1 else f"{count:,} streams"
        speed = f"{status.lag_bytes:,} bytes behind, {status.lines_per_s:,.1f} lines/s"
        return f"{many}, {speed}, {status.rejects:,} lines rejected"
    if paths:
        return f"nothing is stored of {', '.join(paths)}"
    if writer is not None:
        return "nothing is stored yet: no file had a whole line so far"
    if status.last_run_at is not None:
        return "nothing is stored: no file had a whole line"
    return "nothing was ever read into this database"


def _written_by(status: Status, writer: str | None) -> str:
    if writer is not None:
        return f"written by {writer} just now"
    if status.last_run_at is None:
        return "no ingest or follow runs"
    return f"no ingest or follow runs, the last began {status.last_run_at:%Y-%m-%d %H:%MZ}"
