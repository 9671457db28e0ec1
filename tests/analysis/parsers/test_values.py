"""A value fills its column only if the column holds it unchanged; else it stays in the fields."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Read = Callable[[bytes | str | dict[str, Any]], tuple[dict[str, Any], dict[str, Any]]]


@pytest.mark.parametrize(
    ("key", "value", "column", "expected"),
    [
        ("status_code", "429", "status_code", 429),
        ("status_code", 429.0, "status_code", 429),
        ("status_code", " 429 ", "status_code", 429),
        ("status", "503", "status_code", 503),
        ("pid", 2**63 - 1, "pid", 2**63 - 1),
        ("pid", str(-(2**63)), "pid", -(2**63)),
        ("duration_ms", "12.5", "duration_ms", 12.5),
        ("duration_ms", 12, "duration_ms", 12.0),
        ("duration_ms", 1e300, "duration_ms", 1e300),
        ("cost_usd", "1e-3", "cost_usd", 0.001),
        ("user_id", 175928847299117063, "user_id", "175928847299117063"),
        ("user_id", 10**30, "user_id", str(10**30)),
        ("message", "", "message", ""),
        ("message", "a\0b", "message", "a\0b"),
        ("message", "\U0001f600", "message", "\U0001f600"),
        ("latency_ms", 31, "duration_ms", 31.0),
        ("elapsed", "1.5s", "duration_ms", 1500.0),
        ("duration", "1m2.5s", "duration_ms", 62_500.0),
        ("duration", "250µs", "duration_ms", 0.25),
        ("duration", "12 ms", "duration_ms", 12.0),
        ("duration_s", 0.31, "duration_ms", 310.0),
        ("latency_us", 1500, "duration_ms", 1.5),
        ("duration_ns", 2_500_000, "duration_ms", 2.5),
        ("retry_after", 1.2345, "retry_after_ms", 1235),
        ("retry_after", "30", "retry_after_ms", 30_000),
        ("request_id", "r-1", "correlation_id", "r-1"),
        ("path", "/users/{id}", "endpoint", "/users/{id}"),
        ("route", "/x", "endpoint", "/x"),
        ("url", "/y", "endpoint", "/y"),
    ],
)
def test_an_unambiguous_value_fills_its_column(
    key: str, value: Any, column: str, expected: Any, read: Read
) -> None:
    """Digits in quotes are a number, a number is an id's digits, a unit is converted."""
    columns, fields = read({key: value})
    assert (columns, fields) == ({column: expected}, {})
    assert type(columns[column]) is type(expected)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("status_code", 429.5),
        ("status_code", "abc"),
        ("status_code", "429.5"),
        ("status_code", "٤٢٩"),
        ("status_code", ""),
        ("status_code", True),
        ("status_code", [429]),
        ("status_code", {"code": 429}),
        ("status_code", 2**31),
        ("pid", 2**63),
        ("pid", 1e18),
        ("pid", "9" * 5000),
        ("duration_ms", False),
        ("duration_ms", "fast"),
        ("duration_ms", "nan"),
        ("duration_ms", "inf"),
        ("duration_ms", "1e999"),
        ("duration_ms", 2**53 + 1),
        ("duration_ms", str(2**53 + 1)),
        ("duration_s", 1e308),
        ("duration", 12),
        ("duration", "12"),
        ("duration", "12 parsecs"),
        ("duration", "9" * 400 + "h"),
        ("retry_after", "Wed, 21 Oct 2026 07:28:00 GMT"),
        ("retry_after", 1e300),
        ("user_id", 1.5),
        ("user_id", True),
        ("message", ["a"]),
        ("message", {"a": None}),
        ("level", "loud"),
        ("level", 31),
        ("level", 1e300),
        ("level", "9" * 5000),
        ("level", True),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_a_value_that_would_change_stays_in_the_fields(key: str, value: Any, read: Read) -> None:
    """429.5 is not 430, true is not 1, and nothing of what was written is lost."""
    assert read({key: value}) == ({}, {key: value})


def test_the_first_good_source_wins_and_the_others_stay(read: Read) -> None:
    """A column takes our own key before another's; what it does not take is kept."""
    assert read({"status": 200, "status_code": "n/a", "statusCode": 201}) == (
        {"status_code": 200},
        {"status_code": "n/a", "statusCode": 201},
    )


def test_a_null_is_no_value(read: Read) -> None:
    """A declared key with null is a NULL; any other key keeps its null."""
    assert read({"message": None, "msg": "hi there", "note": None}) == (
        {"message": "hi there"},
        {"note": None},
    )


@pytest.mark.parametrize(
    ("message", "event"),
    [
        ("rate_limited", "rate_limited"),
        ("ready", "ready"),
        ("Rate_limited", None),
        ("rate limited", None),
        ("rate_limited\n", None),
        ("_x", None),
        ("a__b", None),
        ("a" * 64, "a" * 64),
        ("a" * 65, None),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_a_message_that_is_a_name_is_the_event(message: str, event: str | None, read: Read) -> None:
    """Only snake_case; and never over an event that is there."""
    expected = {"message": message} if event is None else {"message": message, "event": event}
    assert read({"msg": message}) == (expected, {})
    assert read({"msg": message, "event": "own"})[0]["event"] == "own"


LEVELS = {
    "debug": ["debug", "TRACE", "verbose", "DBG", 5, 10, "10"],
    "info": ["info", "Information", "NOTICE", "success", "log", 20, 25, "20"],
    "warning": ["warning", "WARN", " warn ", 30],
    "error": ["error", "ERR", "severe", 40, 40.0],
    "critical": ["critical", "fatal", "panic", "EMERG", "alert", "crit", 50],
}


@pytest.mark.parametrize(
    ("written", "level"),
    [(written, level) for level, names in LEVELS.items() for written in names],
)
def test_a_level_by_any_name_is_one_of_five(written: Any, level: str, read: Read) -> None:
    """Names in any case, and the numbers of Python's logging."""
    assert read({"level": written}) == ({"level": level}, {})


@pytest.mark.parametrize(
    ("number", "pino", "python"),
    [
        (10, "debug", "debug"),
        (20, "debug", "info"),
        (30, "info", "warning"),
        (40, "warning", "error"),
        (50, "error", "critical"),
        (60, "critical", None),
    ],
)
def test_a_number_means_what_its_dialect_says(
    number: int, pino: str, python: str | None, read: Read
) -> None:
    """30 is info in pino and bunyan, warning in Python."""
    assert read({"level": number, "time": 1, "pid": 1, "hostname": "h"})[0]["level"] == pino
    assert read({"level": number, "time": 1, "msg": "m"})[0]["level"] == pino
    assert read({"levelno": number, "msg": "m"})[0].get("level") == python
    assert read({"level": number, "asctime": "x"})[0].get("level") == python


def test_a_line_does_not_depend_on_the_lines_before_it(read: Read) -> None:
    """The same keys with other types of values are read as what they are, in any order."""
    pino = {"level": 30, "time": 1773921600, "msg": "a b"}
    logrus = {"level": "warning", "time": 1773921600, "msg": "a b"}
    docker = {"log": "text", "stream": "out", "time": 1773921600}
    other = {"log": {"level": "info"}, "stream": "out", "time": 1773921600}
    first = [read(line) for line in (pino, logrus, docker, other)]
    again = [read(line) for line in (other, docker, logrus, pino)]
    assert first == again[::-1]
    assert [columns.get("level") for columns, _ in first] == ["info", "warning", None, None]


def test_the_store_s_own_column_names_are_ordinary_keys(read: Read) -> None:
    """They stay in the fields, also ``fields`` itself."""
    line = {
        "fields": {"a": 1},
        "source_id": 7,
        "source_offset": -1,
        "source_file": "/etc/passwd",
        "ingested_at": "2020-01-01T00:00:00Z",
    }
    assert read(line) == ({}, line)
