"""Times as text logs write them, as microseconds since 1970-01-01 UTC."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import lru_cache
from typing import TYPE_CHECKING

from logkit_analysis.parsers.times import epoch_us

if TYPE_CHECKING:
    from datetime import tzinfo

_MONTHS = {
    name: number
    for number, name in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), 1
    )
}
_DAY_FIRST = re.compile(
    r"(\d\d)([./ \-])(\w{2,3})\2(\d{4})(?::|,? )(\d\d):(\d\d):(\d\d)(?:[.,](\d{1,6})\d*)?"
    r"(?: ?(?:(Z|UTC|GMT)|([+-])(\d\d):?(\d\d)))?"
)
_YEARLESS = re.compile(r"(\w{3}) {1,2}(\d{1,2}) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,6})\d*)?")
_SPACED_OFFSET = re.compile(r" ([+-]\d\d:?\d\d)$")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_DAY = timedelta(days=1)
_MOST_YEARS_BACK = 8
_MICROSECOND_DIGITS = 6
_MOST_SECONDS = 10_000


@dataclass(frozen=True, slots=True)
class TextTimes:
    """Reads times.

    Args:
        zone: Zone of times that name none.
        latest: When the log was last written; a time without a year is the last such day
            before it (and a day of grace for clocks that differ).
    """

    zone: tzinfo
    latest: datetime
    _seconds: dict[str, int] = field(default_factory=dict, compare=False)

    def __call__(self, text: object) -> int | None:
        """Return the instant that *text* means, or ``None``."""
        if not isinstance(text, str):
            return epoch_us(text, self.zone)
        # Most lines share their second with a line before.
        if (known := self._seconds.get(text)) is not None:
            return known
        known, fraction = self._seconds.get(text[:19]), text[19:]
        if known is not None and fraction[0] in ".,":
            digits = fraction[1:]
            if len(digits) <= _MICROSECOND_DIGITS and digits.isdecimal() and digits.isascii():
                return known + int(digits.ljust(_MICROSECOND_DIGITS, "0"))
        return self._anew(text)

    def _remembered(self, text: str, us: int | None) -> int | None:
        if len(self._seconds) > _MOST_SECONDS:
            self._seconds.clear()
        if us is not None:
            self._seconds[text] = us
        return us

    def _anew(self, text: str) -> int | None:
        if text[2:3] in tuple("./ -"):
            return self._remembered(text, _day_first_time(text, self.zone))
        if text[:3] in _MONTHS:
            return self._yearless(text)
        us = epoch_us(text, self.zone)
        if us is not None and text[4:5] == "-" and text[19:20] in ("", ".", ","):
            self._remembered(text[:19], epoch_us(text[:19], self.zone))
        return epoch_us(_SPACED_OFFSET.sub(r"\1", text), self.zone) if us is None else us

    def written_as(self, text: str, style: str) -> int | None:
        """Return the instant of *text*, written as ``strptime``'s *style* says, or ``None``."""
        has_year = any(directive in style for directive in ("%Y", "%y", "%G", "%c", "%x"))
        if not has_year:
            # A year that is known to have a 29th of February, replaced below.
            text, style = f"2000 {text}", f"%Y {style}"
        try:
            moment = datetime.strptime(text, style)  # noqa: DTZ007 its zone is optional
        except ValueError:
            return None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=self.zone)
        if not has_year:
            return self._last_such_day(moment)
        return epoch_us(moment.isoformat(), self.zone)

    def _last_such_day(self, moment: datetime) -> int | None:
        """Return *moment*'s month, day and clock in the last year in which it has been."""
        newest = self.latest + _DAY
        for year in range(newest.year + 1, newest.year - _MOST_YEARS_BACK, -1):
            try:
                candidate = moment.replace(year=year)
            except ValueError:
                continue
            if candidate <= newest:
                return (candidate - _EPOCH) // _MICROSECOND
        return None

    def _yearless(self, text: str) -> int | None:
        found = _YEARLESS.fullmatch(text)
        if found is None or found[1] not in _MONTHS:
            return None
        month, (day, hour, minute, second) = _MONTHS[found[1]], map(int, found.group(2, 3, 4, 5))
        microsecond = int((found[6] or "").ljust(6, "0"))
        try:
            moment = datetime(2000, month, day, hour, minute, second, microsecond, tzinfo=self.zone)
        except ValueError:
            return None
        return self._last_such_day(moment)


def _day_first_time(text: str, zone: tzinfo) -> int | None:
    """Return the instant of Apache's ``20/May/2015:04:05:11 +0000``, or of ``20.05.2015 04:05``."""
    found = _DAY_FIRST.fullmatch(text)
    if found is None:
        return None
    day, mark, named, year, hour, minute, second, fraction, utc, sign, *offset = found.groups()
    is_number = mark == "." and named.isdecimal()
    month = int(named) if is_number else _MONTHS.get(named)
    if month is None:
        return None
    try:
        here = UTC if utc else zone if sign is None else _fixed_zone(sign, *offset)
        clock = time(int(hour), int(minute), int(second), int((fraction or "").ljust(6, "0")), here)
        moment = datetime.combine(date(int(year), month, int(day)), clock)
    except ValueError:
        return None
    return (moment - _EPOCH) // _MICROSECOND


@lru_cache(maxsize=128)
def _fixed_zone(sign: str, hours: str, minutes: str) -> timezone:
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    return timezone(-offset if sign == "-" else offset)
