"""``logkit patterns``: what kinds of lines there are, which are new, which have gone silent."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

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
from logkit_analysis.cli.session import open_session, resolved_window, tell_window, time_flags

if TYPE_CHECKING:
    from logkit_analysis.results import ResultSet

EPILOG = """\b
Examples:
  logkit patterns
  logkit patterns --last 1h --new
  logkit patterns --since 2025-01-31T14:00 --vanished --format csv

A pattern is new if no line before the window has it, and vanished if no line in the window has
it, so both need a window that begins after the log does. `logkit query patterns` has them all."""

_TABLE_COLUMNS = ("service", "level", "event", "template", "count", "change", "first_seen_at")


def patterns(
    context: typer.Context,
    is_new: Annotated[bool, typer.Option("--new", help="Only those new in the window.")] = False,
    is_vanished: Annotated[
        bool, typer.Option("--vanished", help="Only those that the window lacks.")
    ] = False,
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
    """Show the kinds of lines, and which are new or gone."""
    from logkit_analysis import stored
    from logkit_analysis.time_window import TimeFlags

    chosen = choose_format(output_format, output)
    session = open_session(db, tz)
    flags = time_flags(context, TimeFlags(since, until, last, around, window))
    with session.reading() as connection:
        covered = resolved_window(connection, flags, session)
        found = session.questions(connection).result("patterns", covered)
        rejects = stored.rejected_line_count(connection)
    wanted = {name for name, on in (("new", is_new), ("vanished", is_vanished)) if on}
    if wanted:
        change = found.column_names.index("change")
        found = replace(found, rows=[row for row in found.rows if row[change] in wanted])
    if chosen is Format.TABLE:
        found = _narrowed(found)
    write_rows(found, chosen, output, session.zone)
    if chosen is Format.TABLE:
        tell_window(covered, session, rejects)


def _narrowed(found: ResultSet) -> ResultSet:
    """Return the columns that fit a terminal; the other formats have them all."""
    kept = [found.column_names.index(name) for name in _TABLE_COLUMNS]
    rows = [tuple(row[index] for index in kept) for row in found.rows]
    return replace(found, columns=tuple(found.columns[index] for index in kept), rows=rows)
