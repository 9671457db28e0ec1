"""An axis of times in characters: where an instant stands, and what is written under it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from logkit_analysis.renderers.scales import time_ticks
from logkit_analysis.renderers.values import offset

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

_DAY = timedelta(days=1)
_TICK = timedelta(microseconds=1)
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class TimeAxis:
    """The times under a chart.

    Attributes:
        start: Left end.
        cell: Time that one character covers.
        count: Characters.
        zone: Zone of the labels.
    """

    start: datetime
    cell: timedelta
    count: int
    zone: ZoneInfo

    def index(self, at: datetime) -> int:
        """Return the character that covers *at*; the last one for what lies behind it."""
        return min((at - self.start) // self.cell, self.count - 1)

    def at(self, index: int) -> datetime:
        """Return the start of a character's time."""
        return self.start + index * self.cell

    def ticks(self) -> dict[int, str]:
        """Return the labels of round times by the characters that they belong to.

        A label takes its own length, half to each side, and one blank; without room it is left
        out.
        """
        ticks: dict[int, str] = {}
        free = -len("00:00")
        for at in time_ticks(self.start, self.at(self.count) - _TICK, self.zone):
            index, label = self.index(at), self._label(at)
            if index - len(label) // 2 > free:
                ticks[index] = label
                free = index - len(label) // 2 + len(label)
        return ticks

    def clock(self, at: datetime) -> str:
        """Return the time of day of *at*, with the day where there are several."""
        local = at.astimezone(self.zone)
        form = "%H:%M:%S" if local.second else "%H:%M"
        return local.strftime(f"%m-%d {form}" if self.cell * self.count > _DAY else form)

    def note(self) -> str:
        """Return the days and the zone, with both offsets where the clock changes on the way."""
        first, last = (self.at(index).astimezone(self.zone) for index in (0, self.count - 1))
        days = f"{first:%Y-%m-%d}"
        if last.date() != first.date():
            days += f" to {last:%Y-%m-%d}"
        if self.zone.key == "UTC":
            return f"{days}, UTC"
        offsets = offset(first)
        if offset(last) != offsets:
            changed = self._change(first, last)
            offsets += f", from {changed:%m-%d %H:%M} {offset(changed)}"
        return f"{days}, {self.zone.key} ({offsets})"

    def _change(self, before: datetime, after: datetime) -> datetime:
        """Return the first second of the offset that *after* has and *before* has not."""
        early, late = before.astimezone(UTC), after.astimezone(UTC)
        while late - early > _SECOND:
            middle = early + (late - early) / 2
            if offset(middle.astimezone(self.zone)) == offset(before):
                early = middle
            else:
                late = middle
        return late.astimezone(self.zone)

    def _label(self, at: datetime) -> str:
        local = at.astimezone(self.zone)
        if (local.hour, local.minute, local.second) == (0, 0, 0):
            return f"{local:%m-%d}"
        return f"{local:%H:%M:%S}" if local.second else f"{local:%H:%M}"
