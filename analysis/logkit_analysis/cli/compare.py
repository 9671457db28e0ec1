"""``logkit compare``: what differs between two windows, ranked by what explains the change."""

from __future__ import annotations

from dataclasses import asdict, astuple, fields
from typing import TYPE_CHECKING, Annotated

import typer

from logkit_analysis.cli import notes
from logkit_analysis.cli.options import (
    DEFAULT_DATABASE,
    DatabaseOption,
    Format,
    FormatOption,
    OutputOption,
    TimeZoneOption,
)
from logkit_analysis.cli.rows import choose_format, write_rows
from logkit_analysis.cli.session import open_session
from logkit_analysis.errors import UsageError

if TYPE_CHECKING:
    import duckdb

    from logkit_analysis.cli.session import Session
    from logkit_analysis.comparison import Comparison
    from logkit_analysis.detect.explain import Explanation
    from logkit_analysis.results import ResultSet
    from logkit_analysis.time_window import Window

EPILOG = """\b
Examples:
  logkit compare
  logkit compare --before 2025-01-31..2025-02-01 --after 2025-02-01..now
  logkit compare --format json

Without windows it compares the worst degradation with the time before its start. explained is the
share of the change that lies in the value; score is that less its share of the requests, so that
what serves everything does not come first. p_value is corrected for the number of tries."""

_TABLE_ROWS = 12
_TABLE_COLUMNS = (
    *("metric", "attribute", "value", "before", "after", "before_requests", "after_requests"),
    *("share_after", "explained", "p_value"),
)
_TABLE_TYPES = {"before": "VARCHAR", "after": "VARCHAR", "p_value": "VARCHAR"}
_TEXTS = frozenset({"metric", "attribute", "value"})


def compare(
    before: Annotated[
        str | None, typer.Option("--before", metavar="A..B", help="The window when all was well.")
    ] = None,
    after: Annotated[
        str | None, typer.Option("--after", metavar="C..D", help="The window to explain.")
    ] = None,
    db: DatabaseOption = DEFAULT_DATABASE,
    tz: TimeZoneOption = "UTC",
    output_format: FormatOption = None,
    output: OutputOption = None,
) -> None:
    """Show what got worse between two windows, and what explains it."""
    from logkit_analysis.comparison import compare as look

    if (before is None) != (after is None):
        raise UsageError("--before A..B and --after C..D go together")
    chosen = choose_format(output_format, output)
    session = open_session(db, tz)
    with session.reading() as connection:
        earlier, later = _windows(connection, before, after, session)
        found = look(session.questions(connection), earlier, later)
    write_rows(_rows(found, chosen), chosen, output, session.zone)
    if chosen is Format.TABLE:
        _tell(found, session)


def _windows(
    connection: duckdb.DuckDBPyConnection, before: str | None, after: str | None, session: Session
) -> tuple[Window, Window]:
    from logkit_analysis import stored
    from logkit_analysis.comparison import around_onset, parse_window
    from logkit_analysis.time_window import TimeFlags, resolve

    if before is not None and after is not None:
        earlier = parse_window(before, zone=session.zone, now=session.now)
        return earlier, parse_window(after, zone=session.zone, now=session.now)
    span = stored.stored_span(connection)
    if span is None:
        raise UsageError("the database holds no events; run logkit ingest PATH first")
    whole = resolve(TimeFlags(), span=span, zone=session.zone, now=session.now)
    return around_onset(session.questions(connection), span, whole)


def _rows(found: Comparison, chosen: Format) -> ResultSet:
    from logkit_analysis.detect.explain import Explanation, merged
    from logkit_analysis.results import Column, ResultSet

    names = [field.name for field in fields(Explanation)]
    columns = [Column(name, "VARCHAR" if name in _TEXTS else "DOUBLE") for name in names]
    rows: list[tuple[object, ...]] = [astuple(one) for one in found.explanations]
    if chosen is Format.TABLE:
        columns = [column for column in columns if column.name in _TABLE_COLUMNS]
        columns = [Column(one.name, _TABLE_TYPES.get(one.name, one.type)) for one in columns]
        rows = [_shown(one) for one in merged(found.explanations)[:_TABLE_ROWS]]
    return ResultSet(tuple(columns), rows)


def _shown(one: Explanation) -> tuple[object, ...]:
    """Return the cells of a table, with levels in their own units."""
    cells = asdict(one)
    unit = "{:,.0f} ms" if one.metric == "latency" else "{:.2%}"
    for side in ("before", "after"):
        cells[side] = None if cells[side] is None else unit.format(cells[side])
    cells["p_value"] = "< 1e-6" if one.p_value < 1e-6 else f"{one.p_value:.1g}"
    return tuple(cells[name] for name in _TABLE_COLUMNS)


def _tell(found: Comparison, session: Session) -> None:
    from logkit_analysis.detect.explain import merged
    from logkit_analysis.renderers.values import short_time

    since, until, start, end = (
        short_time(moment, session.zone)
        for window in (found.before, found.after)
        for moment in (window.since, window.until)
    )
    notes.note(f"before: {since} until {until}; after: {start} until {end}, {session.zone.key}")
    left_out = len(merged(found.explanations)) - _TABLE_ROWS
    if not found.explanations:
        notes.note("nothing got significantly worse")
    elif left_out > 0:
        notes.note(f"{left_out} more with --format json")
