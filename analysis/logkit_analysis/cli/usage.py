"""``logkit usage``: how much the bot is used, by whom, and which features they come back to."""

from __future__ import annotations

import typer

from logkit_analysis.cli import notes, output
from logkit_analysis.cli.options import (
    DEFAULT_DATABASE,
    AroundOption,
    DatabaseOption,
    Format,
    LastOption,
    SinceOption,
    TextFormat,
    TextFormatOption,
    TimeZoneOption,
    UntilOption,
    WindowOption,
)
from logkit_analysis.cli.rows import write_rows
from logkit_analysis.cli.session import open_session, resolved_window, tell_window, time_flags
from logkit_analysis.cli.windows import why_empty

EPILOG = """\b
Examples:
  logkit usage
  logkit usage --last 30d --format json
  logkit query usage_by_day --last 30d --format csv

The days and the features are the queries usage_by_day and feature_trend."""


def usage(
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
    """Show use and users a day, and which features last."""
    from logkit_analysis import stored
    from logkit_analysis.time_window import TimeFlags

    session = open_session(db, tz)
    flags = time_flags(context, TimeFlags(since, until, last, around, window))
    with session.reading() as connection:
        covered = resolved_window(connection, flags, session)
        questions = session.questions(connection)
        days = questions.result("usage_by_day", covered)
        features = questions.result("feature_trend", covered)
        rejects = stored.rejected_line_count(connection)
        why = None if days.rows else why_empty(connection, covered, session, name="usage")
    if why is not None:
        notes.note(why)
    if output_format is TextFormat.JSON:
        from logkit_analysis.renderers.json_text import write_object

        with output.destination(None) as stream:
            write_object({"days": days.dicts(), "features": features.dicts()}, stream)
        return
    write_rows(days, Format.TABLE, None, session.zone)
    output.write_text("\n")
    write_rows(features, Format.TABLE, None, session.zone)
    tell_window(covered, session, rejects)
