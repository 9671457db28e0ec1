"""Which window the time options mean."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from logkit_analysis.time_window import (
    Span,
    TimeError,
    TimeFlags,
    Window,
    parse_duration,
    parse_time,
    parse_zone,
    resolve,
)

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
SPAN = Span(datetime(2026, 1, 30, tzinfo=UTC), datetime(2026, 1, 31, 11, 59, 59, tzinfo=UTC))
FIRST, LAST = datetime(1980, 1, 1), datetime(2035, 1, 1)  # noqa: DTZ001
TICK = timedelta(microseconds=1)
BERLIN = ZoneInfo("Europe/Berlin")
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu"])


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("15m", 900), ("1h", 3600), ("2d", 172_800), ("1w", 604_800), ("1h30m", 5400)],
)
def test_durations(text: str, seconds: int) -> None:
    """A duration is a number and a unit, or several of them."""
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "1", "h", "-1h", "1 h", "1y", "9" * 30 + "d", "1h!"])
def test_what_is_no_duration(text: str) -> None:
    """Anything else is refused."""
    with pytest.raises(TimeError):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("now", NOW, id="now"),
        pytest.param("2h", NOW - timedelta(hours=2), id="ago"),
        pytest.param("2026-01-31T10:00Z", datetime(2026, 1, 31, 10, tzinfo=UTC), id="utc"),
        pytest.param("2026-01-31 10:00", datetime(2026, 1, 31, 9, tzinfo=UTC), id="in_zone"),
        pytest.param("14:00", datetime(2026, 1, 31, 13, tzinfo=UTC), id="of_today"),
        pytest.param("9:05:30", datetime(2026, 1, 31, 8, 5, 30, tzinfo=UTC), id="seconds"),
        pytest.param("Today", datetime(2026, 1, 30, 23, tzinfo=UTC), id="today"),
        pytest.param("yesterday", datetime(2026, 1, 29, 23, tzinfo=UTC), id="yesterday"),
        pytest.param("yesterday 14:00", datetime(2026, 1, 30, 13, tzinfo=UTC), id="of_yesterday"),
        pytest.param("2026-01-31", datetime(2026, 1, 30, 23, tzinfo=UTC), id="date"),
        pytest.param(
            "2026-10-25T02:30+01:00", datetime(2026, 10, 25, 1, 30, tzinfo=UTC), id="doubled"
        ),
    ],
)
def test_times(text: str, expected: datetime) -> None:
    """A time is now, a duration ago, or ISO 8601 in the zone unless it has an offset."""
    assert parse_time(text, zone=BERLIN, now=NOW) == expected


@pytest.mark.parametrize(
    "text", ["tomorrow", "2026-13-01", "25:00", "12:99", "0001-01-01T00:00+14:00", ""]
)
def test_what_is_no_time(text: str) -> None:
    """Anything else is refused, also what lies outside the calendar."""
    with pytest.raises(TimeError):
        parse_time(text, zone=BERLIN, now=NOW)


@given(
    instant=st.datetimes(FIRST, LAST),
    zone=ZONES,
)
def test_a_local_time_means_one_instant_or_is_refused(instant: datetime, zone: str) -> None:
    """What is accepted reads back as it was written; what a clock change doubles is not."""
    place = parse_zone(zone)
    try:
        found = parse_time(instant.isoformat(), zone=place, now=NOW)
    except TimeError:
        shift = timedelta(hours=3)
        near = {(instant + step).replace(tzinfo=place).utcoffset() for step in (-shift, shift)}
        assert len(near) == 2
    else:
        assert found.astimezone(place).replace(tzinfo=None) == instant


@given(text=st.text(max_size=12), zone=ZONES)
def test_any_text_is_a_time_or_a_clear_error(text: str, zone: str) -> None:
    """No text makes the parser fail in another way."""
    with suppress(TimeError):
        assert parse_time(text, zone=parse_zone(zone), now=NOW).utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    ("flags", "since", "until"),
    [
        pytest.param(TimeFlags(), SPAN.oldest, SPAN.newest + TICK, id="everything"),
        pytest.param(
            TimeFlags(since="1h"), NOW - timedelta(hours=1), SPAN.newest + TICK, id="since"
        ),
        pytest.param(
            TimeFlags(since="500ms"), NOW - timedelta(milliseconds=500), NOW, id="since_newest"
        ),
        pytest.param(TimeFlags(until="1h"), SPAN.oldest, NOW - timedelta(hours=1), id="until"),
        pytest.param(
            TimeFlags(last="1h"),
            SPAN.newest - timedelta(hours=1),
            SPAN.newest + TICK,
            id="last_counts_from_the_newest",
        ),
        pytest.param(
            TimeFlags(around="2h", window="30m"),
            NOW - timedelta(minutes=150),
            NOW - timedelta(minutes=90),
            id="around",
        ),
    ],
)
def test_windows(flags: TimeFlags, since: datetime, until: datetime) -> None:
    """Each option gives its half-open window; the newest event is in the default one."""
    zone = parse_zone("UTC")
    assert resolve(flags, span=SPAN, zone=zone, now=NOW) == Window(since, until)


@pytest.mark.parametrize("span", [None, SPAN], ids=["empty_store", "stored"])
@pytest.mark.parametrize(
    "flags",
    [TimeFlags(), TimeFlags(since="1s"), TimeFlags(until="99d"), TimeFlags(last="1h")],
    ids=["all", "since_after_newest", "until_before_oldest", "last"],
)
def test_a_window_never_ends_before_it_starts(flags: TimeFlags, span: Span | None) -> None:
    """A window without events is empty, not backwards."""
    window = resolve(flags, span=span, zone=parse_zone("UTC"), now=NOW)
    assert window.since <= window.until


def test_windows_outside_the_calendar_are_refused() -> None:
    """A window that no calendar holds is an error, not a crash."""
    for flags in (TimeFlags(last="999999d"), TimeFlags(around="0001-01-01", window="2d")):
        with pytest.raises(TimeError):
            resolve(flags, span=SPAN, zone=parse_zone("UTC"), now=NOW)


@pytest.mark.parametrize("name", ["Mars/X", "../../etc/passwd", "", "/etc/passwd", "\0"])
def test_what_is_no_zone(name: str) -> None:
    """A zone that there is not is refused, whatever it looks like."""
    with pytest.raises(TimeError):
        parse_zone(name)


@pytest.mark.parametrize("name", ["utc", "europe/berlin", "EUROPE/BERLIN"])
def test_a_zone_in_any_letter_case(name: str) -> None:
    """A zone is known however its letters are written."""
    assert parse_zone(name).key in {"UTC", "Europe/Berlin"}


def test_instants_keep_their_offset_out_of_the_window() -> None:
    """A time with an offset is an instant like any other."""
    east = timezone(timedelta(hours=9))
    flags = TimeFlags(since=datetime(2026, 1, 31, 9, tzinfo=east).isoformat(), until="now")
    window = resolve(flags, span=SPAN, zone=BERLIN, now=NOW)
    assert window.since == datetime(2026, 1, 31, 0, tzinfo=UTC)
