"""``logkit triage``: what is broken, on one screen."""

from __future__ import annotations

import shutil
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from logkit_analysis.cli import notes, output
from logkit_analysis.cli.options import (
    DEFAULT_DATABASE,
    AroundOption,
    DatabaseOption,
    LastOption,
    SinceOption,
    TextFormat,
    TextFormatOption,
    TimeZoneOption,
    UntilOption,
    WindowOption,
)
from logkit_analysis.cli.session import open_session, resolved_window, tell_window, time_flags
from logkit_analysis.cli.windows import tell_future, why_no_events

if TYPE_CHECKING:
    import duckdb

    from logkit_analysis.cli.session import Session
    from logkit_analysis.time_window import TimeFlags, Window
    from logkit_analysis.triage import Triage

EPILOG = """\b
Examples:
  logkit triage
  logkit triage --last 2h
  logkit triage --until 2025-01-31T14:00 --format json

Without time options it looks at the 24 hours before the newest event. Each trouble comes with its
metric over all that time; │ stands at its start and at its end. Peaks stay: of several values that
share a block, the greatest counts."""


def triage(
    context: typer.Context,
    db: DatabaseOption = DEFAULT_DATABASE,
    since: SinceOption = None,
    until: UntilOption = None,
    last: LastOption = None,
    around: AroundOption = None,
    window: WindowOption = None,
    tz: TimeZoneOption = "UTC",
    output_format: TextFormatOption = TextFormat.TABLE,
) -> None:
    """Tell what is broken, since when, where, and whose fault."""
    from logkit_analysis.time_window import TimeFlags
    from logkit_analysis.triage import triage as look

    flags = time_flags(context, TimeFlags(since, until, last, around, window))
    session = open_session(db, tz)
    with session.reading() as connection:
        covered = _window(connection, flags, session)
        found = look(session.questions(connection), covered)
        why = why_no_events(connection, covered, session)
    if why is not None:
        notes.note(why)
    if output_format is TextFormat.JSON:
        _write_json(found, covered)
        return
    from logkit_analysis.renderers.triage_text import triage_text

    width = shutil.get_terminal_size(fallback=(100, 24)).columns
    output.write_text(triage_text(found, covered, session.zone, width))
    tell_window(covered, session, found.rejected_line_count)


def _window(connection: duckdb.DuckDBPyConnection, flags: TimeFlags, session: Session) -> Window:
    from logkit_analysis import stored
    from logkit_analysis.triage import recent_window

    span = stored.stored_span(connection)
    if span is not None and flags.is_empty:
        tell_future(connection, span, session)
        return recent_window(span)
    return resolved_window(connection, flags, session)


def _write_json(found: Triage, covered: Window) -> None:
    from logkit_analysis.renderers.json_text import write_object

    with output.destination(None) as stream:
        write_object({**asdict(covered), **asdict(found)}, stream)
