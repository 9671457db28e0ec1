"""Timestamps of any common spelling as microseconds since 1970-01-01 UTC."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta, tzinfo

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_DAY_US = 86_400_000_000

# A day inside the years 1 to 9999, so that every zone can show what is stored. Go's zero time is
# outside and means none.
_OLDEST_US = (datetime(1, 1, 1, tzinfo=UTC) - _EPOCH) // _MICROSECOND + _DAY_US
_NEWEST_US = (datetime(9999, 12, 31, tzinfo=UTC) - _EPOCH) // _MICROSECOND
_LEAP_SECOND = re.compile(r"(:\d\d):60")
_NUMBER = re.compile(r"[0-9]+\.[0-9]+")
_LONGEST_EPOCH = 20
_LONGEST_NUMBER = 40

# An epoch's unit by magnitude: seconds from 1973 to 5138, then a factor of 1000 each.
_SMALLEST_EPOCH = 100_000_000
_UNITS = ((10**11, 1_000_000, 1), (10**14, 1_000, 1), (10**17, 1, 1), (10**20, 1, 1_000))


def epoch_us(value: object, zone: tzinfo) -> int | None:
    """Return the instant that *value* means, in microseconds, or ``None`` if it means none.

    Args:
        value: ISO 8601 text in any precision, or an epoch in s, ms, us or ns by magnitude.
        zone: Zone of a text that names none.
    """
    if isinstance(value, str):
        return _from_text(value, zone)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _from_number(value)
    return None


def _from_text(text: str, zone: tzinfo) -> int | None:
    if text.isascii() and text.isdecimal():
        # Before ISO, which takes eight digits for a date.
        return _from_number(int(text)) if len(text) <= _LONGEST_EPOCH else None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return _from_unusual_text(text, zone)
    return _to_us(moment, zone)


def _to_us(moment: datetime, zone: tzinfo) -> int | None:
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    return _in_range((moment - _EPOCH) // _MICROSECOND)


def _in_range(us: int) -> int | None:
    return us if _OLDEST_US <= us <= _NEWEST_US else None


def _from_unusual_text(text: str, zone: tzinfo) -> int | None:
    text = text.strip()
    if len(text) <= _LONGEST_NUMBER and _NUMBER.fullmatch(text):
        return _from_number(float(text))
    smeared, is_leap = _LEAP_SECOND.subn(r"\1:59", text)
    for candidate in (smeared, smeared.replace("/", "-"), _named_zone(smeared)):
        try:
            moment = datetime.fromisoformat(candidate)
        except ValueError:
            continue
        us = _to_us(moment, zone)
        return us if us is None else us + 1_000_000 * bool(is_leap)
    return None


def _named_zone(text: str) -> str:
    return text.removesuffix(" UTC").removesuffix(" GMT") + "Z"


def _from_number(value: float) -> int | None:
    magnitude = abs(value)
    if not math.isfinite(value) or magnitude < _SMALLEST_EPOCH:
        return None
    for limit, factor, divisor in _UNITS:
        if magnitude < limit:
            return _in_range(round(value * factor) if divisor == 1 else int(value // divisor))
    return None
