"""``logkit trace``: the waterfall of one user action, and examples worth looking at."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Annotated

import typer

from logkit_analysis.cli import notes, output
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
from logkit_analysis.cli.windows import why_no_events
from logkit_analysis.errors import AnalysisError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from logkit_analysis.cli.session import Session
    from logkit_analysis.detect.waterfall import Step
    from logkit_analysis.results import ResultSet
    from logkit_analysis.time_window import TimeFlags

EPILOG = """\b
Examples:
  logkit trace --slowest --last 1h
  logkit trace --errors
  logkit trace 3bfad8bbafe284cf
  logkit trace 3bfad8bbafe284cf --format json

The id is a correlation id or a trace id. Bars show when each step ran; a gap is a stretch in
which no step was under way."""


def trace(
    context: typer.Context,
    id: Annotated[  # noqa: A002 - its name in the help
        str | None, typer.Argument(metavar="ID", help="A correlation id or trace id.")
    ] = None,
    is_slowest: Annotated[
        bool, typer.Option("--slowest", help="List the actions that took longest.")
    ] = False,
    is_errors: Annotated[
        bool, typer.Option("--errors", help="List failed actions, those that took longest first.")
    ] = False,
    db: DatabaseOption = DEFAULT_DATABASE,
    since: SinceOption = None,
    until: UntilOption = None,
    last: LastOption = None,
    around: AroundOption = None,
    window: WindowOption = None,
    tz: TimeZoneOption = "UTC",
    output_format: FormatOption = None,
    output_path: OutputOption = None,
) -> None:
    """Show one user action step by step, across services."""
    from logkit_analysis.time_window import TimeFlags

    is_list = is_slowest or is_errors
    if (id is None) != is_list:
        raise UsageError("name one ID, or find one: --slowest or --errors")
    chosen = choose_format(output_format, output_path)
    session = open_session(db, tz)
    flags = time_flags(context, TimeFlags(since, until, last, around, window))
    if id is None:
        only_failed = str(is_errors).lower()
        rows = _ask(session, flags, "actions", only_failed=only_failed)
        write_rows(rows, chosen, output_path, session.zone)
        if rows.rows and chosen is Format.TABLE:
            notes.note("logkit trace ID, with one of these, shows it step by step")
        return
    rows = _ask(session, flags, "trace", id=id)
    _show(id, rows, chosen, output_path, session)


def _ask(session: Session, flags: TimeFlags, name: str, **given: str) -> ResultSet:
    with session.reading() as connection:
        window = resolved_window(connection, flags, session)
        found = session.questions(connection).result(name, window, **given)
        if not found.rows and name == "actions":
            failed = "failed " if given.get("only_failed") == "true" else ""
            reason = f"no {failed}action: an action is events of one correlation_id or trace_id"
            notes.note(why_no_events(connection, window, session) or reason)
        return found


def _show(id_: str, rows: ResultSet, chosen: Format, path: Path | None, session: Session) -> None:
    from logkit_analysis.detect.waterfall import waterfall

    steps = waterfall(rows.dicts())
    if not steps:
        raise AnalysisError(f"no event has the id {id_!r}; logkit trace --slowest lists some")
    if chosen is not Format.TABLE or path is not None:
        write_rows(_as_rows(rows, steps), chosen, path, session.zone)
        return
    from logkit_analysis.renderers import UNLIMITED
    from logkit_analysis.renderers.values import short_time
    from logkit_analysis.renderers.waterfall_text import waterfall_text

    width = shutil.get_terminal_size().columns if output.is_terminal() else UNLIMITED
    output.write_text(waterfall_text(steps, width))
    begun = short_time(steps[0].row["started_at"], session.zone)
    services = {step.row["service"] for step in steps}
    notes.note(f"{len(steps)} events of {len(services)} services from {begun}")


def _as_rows(rows: ResultSet, steps: list[Step]) -> ResultSet:
    from logkit_analysis.results import Column, ResultSet

    added = (Column("offset_ms", "DOUBLE"), Column("gap_before_ms", "DOUBLE"))
    columns = (*rows.columns, *added, Column("depth", "BIGINT"))
    values = [
        (*step.row.values(), step.offset_ms, step.gap_before_ms, step.depth) for step in steps
    ]
    return ResultSet(columns, values)
