"""``logkit report``: an incident as one file to read, send and keep."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from logkit_analysis.cli import notes, output
from logkit_analysis.cli.options import (
    DEFAULT_DATABASE,
    AroundOption,
    DatabaseOption,
    LastOption,
    SinceOption,
    TimeZoneOption,
    UntilOption,
    WindowOption,
)
from logkit_analysis.cli.session import open_session, resolved_window, time_flags
from logkit_analysis.cli.windows import why_no_events
from logkit_analysis.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb

    from logkit_analysis.cli.session import Session
    from logkit_analysis.reports.document import Document
    from logkit_analysis.time_window import Window

EPILOG = """\b
Examples:
  logkit report
  logkit report --around 2025-01-31T14:40 --note "14:52 rolled back" -o i.html
  logkit report --incident 2 --format markdown -o incident.md
  logkit report --redact -o for-the-wiki.html

Without time options it takes the worst incident that is still going on, or the last one. The file
is complete in itself: it opens offline, from a mail, and prints. --redact writes pseudonyms for
users, guilds, channels and chats, the same ones in every report of one database; ids under five
characters stay, since they are also numbers of the report."""


_SUFFIXES = {"html": "html", "markdown": "md"}


class ReportFormat(StrEnum):
    """What a report is written as."""

    HTML = "html"
    MARKDOWN = "markdown"


def report(
    context: typer.Context,
    output_path: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", readable=False, help="The file (incident.html)."
        ),
    ] = None,
    incident: Annotated[
        int | None,
        typer.Option(
            "--incident", metavar="N", min=1, help="The Nth incident back: 1 is the last."
        ),
    ] = None,
    note: Annotated[
        list[str] | None,
        typer.Option("--note", metavar="TEXT", help='For the timeline: "14:40 rolled back".'),
    ] = None,
    notes_file: Annotated[
        Path | None,
        typer.Option(
            "--notes",
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="A file with such a line each.",
        ),
    ] = None,
    redact: Annotated[
        bool, typer.Option("--redact", help="Write pseudonyms for users, guilds and channels.")
    ] = False,
    output_format: Annotated[
        ReportFormat | None,
        typer.Option("--format", help="By default as --output's suffix says, else html."),
    ] = None,
    db: DatabaseOption = DEFAULT_DATABASE,
    since: SinceOption = None,
    until: UntilOption = None,
    last: LastOption = None,
    around: AroundOption = None,
    window: WindowOption = None,
    tz: TimeZoneOption = "UTC",
) -> None:
    """Write a post-incident report: one HTML or Markdown file."""
    from logkit_analysis.time_window import TimeFlags

    chosen = _format(output_format, output_path)
    flags = time_flags(context, TimeFlags(since, until, last, around, window))
    session = open_session(db, tz)
    lines = [*(note or []), *(_lines(notes_file) if notes_file else [])]
    with session.reading() as connection:
        asked = None if flags.is_empty else resolved_window(connection, flags, session)
        document = describe(connection, session, asked, incident, lines)
        if asked is not None and (why := why_no_events(connection, asked, session)):
            notes.note(f"warning: {why}")
        if redact:
            document = _redacted(document, connection, session)
    path = output_path or Path(f"incident.{_SUFFIXES[chosen]}")
    save(document, path, chosen, session)
    if str(path) != "-":
        output.write_text(f"{path}\n")


def _format(asked: ReportFormat | None, path: Path | None) -> ReportFormat:
    if asked is not None:
        return asked
    is_markdown = path is not None and path.suffix.lower() in (".md", ".markdown")
    return ReportFormat.MARKDOWN if is_markdown else ReportFormat.HTML


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is no text in UTF-8") from error


def describe(
    connection: duckdb.DuckDBPyConnection,
    session: Session,
    asked: Window | None = None,
    number: int | None = None,
    note_lines: Sequence[str] = (),
) -> Document:
    """Return the report on an incident, by default the worst open one or the last.

    Raises:
        UsageError: The database holds no events or no such incident, or a note has no time.
    """
    from logkit_analysis.reports.case import open_case
    from logkit_analysis.reports.incident_report import incident_report
    from logkit_analysis.reports.ledger import Ledger
    from logkit_analysis.stored import stored_span

    stored = stored_span(connection)
    if stored is None:
        raise UsageError("the database holds no events; run logkit ingest PATH first")
    case = open_case(Ledger(session.questions(connection)), stored, asked, number, note_lines)
    return incident_report(case)


def _redacted(
    document: Document, connection: duckdb.DuckDBPyConnection, session: Session
) -> Document:
    from logkit_analysis.reports.pseudonyms import pseudonym_key, redacted

    return redacted(document, connection, pseudonym_key(session.database))


def save(document: Document, path: Path, chosen: ReportFormat, session: Session) -> None:
    """Write *document* to *path*, readable for its owner alone; ``-`` is stdout."""
    from logkit_analysis.reports.html import render_html
    from logkit_analysis.reports.markdown import render_markdown

    if chosen is ReportFormat.HTML:
        text = render_html(document, session.zone)
    else:
        text = render_markdown(document)
    data = text.encode("utf-8", "backslashreplace")
    if str(path) == "-":
        with output.destination(None) as stream:
            stream.write(data)
    else:
        output.write_private(path, data)
