"""Which time a command looks at: --since, --until, --last, --around, --window and --tz."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from logkit_analysis.errors import UsageError

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|w)")
_DURATION = re.compile(rf"(?:{_DURATION_PART.pattern})+")
_DEFAULT_AROUND = timedelta(minutes=15)
_TICK = timedelta(microseconds=1)
_NEAR_DAY = re.compile(r"(today|yesterday)?\s*(\d{1,2}:\d\d(?::\d\d)?)?", re.IGNORECASE)


class TimeError(UsageError):
    """A time, duration or zone that cannot be understood."""


@dataclass(frozen=True, slots=True)
class TimeFlags:
    """The time options as they were typed; ``None`` where not given."""

    since: str | None = None
    until: str | None = None
    last: str | None = None
    around: str | None = None
    window: str | None = None

    @property
    def is_empty(self) -> bool:
        """Whether no time option was given, which means everything stored."""
        return self == TimeFlags()


@dataclass(frozen=True, slots=True)
class Span:
    """The times of the oldest and the newest stored event, both inclusive."""

    oldest: datetime
    newest: datetime


@dataclass(frozen=True, slots=True)
class Window:
    """A half-open interval of instants: *since* is inside, *until* is not."""

    since: datetime
    until: datetime


def parse_zone(name: str) -> ZoneInfo:
    """Return the time zone *name*, e.g. ``Europe/Berlin``, in any letter case.

    Raises:
        TimeError: There is no such zone.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        for known in sorted(available_timezones()):
            if known.lower() == name.lower():
                return ZoneInfo(known)
        raise TimeError(f"no time zone named {name!r}; write one like Europe/Berlin") from error


def parse_duration(text: str) -> timedelta:
    """Return the duration that *text* says: ``90s``, ``15m``, ``1h30m``, ``2d``, ``1w``.

    A day has 24 hours here, also when the clocks change.

    Raises:
        TimeError: It is no duration, or too long to count with.
    """
    word = text.strip()
    if not _DURATION.fullmatch(word):
        raise TimeError(f"{text!r} is no duration; write 90s, 15m, 1h or 2d")
    seconds = sum(float(n) * _UNITS[unit] for n, unit in _DURATION_PART.findall(word))
    try:
        return timedelta(seconds=seconds)
    except OverflowError as error:
        raise TimeError(f"{text!r} is too long") from error


def parse_time(text: str, *, zone: ZoneInfo, now: datetime) -> datetime:
    """Return the instant that *text* names.

    Args:
        text: ``now``, a duration (counted back from *now*), ``today``, ``yesterday``, a time of
            day (today's, or ``yesterday 14:00``), or an ISO 8601 date or time.
        zone: Zone of a time that carries none.
        now: The present instant, aware.

    Raises:
        TimeError: It is no time, or a clock change leaves it in doubt.
    """
    word = text.strip()
    if word == "now":
        return now
    try:
        if _DURATION.fullmatch(word):
            return now - parse_duration(word)
        return _parse_absolute(_with_date(word, zone, now), zone).astimezone(UTC)
    except OverflowError as error:
        raise TimeError(f"{text!r} is out of the range of times") from error
    except ValueError as error:
        hint = "write 2025-01-31T14:00, 14:00, yesterday, or 2h for two hours ago"
        raise TimeError(f"{text!r} is no time; {hint}") from error


def _with_date(word: str, zone: ZoneInfo, now: datetime) -> str:
    near = _NEAR_DAY.fullmatch(word)
    if not word or near is None:
        return word
    day, time = near[1], near[2] or "0:00"
    back = timedelta(days=1 if day and day.lower() == "yesterday" else 0)
    return f"{now.astimezone(zone).date() - back}T{time.zfill(len(time) + (time[1] == ':'))}"


def _parse_absolute(word: str, zone: ZoneInfo) -> datetime:
    moment = datetime.fromisoformat(word)
    return moment if moment.tzinfo is not None else _localize(moment, zone, word)


def _localize(moment: datetime, zone: ZoneInfo, word: str) -> datetime:
    early = moment.replace(tzinfo=zone, fold=0)
    late = moment.replace(tzinfo=zone, fold=1)
    if early.utcoffset() == late.utcoffset():
        return early
    is_skipped = early.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != moment
    if is_skipped:
        raise TimeError(f"{word} does not exist in {zone.key}: the clocks were put forward past it")
    choices = f"{early.isoformat()} or {late.isoformat()}"
    raise TimeError(f"{word} happened twice in {zone.key}; write {choices}")


def resolve(flags: TimeFlags, *, span: Span | None, zone: ZoneInfo, now: datetime) -> Window:
    """Return the window that *flags* ask for.

    Without flags it holds everything stored. ``--since 1h`` counts back from *now*,
    ``--last 1h`` from the newest event.

    Args:
        flags: The options as typed.
        span: Times of the stored events, or ``None`` when none is stored.
        zone: Zone of times that carry none.
        now: The present instant.

    Raises:
        TimeError: An option cannot be understood, or two contradict each other.
    """
    _check_together(flags)
    stored = span or Span(now, now - _TICK)
    try:
        if flags.last is not None:
            return Window(stored.newest - parse_duration(flags.last), stored.newest + _TICK)
        if flags.around is not None:
            middle = parse_time(flags.around, zone=zone, now=now)
            reach = parse_duration(flags.window) if flags.window else _DEFAULT_AROUND
            return Window(middle - reach, middle + reach)
        return _between(flags, stored, zone, now)
    except OverflowError as error:
        raise TimeError("the window is out of the range of times") from error


def _between(flags: TimeFlags, stored: Span, zone: ZoneInfo, now: datetime) -> Window:
    since = parse_time(flags.since, zone=zone, now=now) if flags.since else None
    until = parse_time(flags.until, zone=zone, now=now) if flags.until else None
    if since is not None and until is not None and since >= until:
        raise TimeError(f"--since {flags.since} is not before --until {flags.until}")
    start = since if since is not None else stored.oldest
    # The end is exclusive, and the newest event belongs to "everything stored".
    end = until if until is not None else stored.newest + _TICK
    if until is None and start >= end:
        end = now
    if since is None:
        start = min(start, end)
    return Window(start, max(start, end))


def _check_together(flags: TimeFlags) -> None:
    if flags.window is not None and flags.around is None:
        raise TimeError("--window needs --around TIME")
    bounds = [name for name in ("since", "until") if getattr(flags, name) is not None]
    whole = [name for name in ("last", "around") if getattr(flags, name) is not None]
    if len(whole) > 1 or (whole and bounds):
        named = " and ".join(f"--{name}" for name in (whole + bounds)[:2])
        raise TimeError(f"{named} contradict each other; give one of them")
