"""What every section of an incident report starts from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import TYPE_CHECKING, Any

from logkit_analysis.reports.document import Axis, Mark, Stretch
from logkit_analysis.reports.incidents import choose, find_incidents, find_leaks
from logkit_analysis.reports.notes import parse_notes
from logkit_analysis.reports.wording import Clock, words
from logkit_analysis.time_window import Window

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logkit_analysis.detect.troubles import Trouble
    from logkit_analysis.reports.incidents import Incident
    from logkit_analysis.reports.ledger import Answer, Ledger
    from logkit_analysis.reports.notes import Note
    from logkit_analysis.time_window import Span

Row = dict[str, Any]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)
_REACHES = (timedelta(days=2), timedelta(days=8))
_BINS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21_600, 86_400)
_MOST_BINS = 360
_LEAD, _TAIL = 2.0, 1.0
_LEAST_LEAD, _MOST_LEAD = timedelta(minutes=30), timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Case:
    """An incident, the time to look at around it, and the means to ask about it.

    Attributes:
        ledger: Asks the queries.
        incidents: All that were found, the latest first.
        leaks: Memory that grows beside them.
        incident: The one that the report is about; ``None`` where nothing was broken.
        window: The time that the report covers.
        searched: The time in which incidents were looked for.
        stored: Times of the oldest and newest event.
        clock: How times are written.
        axis: The time axis of all charts.
        notes: What people wrote down.
    """

    ledger: Ledger
    incidents: tuple[Incident, ...]
    leaks: tuple[Trouble, ...]
    incident: Incident | None
    window: Window
    searched: Window
    stored: Span
    clock: Clock
    axis: Axis
    notes: tuple[Note, ...]

    @property
    def during(self) -> Window:
        """The time of the incident within the report; all of it without an incident."""
        if self.incident is None:
            return self.window
        whole = self.incident.window(self.window.until)
        return _clipped(whole, self.window)

    @property
    def has_events(self) -> bool:
        """Whether the log holds anything in the time of the report."""
        return bool(self.binned("throughput").rows)

    @property
    def before(self) -> Window:
        """The time of the report before the incident."""
        return Window(self.window.since, self.during.since)

    def ask(self, name: str, window: Window | None = None, **given: str) -> Answer:
        """Return the answer of a query, by default for the time of the report."""
        return self.ledger.ask(name, window or self.window, **given)

    def binned(self, name: str, **given: str) -> Answer:
        """Return the answer of a bucketed query, a row for each bin of the axis."""
        return self.ask(name, None, bucket_seconds=str(self.axis.bin_seconds), **given)

    def storms(self) -> Answer:
        """Return the storms of 429s in the time of the report.

        They are what is costly to find: those found in a longer time are not looked for again.
        """
        is_inside = (
            self.searched.since <= self.window.since and self.window.until <= self.searched.until
        )
        answer = self.ask("rate_limit_storms", self.searched if is_inside else self.window)
        rows = [
            row
            for row in answer.rows
            if row["ended_at"] >= self.window.since and row["started_at"] < self.window.until
        ]
        return replace(answer, rows=rows)

    def aligned(self, rows: Sequence[Row], column: str) -> tuple[float | None, ...]:
        """Return *column* for each bin of the axis; ``None`` where *rows* have none."""
        by_bin = {row["bucket_at"]: row[column] for row in rows}
        return tuple(by_bin.get(at) for at in self.bins())

    def bins(self) -> list[datetime]:
        """Return the starts of the bins."""
        width = timedelta(seconds=self.axis.bin_seconds)
        count = -((self.axis.since - self.axis.until) // width)
        return [self.axis.since + width * index for index in range(count)]


def open_case(
    ledger: Ledger,
    stored: Span,
    asked: Window | None,
    number: int | None,
    note_lines: Sequence[str],
) -> Case:
    """Return the case of an incident.

    Args:
        ledger: Asks the queries.
        stored: Times of the oldest and newest event.
        asked: The time to report on, or ``None`` for that around the incident.
        number: The incident, 1 for the latest; by default the worst open one or the last.
        note_lines: What people wrote down, a time and a remark each.

    Raises:
        UsageError: There is no incident of that number, or a note without a time.
    """
    whole = Window(stored.oldest, stored.newest + _TICK)
    searched, incidents = _searched(ledger, whole, asked, number or 1)
    incident = choose(incidents, number)
    window = asked or (whole if incident is None else _around(incident, whole))
    zone = ledger.questions.zone
    middle = window.since + (window.until - window.since) / 2
    marks = _deploys(ledger, searched)
    case = Case(
        ledger=ledger,
        incidents=tuple(incidents),
        leaks=find_leaks(ledger, searched),
        incident=incident,
        window=window,
        searched=searched,
        stored=stored,
        clock=Clock.of(zone, window.since, window.until - _TICK),
        axis=_axis(window, incident, marks),
        notes=parse_notes(note_lines, zone=zone, near=middle),
    )
    # What was broken when the log fell silent cannot be said to go on.
    return (
        case if case.has_events else replace(case, incident=None, axis=_axis(window, None, marks))
    )


def _searched(
    ledger: Ledger, whole: Window, asked: Window | None, wanted: int
) -> tuple[Window, list[Incident]]:
    """Return the incidents of the time asked for, else those of the latest time with enough.

    A long log is looked at from its end: bins of a day would not show an incident of an hour.
    """
    if asked is not None:
        lead = max(asked.until - asked.since, _LEAST_LEAD)
        searched = _clipped(Window(asked.since - lead, asked.until), whole)
        found = find_incidents(ledger, searched)
        return searched, [one for one in found if (one.ended_at or asked.until) > asked.since]
    for reach in _REACHES:
        searched = Window(max(whole.since, whole.until - reach), whole.until)
        found = find_incidents(ledger, searched)
        if len(found) >= wanted or searched == whole:
            return searched, found
    return whole, find_incidents(ledger, whole)


def _around(incident: Incident, whole: Window) -> Window:
    """Return the time of the incident with as much before it as a comparison needs."""
    own = incident.window(whole.until)
    length = own.until - own.since
    lead = min(max(length * _LEAD, _LEAST_LEAD), _MOST_LEAD)
    tail = min(max(length * _TAIL, _LEAST_LEAD), _MOST_LEAD)
    rough = Window(own.since - lead, own.until + tail)
    # A bin that the window cuts would look like a fall of the traffic.
    width = timedelta(seconds=_bin_seconds(rough))
    since, until = _floor(rough.since, width), _floor(rough.until, width) + width
    return _clipped(Window(since, until), whole)


def _clipped(window: Window, whole: Window) -> Window:
    since = max(window.since, whole.since)
    return Window(since, max(min(window.until, whole.until), since + _TICK))


def _bin_seconds(window: Window) -> int:
    seconds = (window.until - window.since).total_seconds()
    days = ceil(seconds / _MOST_BINS / _BINS_S[-1])
    return next((one for one in _BINS_S if seconds / one <= _MOST_BINS), days * _BINS_S[-1])


def _floor(at: datetime, width: timedelta) -> datetime:
    """Return the start of the bin that holds *at*, counted from 1970 as `lk_bucket` does."""
    return _EPOCH + (at - _EPOCH) // width * width


def _deploys(ledger: Ledger, window: Window) -> list[Mark]:
    return [
        Mark(row["started_at"], f"deploy {words(row['version'], 16)}", is_quiet=True)
        for row in ledger.rows("restarts", window)
        if row["reason"] == "deploy"
    ]


def _axis(window: Window, incident: Incident | None, marks: list[Mark]) -> Axis:
    width = _bin_seconds(window)
    since = _floor(window.since, timedelta(seconds=width))
    count = -((since - window.until) // timedelta(seconds=width))
    until = since + count * timedelta(seconds=width)
    if incident is None:
        return Axis(since, until, width, _within(marks, since, until))
    marks = [Mark(incident.started_at, "onset"), *marks]
    if incident.ended_at is not None:
        marks.append(Mark(incident.ended_at, "recovered"))
    end = min(incident.ended_at or window.until, until)
    return Axis(
        since,
        until,
        width,
        _within(marks, since, until),
        Stretch(max(incident.started_at, since), end, "incident", "bad"),
    )


def _within(marks: list[Mark], since: datetime, until: datetime) -> tuple[Mark, ...]:
    return tuple(mark for mark in marks if since <= mark.at <= until)
