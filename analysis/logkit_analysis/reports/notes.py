"""What people wrote down while it happened: ``14:40 rolled back``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from logkit_analysis.errors import UsageError
from logkit_analysis.time_window import TimeError, parse_time

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from zoneinfo import ZoneInfo

_NOTE = re.compile(r"(?:[-*]\s+)?(\d\S*(?: \d{1,2}:\d\d(?::\d\d)?)?)[\s,:-]+(\S.*)")
_TIME_OF_DAY = re.compile(r"\d{1,2}:\d\d(?::\d\d)?")
_DAY = timedelta(days=1)
_HALF_DAY = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Note:
    """A remark and its time."""

    at: datetime
    text: str


def parse_notes(lines: Iterable[str], *, zone: ZoneInfo, near: datetime) -> tuple[Note, ...]:
    """Return the notes of *lines* in order of time; blank lines and those of ``#`` are skipped.

    Args:
        lines: A time and a remark each, as ``14:40 rolled back``; a list mark may come first.
        zone: Zone of times that carry none.
        near: Middle of the report: a time of day belongs to the day that brings it nearest.

    Raises:
        UsageError: A line begins with no time.
    """
    kept = (line.strip() for line in lines)
    notes = [_note(line, zone, near) for line in kept if line and not line.startswith("#")]
    return tuple(sorted(notes, key=lambda note: note.at))


def _note(line: str, zone: ZoneInfo, near: datetime) -> Note:
    match = _NOTE.fullmatch(line)
    if match is None:
        raise UsageError(f'{line!r} is no note; write "14:40 rolled back"')
    try:
        at = parse_time(match[1].rstrip(":,"), zone=zone, now=near)
    except TimeError as error:
        raise UsageError(f'{line!r} begins with no time; write "14:40 rolled back"') from error
    if _TIME_OF_DAY.fullmatch(match[1]):
        at = _nearest(at, near)
    return Note(at, match[2])


def _nearest(at: datetime, near: datetime) -> datetime:
    if at - near > _HALF_DAY:
        return at - _DAY
    return at + _DAY if near - at > _HALF_DAY else at
