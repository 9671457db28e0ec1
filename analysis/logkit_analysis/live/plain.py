"""A live view as plain lines: into a pipe, or on a terminal with a status line below them."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Protocol

from logkit.schema import FIELDS
from logkit_analysis.live.lines import Widths, day_of, day_rule, segments
from logkit_analysis.live.painting import coloured, cut, plain_text
from logkit_analysis.live.status_line import fitting, status_parts
from logkit_analysis.renderers.json_text import write_jsonl
from logkit_analysis.results import Column, ResultSet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import date, datetime
    from zoneinfo import ZoneInfo

    from logkit_analysis.live.event import LiveEvent
    from logkit_analysis.live.filters import Selection
    from logkit_analysis.live.lines import Segment
    from logkit_analysis.live.rates import Rates, Status
    from logkit_analysis.stopping import StopSignal

# To the start of the line, and nothing from there on.
_CLEAR = "\r\x1b[J"


class Source(Protocol):
    """Gives what is in some files or in a pipe; `LiveFiles` and `MergedSources` are such."""

    @property
    def names(self) -> Sequence[str]:
        """What is watched, for people."""

    @property
    def lag_bytes(self) -> int:
        """How many bytes are there and were not read yet."""

    @property
    def is_over(self) -> bool:
        """Whether nothing will come any more."""

    def backlog(
        self, selection: Selection, *, count: int | None, since: datetime | None
    ) -> Iterator[Sequence[LiveEvent]]:
        """Yield, in parts, what is there already: the last *count*, or all since a time."""

    def poll(self, selection: Selection) -> list[LiveEvent]:
        """Return what is new."""

    def wait(self, stop: StopSignal) -> None:
        """Wait until something is new, for a moment at most."""


class View(Protocol):
    """Shows what comes in."""

    def show(self, events: Sequence[LiveEvent]) -> None:
        """Show *events*, in their order."""

    def tell(self, status: Status, lag_bytes: int) -> None:
        """Show how much comes in."""

    def say(self, text: str) -> None:
        """Say *text* about the files."""

    def close(self) -> None:
        """Leave nothing behind but the events."""


def watch(
    source: Source,
    selection: Selection,
    view: View,
    *,
    rates: Rates,
    stop: StopSignal,
    count: int | None,
    since: datetime | None,
    is_watched: Callable[[], bool],
) -> None:
    """Show what *source* gives until it is over, *stop* is set or nobody watches any more.

    Args:
        source: Gives the events.
        selection: Which of them are shown.
        view: Shows them.
        rates: Counts what *source* gives.
        stop: Ends the view.
        count: How many events are shown to begin with, ``None`` for all of *since*.
        since: From when on events are shown, ``None`` for any time.
        is_watched: Returns whether somebody reads what is written.
    """
    try:
        for events in source.backlog(selection, count=count, since=since):
            view.show(events)
            if stop.is_set() or not is_watched():
                return
        while not stop.is_set() and is_watched():
            view.show(source.poll(selection))
            view.tell(rates.status(time.monotonic()), source.lag_bytes)
            if source.is_over:
                return
            source.wait(stop)
    finally:
        view.close()


@dataclass(slots=True)
class JsonLines:
    """Events as ``logkit sql --format jsonl`` writes them, without what is NULL.

    A line that is no event has a ``reject_reason``, and its text as ``message``.
    """

    stream: IO[bytes]
    note: Callable[[str], None]

    def show(self, events: Sequence[LiveEvent]) -> None:
        """Write *events*, an object a line."""
        rows = [_row(event) for event in events]
        write_jsonl(ResultSet(_COLUMNS, rows), self.stream, has_nulls=False)
        self.stream.flush()

    def tell(self, status: Status, lag_bytes: int) -> None:
        """Nothing is told among data."""

    def say(self, text: str) -> None:
        """Say *text* on stderr."""
        self.note(text)

    def close(self) -> None:
        """Nothing is left behind."""


_COLUMNS = (
    *(Column(one.name, one.duckdb) for one in FIELDS),
    Column("fields", "JSON"),
    Column("source_file", "VARCHAR"),
    Column("source_offset", "BIGINT"),
    Column("reject_reason", "VARCHAR"),
)


def _row(event: LiveEvent) -> tuple[object, ...]:
    own = {**event.columns, "timestamp": event.at}
    place = (event.fields, event.file, event.offset, event.reject_reason)
    return (*(own.get(one.name) for one in FIELDS), *place)


@dataclass(slots=True)
class PlainLines:
    """Aligned lines, one an event.

    Attributes:
        stream: Where to.
        note: Says something on stderr.
        zone: Zone of the times.
        has_colours: Whether colours are used.
        width: Returns the cells of a line; ``None`` where lines are never cut and carry their
            date, as in a pipe.
        has_status: Whether the last line of the terminal is ours.
        hint: Said once what was there to begin with is shown, so that it does not scroll away.
    """

    stream: IO[bytes]
    note: Callable[[str], None]
    zone: ZoneInfo
    has_colours: bool = False
    width: Callable[[], int] | None = None
    has_status: bool = False
    hint: str = ""
    _widths: Widths = field(default_factory=Widths)
    _day: date | None = None
    _figures: Sequence[Segment] = ()
    _status: str = ""

    def show(self, events: Sequence[LiveEvent]) -> None:
        """Write *events*."""
        if not events:
            return
        self._widths.grow(events)
        width = None if self.width is None else self.width()
        lines = [text for event in events for text in self._lines(event, width)]
        self._write("".join(f"{text}\n" for text in lines))

    def tell(self, status: Status, lag_bytes: int) -> None:
        """Renew the status line."""
        if self.hint:
            hint, self.hint = self.hint, ""
            self.say(hint)
        if not self.has_status:
            return
        self._figures = [("──", "dim"), *status_parts(status, lag_bytes)]
        if self._status_line() != self._status:
            self._write("")

    def say(self, text: str) -> None:
        """Say *text* on stderr, above the status line."""
        if self.has_status:
            self._send(_CLEAR)
        self.note(text)
        self._write("")

    def close(self) -> None:
        """Take the status line away."""
        if self.has_status:
            self._send(_CLEAR)

    def _lines(self, event: LiveEvent, width: int | None) -> Iterator[str]:
        """Yield the line of *event*, on a terminal after one for the day if another begins."""
        parts = segments(event, zone=self.zone, widths=self._widths, has_date=width is None)
        if width is not None:
            parts = cut(parts, width)
            day = day_of(event, self.zone)
            if day is not None and day != self._day:
                self._day = day
                yield self._drawn([day_rule(day, width)])
        yield self._drawn(parts)

    def _drawn(self, parts: Sequence[Segment]) -> str:
        return coloured(parts) if self.has_colours else plain_text(parts)

    def _status_line(self) -> str:
        """Return the figures as they fit the terminal now, which may have been made narrower."""
        width = 0 if self.width is None else self.width()
        return self._drawn(fitting(self._figures, width - 1))

    def _write(self, text: str) -> None:
        if not self.has_status:
            self._send(text)
            return
        self._status = self._status_line()
        # A terminal made narrower breaks that line in two and leaves the cursor where both begin.
        self._send(f"{_CLEAR}{text}{self._status}\r")

    def _send(self, text: str) -> None:
        self.stream.write(text.encode("utf-8", "backslashreplace"))
        self.stream.flush()
