"""One value of a result as text, the same way in every text format."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo


def rfc3339(moment: datetime, zone: ZoneInfo | None = None) -> str:
    """Return *moment* in RFC 3339 with milliseconds or, where it has them, microseconds.

    Args:
        moment: An instant; a naive one stays without zone.
        zone: Zone to write it in, UTC (as ``Z``) when ``None``.
    """
    precision = "microseconds" if moment.microsecond % 1000 else "milliseconds"
    if moment.tzinfo is None:
        return moment.isoformat(timespec=precision)
    local = moment.astimezone(zone or UTC)
    return local.isoformat(timespec=precision).replace("+00:00", "Z")


def short_time(moment: datetime, zone: ZoneInfo, told: str | None = None) -> str:
    """Return *moment* for people: a blank for the ``T``, no fraction where there is none.

    Args:
        moment: An instant.
        zone: Zone to write it in.
        told: The offset that stands elsewhere and is left out here, as `offset` gives it.
    """
    text = rfc3339(moment, zone).replace("T", " ")
    text = text if moment.microsecond else text.replace(".000", "", 1)
    if told is None or offset(moment.astimezone(zone)) != told:
        return text
    return text.removesuffix("Z").removesuffix(told)


def offset(moment: datetime) -> str:
    """Return how far the zone of *moment* is from UTC then, as in ``+02:00``."""
    return moment.replace(microsecond=0).isoformat()[19:]


def plain(value: object) -> object:
    r"""Return *value* with the types that no text format has turned into text or numbers.

    Bytes become text with ``\xNN`` for what is no UTF-8, durations become ISO 8601 seconds, and
    NaN and infinities become ``None``.
    """
    match value:
        case float():
            return value if math.isfinite(value) else None
        case bytes() | bytearray() | memoryview():
            return bytes(value).decode("utf-8", "backslashreplace")
        case timedelta():
            return f"PT{value.total_seconds():.6f}".rstrip("0").rstrip(".") + "S"
        case date() | time() if not isinstance(value, datetime):
            return value.isoformat()
        case _:
            return value
