"""A time in any usual spelling is one instant; what is no time stays in the fields."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from logkit_analysis.parsers.json_lines import JsonLinesParser, Record

Read = Callable[[bytes | str | dict[str, Any]], tuple[dict[str, Any], dict[str, Any]]]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NOON = 1_773_921_600_000_000


def _us(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1)


SPELLINGS: dict[str, tuple[Any, int]] = {
    "seconds": ("2026-03-19T12:00:00Z", NOON),
    "one digit": ("2026-03-19T12:00:00.5Z", NOON + 500_000),
    "milliseconds": ("2026-03-19T12:00:00.123Z", NOON + 123_000),
    "microseconds": ("2026-03-19T12:00:00.123456Z", NOON + 123_456),
    "nanoseconds": ("2026-03-19T12:00:00.123456789Z", NOON + 123_456),
    "small letters": ("2026-03-19t12:00:00z", NOON),
    "offset": ("2026-03-19T13:30:00+01:30", NOON),
    "offset without colon": ("2026-03-19T23:00:00+1100", NOON),
    "offset of hours": ("2026-03-19T10:00:00-02", NOON),
    "offset behind a space": ("2026-03-19 13:00:00 +0100", NOON),
    "comma decimals": ("2026-03-19 12:00:00,123", NOON + 123_000),
    "comma decimals and offset": ("2026-03-19T13:00:00,5+01:00", NOON + 500_000),
    "slashes": ("2026/03/19 12:00:00", NOON),
    "named UTC": ("2026-03-19 12:00:00 UTC", NOON),
    "named GMT": ("2026-03-19 12:00:00 GMT", NOON),
    "basic form": ("20260319T120000Z", NOON),
    "date alone": ("2026-03-19", NOON - 12 * 3_600_000_000),
    "spaces around": (" 2026-03-19T12:00:00Z ", NOON),
    "leap second": ("2016-12-31T23:59:60Z", 1_483_228_800_000_000),
    "within a leap second": ("2016-12-31T23:59:60.5Z", 1_483_228_800_500_000),
    "epoch seconds": (1_773_921_600, NOON),
    "epoch seconds with fraction": (1_773_921_600.25, NOON + 250_000),
    "epoch milliseconds": (1_773_921_600_123, NOON + 123_000),
    "epoch microseconds": (1_773_921_600_123_456, NOON + 123_456),
    "epoch nanoseconds": (1_773_921_600_123_456_789, NOON + 123_456),
    "epoch as text": ("1773921600", NOON),
    "epoch milliseconds as text": ("1773921600123", NOON + 123_000),
    "epoch with fraction as text": ("1773921600.25", NOON + 250_000),
    "before 1970": ("1969-12-31T23:59:59Z", -1_000_000),
}


@pytest.mark.parametrize("name", SPELLINGS)
def test_a_time_is_an_instant(name: str, read: Read) -> None:
    """Any precision, any offset, and epochs in s, ms, us or ns by their size."""
    spelling, us = SPELLINGS[name]
    assert read({"timestamp": spelling}) == ({"timestamp": us}, {})


@pytest.mark.parametrize(
    "value",
    [
        "yesterday",
        "",
        "12:00:00",
        "2026-02-30T00:00:00Z",
        "2026-03-19T12:61:00Z",
        "٢٠٢٦",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "-100000000000000000",
        -(10**17) + 1,
        10**20,
        10**30,
        7,
        1e300,
        "9" * 5000,
        "1773921600" + "0" * 20,
        True,
        ["2026-03-19T12:00:00Z"],
        {"seconds": 1},
    ],
    ids=repr,
)
def test_what_is_no_time_stays_in_the_fields(value: Any, read: Read) -> None:
    """No guess, no failure: the column is NULL and the value kept; Go's zero time means none."""
    assert read({"timestamp": value}) == ({}, {"timestamp": value})


@pytest.mark.parametrize("value", [None, "missing"])
def test_an_event_without_a_time_is_an_event(value: str | None, read: Read) -> None:
    """Its column is NULL."""
    line = {"event": "a"} if value else {"event": "a", "timestamp": None}
    assert read(line) == ({"event": "a"}, {})


@pytest.mark.parametrize(
    ("text", "zone", "expected"),
    [
        ("2026-03-19 12:00:00", "Europe/Berlin", "2026-03-19T11:00:00+00:00"),
        ("2026-07-19T12:00:00,5", "Europe/Berlin", "2026-07-19T10:00:00.500000+00:00"),
        ("2026-03-19T12:00:00Z", "Europe/Berlin", "2026-03-19T12:00:00+00:00"),
        ("2026-03-19T12:00:00+05:00", "Europe/Berlin", "2026-03-19T07:00:00+00:00"),
        ("2026-03-19T12:00:00", "Australia/Adelaide", "2026-03-19T01:30:00+00:00"),
        ("2026-10-25 02:30:00", "Europe/Berlin", "2026-10-25T00:30:00+00:00"),
    ],
    ids=[
        "winter",
        "summer",
        "Z stands",
        "offset stands",
        "half an hour",
        "doubled hour: the first",
    ],
)
def test_a_time_without_a_zone_is_in_the_zone_asked_for(
    text: str, zone: str, expected: str
) -> None:
    """``--tz`` holds for times that name no zone, and for no other."""
    outcome = JsonLinesParser(ZoneInfo(zone)).parse(json.dumps({"time": text}).encode())
    assert isinstance(outcome, Record)
    assert outcome.columns == {"timestamp": _us(datetime.fromisoformat(expected))}


@given(
    st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1)),  # noqa: DTZ001
    st.integers(-14 * 60, 14 * 60),
)
def test_every_iso_time_is_read_to_the_microsecond(moment: datetime, minutes: int) -> None:
    """Agrees with the standard library for any offset, over the years that a zone can show."""
    aware = moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    outcome = JsonLinesParser(UTC).parse(json.dumps({"ts": aware.isoformat()}).encode())
    assert isinstance(outcome, Record)
    assert outcome.columns == {"timestamp": _us(aware)}
