"""Values of queries as words for people: short, with their unit, and harmless."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from logkit_analysis.renderers.escaping import escape_controls

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

MISSING = "–"
_LONGEST = 200
_LONGEST_CALL = 100


@dataclass(frozen=True, slots=True)
class Clock:
    """Times in one zone; the date is left out where *day* is the only one."""

    zone: ZoneInfo
    day: str | None

    @classmethod
    def of(cls, zone: ZoneInfo, since: datetime, until: datetime) -> Clock:
        """Return the clock for the time from *since* to *until*."""
        first, last = (f"{at.astimezone(zone):%Y-%m-%d}" for at in (since, until))
        return cls(zone, first if first == last else None)

    def time(self, at: datetime) -> str:
        """Return *at* to the second, with the date where it is not plain."""
        local = at.astimezone(self.zone)
        is_plain = f"{local:%Y-%m-%d}" == self.day
        return f"{local:%H:%M:%S}" if is_plain else f"{local:%Y-%m-%d %H:%M:%S}"

    def minute(self, at: datetime) -> str:
        """Return *at* to the minute with its date and zone, as is fit for a forecast."""
        local = at.astimezone(self.zone)
        return f"{local:%Y-%m-%d %H:%M} {local.tzname() or self.zone.key}"

    def bin(self, at: datetime, seconds: int) -> str:
        """Return the start of a bin, without seconds where bins are whole minutes."""
        return self.time(at) if seconds % 60 else self.time(at).removesuffix(":00")

    def whole(self, at: datetime) -> str:
        """Return *at* with its date and its zone."""
        local = at.astimezone(self.zone)
        return f"{local:%Y-%m-%d %H:%M:%S} {local.tzname() or self.zone.key}"


def service(name: str | None) -> str:
    """Return the name of a service, also of that without one."""
    return "(no name)" if name is None else words(name, 60)


def utc(at: datetime) -> str:
    """Return *at* in UTC, with date and zone."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def words(value: object, longest: int = _LONGEST) -> str:
    """Return log content as one line without control characters, cut to *longest* characters."""
    if value is None:
        return MISSING
    text = str(value)
    kept = escape_controls(text[:longest])
    if len(text) > longest:
        kept += f"… (+{len(text) - longest:,} characters)"
    return kept


def count(number: float | None) -> str:
    """Return a count with thousands set apart."""
    return MISSING if number is None else f"{number:,.0f}"


def counted(number: int, noun: str) -> str:
    """Return a count with its noun, in the plural where that is due."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def ratio(value: float | None) -> str:
    """Return a ratio from 0 to 1 in percent, with as many decimals as tell something."""
    if value is None:
        return MISSING
    percent = value * 100
    if 0 < percent < 1:
        return f"{percent:.2f} %"
    return f"{percent:,.0f} %" if percent in (0, 100) or percent >= 1000 else f"{percent:.1f} %"


def milliseconds(value: float | None) -> str:
    """Return milliseconds, in seconds from ten thousand on, in minutes from two of them on."""
    if value is None:
        return MISSING
    if value >= 120_000:
        return duration(timedelta(milliseconds=value))
    if value >= 10_000:
        return f"{value / 1000:,.1f} s"
    return f"{value:,.0f} ms" if value >= 10 or not value else f"{value:.1f} ms"


def duration(span: timedelta) -> str:
    """Return *span* in its two largest units."""
    seconds = round(span.total_seconds())
    if seconds < 60:
        return f"{seconds} s"
    minutes, rest = divmod(seconds, 60)
    if minutes < 120:
        return f"{minutes} min" if not rest or minutes >= 60 else f"{minutes} min {rest:02} s"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes:02} min"
    return f"{hours // 24} d {hours % 24} h"


def level(metric: str, value: float | None) -> str:
    """Return the level of a metric of `degradation_start` in its own unit."""
    if value is None:
        return MISSING
    match metric:
        case "latency":
            return milliseconds(value)
        case "error_ratio" | "error_lines":
            return ratio(value)
        case "cpu_percent":
            return f"{value:,.0f} %"
        case _:
            return f"{value:,.0f}"


def call(method: str | None, endpoint: str | None) -> str:
    """Return method and route template."""
    return words(" ".join(filter(None, (method, endpoint))) or "(no endpoint)", _LONGEST_CALL)
