"""Text -> numbers, durations and times, exactly; what cannot be read is ``None``.

Milliseconds are fractions until the end: as a float, 8.016 s would round up to 8,017 ms.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from math import ceil, floor, isfinite

_MAX_TEXT = 96
_INT64_MAX = 2**63 - 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_UNITS_MS = {
    "n": Fraction(1, 1_000_000),
    "u": Fraction(1, 1_000),
    "ms": Fraction(1),
    "s": Fraction(1_000),
    "m": Fraction(60_000),
    "h": Fraction(3_600_000),
    "d": Fraction(86_400_000),
    "w": Fraction(604_800_000),
}
_PART = re.compile(
    r"([0-9]+(?:\.[0-9]+)?)\s?(?:(?P<n>ns)|(?P<u>[uµμ]s)|(?P<ms>ms|msecs?|milliseconds?)"
    r"|(?P<s>s|secs?|seconds?)|(?P<m>m|mins?|minutes?)|(?P<h>h|hrs?|hours?)|(?P<d>d|days?)"
    r"|(?P<w>w|weeks?))(?![a-zµμ])(?:,? (?:and )?(?=[0-9]))?",
    re.IGNORECASE,
)
_RFC3339 = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]([0-9]{2}):([0-9]{2}):([0-9]{2})(\.[0-9]+)?"
    r"\s?(?:[Zz]|([+-])([0-9]{2}):?([0-9]{2})|)"
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
# RFC 9110 section 5.6.7: IMF-fixdate, RFC 850 and asctime, in this order.
_HTTP_DATES = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (
        r"[a-z]+, (?P<d>\d\d?) (?P<b>[a-z]{3}) (?P<y>\d{4}) (?P<t>\d\d:\d\d:\d\d) (?:GMT|UTC)",
        r"[a-z]+, (?P<d>\d\d?)-(?P<b>[a-z]{3})-(?P<y>\d\d|\d{4}) (?P<t>\d\d:\d\d:\d\d) (?:GMT|UTC)",
        r"[a-z]+ (?P<b>[a-z]{3}) {1,2}(?P<d>\d\d?) (?P<t>\d\d:\d\d:\d\d) (?P<y>\d{4})",
    )
)


def number(value: object) -> Fraction | None:
    """Return the number that *value* is or spells; ``None`` for NaN, infinity and booleans."""
    if isinstance(value, bool):
        return None
    if isinstance(value, Fraction):
        return value
    if isinstance(value, int):
        return Fraction(value) if value.bit_length() <= 256 else None
    if isinstance(value, float):
        # The shortest text that gives this float is what the server wrote.
        return Fraction(repr(value)) if isfinite(value) else None
    if isinstance(value, str) and len(value) <= _MAX_TEXT:
        text = value.strip()
        return Fraction(text) if _NUMBER.fullmatch(text) else None
    return None


def count(value: object) -> int | None:
    """Return a number rounded down, or ``None`` where it does not fit 64 bits."""
    found = number(value)
    if found is None or abs(found) > _INT64_MAX:
        return None
    return floor(found)


def whole_ms(milliseconds: Fraction | None) -> int | None:
    """Return milliseconds rounded up, or ``None`` if they are negative or do not fit 64 bits."""
    if milliseconds is None or not 0 <= milliseconds <= _INT64_MAX:
        return None
    return ceil(milliseconds)


def duration_ms(text: str) -> Fraction | None:
    """Return the milliseconds of text such as ``6m0s``, ``20ms`` or ``2 minutes 5 seconds``."""
    total, end = leading_duration_ms(text.strip())
    return total if end and end == len(text.strip()) else None


def leading_duration_ms(text: str) -> tuple[Fraction, int]:
    """Return the milliseconds of the duration that *text* begins with, and where it ends.

    The end is 0 where there is none.
    """
    total, end = Fraction(0), 0
    while part := _PART.match(text, end, _MAX_TEXT):
        total += Fraction(part[1]) * _UNITS_MS[str(part.lastgroup).lower()]
        end = part.end()
    return total, end


def instant_ms(text: str) -> Fraction | None:
    """Return the milliseconds since 1970 of an RFC 3339 time or of a date in an HTTP form."""
    return rfc3339_ms(text) if text[:1].isdigit() else http_date_ms(text)


def rfc3339_ms(text: str) -> Fraction | None:
    """Return the milliseconds since 1970 of an RFC 3339 time; without a zone it is UTC."""
    found = _RFC3339.fullmatch(text.strip()[:_MAX_TEXT])
    if found is None:
        return None
    year, month, day, hour, minute, second = map(int, found.groups()[:6])
    offset_minutes = int(found[9] or 0) * 60 + int(found[10] or 0)
    if found[8] == "-":
        offset_minutes = -offset_minutes
    whole = _utc_ms(year, month, day, hour, minute, second)
    if whole is None:
        return None
    return whole + 1_000 * Fraction(found[7] or 0) - 60_000 * offset_minutes


def http_date_ms(text: str) -> Fraction | None:
    """Return the milliseconds since 1970 of a date in one of the three forms of RFC 9110."""
    text = text.strip()[:_MAX_TEXT]
    found = next((match for form in _HTTP_DATES if (match := form.fullmatch(text))), None)
    if found is None or found["b"].lower() not in _MONTHS:
        return None
    year = int(found["y"])
    if year < 100:
        year = _full_year(year, datetime.now(UTC).year)
    month = _MONTHS.index(found["b"].lower()) + 1
    return _utc_ms(year, month, int(found["d"]), *map(int, found["t"].split(":")))


def moment(milliseconds: Fraction) -> datetime | None:
    """Return a time given in milliseconds since 1970, or ``None`` outside the years 1 to 9999.

    It is cut to microseconds, the precision of ``datetime``.
    """
    try:
        return _EPOCH + timedelta(microseconds=floor(milliseconds * 1_000))
    except OverflowError:
        return None


def _full_year(two_digits: int, this_year: int) -> int:
    """Return the year meant: at most 50 years ahead, as RFC 9110 has it."""
    year = this_year - this_year % 100 + two_digits
    return year - 100 if year > this_year + 50 else year


def _utc_ms(
    year: int, month: int, day: int, hour: int, minute: int, second: int
) -> Fraction | None:
    if second > 60:  # 60 is a leap second
        return None
    try:
        start = datetime(year, month, day, hour, minute, tzinfo=UTC)
    except ValueError:
        return None
    return Fraction((start - _EPOCH) // timedelta(milliseconds=1) + 1_000 * second)
