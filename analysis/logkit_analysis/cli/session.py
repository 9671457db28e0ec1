"""The database, zone and clock of one command."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from logkit_analysis.cli import notes
from logkit_analysis.cli.interrupts import interruptible
from logkit_analysis.cli.windows import tell_future
from logkit_analysis.time_window import parse_zone

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from zoneinfo import ZoneInfo

    import duckdb
    import typer

    from logkit_analysis.questions import Questions
    from logkit_analysis.time_window import TimeFlags, Window


@dataclass(frozen=True, slots=True)
class Session:
    """What every command that reads the database needs.

    Attributes:
        database: The database file.
        zone: Zone of times given and shown.
        now: When the command started.
    """

    database: Path
    zone: ZoneInfo
    now: datetime

    @contextmanager
    def reading(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Open the database read-only; a wait for a writer is told, Ctrl-C stops a statement."""
        from logkit_analysis.store.database import reading

        with (
            reading(self.database, time_zone=self.zone.key, on_wait=notes.note) as connection,
            interruptible(connection),
        ):
            yield connection

    def questions(self, connection: duckdb.DuckDBPyConnection) -> Questions:
        """Return our canned queries, to be asked on *connection*."""
        from logkit_analysis.catalog import load_catalog
        from logkit_analysis.questions import Questions
        from logkit_analysis.resources import queries_directory

        catalog = load_catalog([queries_directory()])
        return Questions(connection, catalog, self.zone, self.now)


def open_session(db: Path, tz: str) -> Session:
    """Return the session of a command.

    Raises:
        TimeError: There is no such zone.
    """
    return Session(db.expanduser(), parse_zone(tz), datetime.now(UTC))


def time_flags(context: typer.Context, flags: TimeFlags) -> TimeFlags:
    """Return the time options that count: what is typed takes the place of all in the settings.

    A ``window`` in the settings waits for an ``--around``.
    """
    names = [field.name for field in fields(flags)]
    sources = {name: context.get_parameter_source(name) for name in names}
    typed = {name for name, source in sources.items() if source and source.name == "COMMANDLINE"}
    kept = typed or {*names} - {"window"}
    if "around" in kept and flags.around is not None:
        kept |= {"window"}
    return replace(flags, **{name: None for name in names if name not in kept})


def resolved_window(
    connection: duckdb.DuckDBPyConnection, flags: TimeFlags, session: Session
) -> Window:
    """Return the window that *flags* ask for; everything stored without any.

    Where ``--last`` counts from an event in the future, that is said on stderr.
    """
    from logkit_analysis import stored
    from logkit_analysis.time_window import resolve

    span = stored.stored_span(connection)
    window = resolve(flags, span=span, zone=session.zone, now=session.now)
    if flags.last is not None and span is not None:
        tell_future(connection, span, session)
    return window


def tell_window(window: Window, session: Session, rejected_line_count: int) -> None:
    """Say on stderr which time a table covers and how many lines never became events."""
    from logkit_analysis.renderers.values import short_time

    since, until = short_time(window.since, session.zone), short_time(window.until, session.zone)
    rejects = f"{rejected_line_count} rejected lines"
    hint = " (logkit rejects)" if rejected_line_count else ""
    notes.note(f"{since} until {until}, {session.zone.key}; {rejects}{hint}")
