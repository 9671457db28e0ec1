"""``logkit export``: events out, for other tools."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from logkit_analysis.cli import notes
from logkit_analysis.cli import output as stdout
from logkit_analysis.cli.options import (
    DEFAULT_DATABASE,
    AroundOption,
    DatabaseOption,
    Format,
    FormatOption,
    LastOption,
    OutputOption,
    SinceOption,
    TimeZoneOption,
    UntilOption,
    WindowOption,
)
from logkit_analysis.cli.rows import choose_format, write_rows
from logkit_analysis.cli.session import open_session, resolved_window, time_flags
from logkit_analysis.cli.windows import why_empty
from logkit_analysis.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

EPILOG = """\b
Examples:
  logkit export --output events.parquet
  logkit export --last 1d --output day.csv
  logkit export --since 2h --format jsonl | jq .endpoint

Without a window every event is written, those without a time too. A file appears under its name
when it is whole. JSON lines hold the fields that an event has; the other formats have a column for
every field."""


def export(
    context: typer.Context,
    db: DatabaseOption = DEFAULT_DATABASE,
    since: SinceOption = None,
    until: UntilOption = None,
    last: LastOption = None,
    around: AroundOption = None,
    window: WindowOption = None,
    tz: TimeZoneOption = "UTC",
    output_format: FormatOption = None,
    output: OutputOption = None,
) -> None:
    """Write the events of a time window as Parquet, CSV or JSON lines."""
    from logkit_analysis import stored
    from logkit_analysis.time_window import TimeFlags

    chosen = choose_format(output_format, output)
    if chosen is Format.TABLE and output_format is None:
        raise UsageError("say how: --format parquet, csv or jsonl, or --output FILE.parquet")
    session = open_session(db, tz)
    flags = time_flags(context, TimeFlags(since, until, last, around, window))
    with session.reading() as connection:
        resolved = resolved_window(connection, flags, session)
        bounds = None if flags.is_empty else resolved
        count = stored.stored_event_count(connection, bounds)
        if not count:
            notes.note(why_empty(connection, resolved, session, name="export"))
        if chosen is Format.PARQUET:
            _write_parquet(stored.stored_event_batches(connection, bounds), output)
        else:
            events = stored.stored_events(connection, bounds)
            write_rows(events, chosen, output, session.zone, has_nulls=False)
    notes.note(f"{count} events exported")


def _write_parquet(batches: pa.RecordBatchReader, path: Path | None) -> None:
    from logkit_analysis.renderers.parquet import write_batches

    with stdout.destination(path) as stream:
        write_batches(batches, stream)
