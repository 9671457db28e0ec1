"""The time window of a command against what is stored: what a person should know about it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from logkit_analysis.cli import notes

if TYPE_CHECKING:
    import duckdb

    from logkit_analysis.cli.session import Session
    from logkit_analysis.time_window import Span, Window

# A clock may be wrong by minutes; more is a wrong date, not a wrong clock.
_AHEAD = timedelta(hours=1)
_TICK = timedelta(microseconds=1)


def tell_future(connection: duckdb.DuckDBPyConnection, span: Span, session: Session) -> None:
    """Say on stderr that the newest event, from which a window counts, lies in the future."""
    from logkit_analysis import stored
    from logkit_analysis.renderers.values import short_time
    from logkit_analysis.time_window import Window

    if span.newest <= session.now + _AHEAD:
        return
    later = Window(session.now + _AHEAD, span.newest + _TICK)
    count = stored.stored_event_count(connection, later)
    newest = short_time(span.newest, session.zone)
    events = "1 event lies" if count == 1 else f"{count:,} events lie"
    notes.note(
        f"{events} in the future, the newest at {newest}, and from there the window counts back; "
        "--since 1h counts from now"
    )


def why_empty(
    connection: duckdb.DuckDBPyConnection, window: Window, session: Session, *, name: str
) -> str:
    """Return why *name* has nothing to show for *window*."""
    from logkit_analysis import stored

    count = stored.stored_event_count(connection, window)
    found_nothing = f"no rows: {name} finds nothing in {count:,} events"
    return why_no_events(connection, window, session) or found_nothing


def why_no_events(
    connection: duckdb.DuckDBPyConnection, window: Window, session: Session
) -> str | None:
    """Return why there are no events in *window*, or ``None`` where there are some."""
    from logkit_analysis import stored
    from logkit_analysis.renderers.values import short_time

    if stored.stored_event_count(connection, window):
        return None
    span = stored.stored_span(connection)
    if span is None:
        untimed = stored.stored_event_count(connection, None)
        no_time = f"none of the {untimed:,} stored events has a time"
        return no_time if untimed else "no events are stored yet: logkit ingest PATH"
    oldest, newest = short_time(span.oldest, session.zone), short_time(span.newest, session.zone)
    return (
        f"no events in this window; the oldest is from {oldest}, the newest from {newest}; "
        "--last 1h counts back from the newest"
    )
