"""``logkit doctor``: is this log stream fit for analysis, and what to change if not."""

from __future__ import annotations

from dataclasses import astuple, fields
from typing import TYPE_CHECKING

import typer

from logkit_analysis.cli import notes
from logkit_analysis.cli.options import (
    DEFAULT_DATABASE,
    AroundOption,
    DatabaseOption,
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
from logkit_analysis.errors import ExitCode

if TYPE_CHECKING:
    from logkit_analysis.detect.fitness import Finding
    from logkit_analysis.results import ResultSet

EPILOG = """\b
Examples:
  logkit doctor
  logkit doctor --last 1d --format json

Looks for missing fields, clocks that are wrong, holes in the numbering, doubled lines, endpoints
and events with too many different values, and secrets in plain text. Exits with 10 when something
makes answers misleading (unfit), with 0 when there are warnings at most.

How a bot sets its loggers up is another question: python -m logkit doctor bot:main"""

_NUMBERS = frozenset({"count", "of"})


def doctor(
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
    """Tell whether the log can be trusted, and what to change."""
    from logkit_analysis import stored
    from logkit_analysis.detect.fitness import judge
    from logkit_analysis.time_window import TimeFlags

    chosen = choose_format(output_format, output)
    session = open_session(db, tz)
    flags = time_flags(context, TimeFlags(since, until, last, around, window))
    with session.reading() as connection:
        covered = resolved_window(connection, flags, session)
        questions = session.questions(connection)
        rejects = stored.rejected_line_count(connection)
        findings = judge(
            questions.ask("missing_fields", covered),
            questions.ask("data_quality", covered),
            questions.ask("plain_secrets", covered),
            rejects,
        )
    write_rows(_rows(findings), chosen, output, session.zone)
    tell_window(covered, session, rejects)
    unfit = sum(one.verdict == "unfit" for one in findings)
    if unfit:
        notes.note(f"not fit for analysis: {unfit} findings would mislead")
        raise typer.Exit(ExitCode.THRESHOLD_CROSSED)
    notes.note(f"fit for analysis, {len(findings)} warnings")


def _rows(findings: list[Finding]) -> ResultSet:
    from logkit_analysis.detect.fitness import Finding
    from logkit_analysis.results import Column, ResultSet

    names = [field.name for field in fields(Finding)]
    columns = tuple(Column(name, "BIGINT" if name in _NUMBERS else "VARCHAR") for name in names)
    return ResultSet(columns, [astuple(one) for one in findings])
