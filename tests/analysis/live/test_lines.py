"""An event as one line, and as a page."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from logkit_analysis.live.detail import detail
from logkit_analysis.live.event import LiveEvent
from logkit_analysis.live.lines import Widths, day_rule, line, segments
from logkit_analysis.live.painting import coloured, cut, plain_text
from logkit_analysis.renderers.escaping import UNSAFE
from rich.cells import cell_len

from logkit.schema import FIELDS

AT = datetime(2026, 1, 31, 23, 30, 15, 42_700, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
CALL: dict[str, Any] = {
    "level": "error",
    "service": "bot",
    "event": "api_call_failed",
    "logger": "bot.api",
    "pid": 7,
    "correlation_id": "c1",
    "endpoint": "/channels/{id}",
    "method": "POST",
    "status_code": 429,
    "duration_ms": 3862.2,
    "attempt": 2,
    "retry_after_ms": 1200,
    "rate_limit_limit": 5,
    "rate_limit_remaining": 0,
    "error_type": "RateLimited",
    "error_message": "slow down",
    "error_stack": "api.py:12 send\nbot.py:3 run",
}
HOSTILE = "\x1b[2J\x1b]0;t\x07\r\n\t\x00\x9b\u202e\u2028\U000e0041x"

_VALUES = {
    "string": st.text(max_size=20) | st.just(HOSTILE),
    "integer": st.integers(0, 2**31 - 1),
    "number": st.floats(0, 1e12),
}
_EVENTS = st.builds(
    LiveEvent,
    file=st.text(max_size=10),
    offset=st.integers(0, 2**40),
    at=st.none() | st.datetimes(timezones=st.just(UTC)),
    columns=st.fixed_dictionaries(
        {}, optional={one.name: _VALUES[one.type] for one in FIELDS if one.name != "timestamp"}
    ),
    fields=st.none()
    | st.text(max_size=20)
    | st.dictionaries(st.text(max_size=8), st.text(max_size=8) | st.none() | st.integers()).map(
        json.dumps
    ),
    reject_reason=st.none() | st.text(max_size=10),
)


def shown(event: LiveEvent, *others: LiveEvent, zone: ZoneInfo | Any = UTC) -> str:
    """Return the line of *event* among *others*."""
    widths = Widths()
    widths.grow([event, *others])
    return line(event, zone=zone, widths=widths).plain


def event(columns: dict[str, Any], fields: str | None = None, **values: Any) -> LiveEvent:
    """Return an event with *columns*."""
    return LiveEvent("bot.log", 10, AT, columns, fields, **values)


def test_what_matters_comes_first() -> None:
    """Time, level and name, the call, the wait and the error, then all other keys, then ids."""
    assert shown(event(CALL, '{"guild":"a b","n":[1,2]}')) == (
        "23:30:15.042 ERROR    api_call_failed 429 3,862 ms POST   /channels/{id}"
        " retry_after=1,200 ms attempt=2 RateLimited: slow down"
        ' guild="a b" n=[1,2] rate_limit_remaining=0 of 5 correlation_id=c1'
    )


def test_the_time_of_day_is_the_zones() -> None:
    """A time is shown in the zone asked for, and its day too."""
    assert shown(event({"level": "info"}), zone=BERLIN).startswith("00:30:15.042 info")
    parts = segments(event({}), zone=BERLIN, widths=Widths(), has_date=True)
    assert plain_text(parts) == "2026-02-01T00:30:15.042+01:00"
    timeless = LiveEvent("a", 0, None, {"level": "info"})
    parts = segments(timeless, zone=UTC, widths=Widths(), has_date=True)
    assert plain_text(parts) == "----------T--:--:--.---Z info"
    assert day_rule(AT.date(), 40)[0].strip("─ ") == "Saturday, 2026-01-31"


def test_a_service_is_named_once_there_are_two() -> None:
    """With one service its name would say nothing."""
    one, other = event({"service": "bot", "event": "a"}), event({"service": "worker"})
    assert "bot" not in shown(one)
    assert shown(one, other).split() == ["23:30:15.042", "bot", "a"]
    assert shown(other, one).split() == ["23:30:15.042", "worker"]


def test_a_file_stands_for_a_service_that_is_not_named() -> None:
    """Text logs name no service: their files tell them apart."""
    one = LiveEvent("logs/bot.log", 0, AT, {"message": "a"})
    other = LiveEvent("worker.log", 0, AT, {"message": "b"})
    broken = LiveEvent("x.log", 0, None, {"message": "{"}, reject_reason="r")
    assert shown(one, broken).split() == ["23:30:15.042", "a"]
    assert shown(one, other).split() == ["23:30:15.042", "bot.log", "a"]


def test_calls_stand_below_each_other() -> None:
    """Status and duration come before the endpoint, which is long; a lost call has none."""
    call = {"method": "GET", "endpoint": "/a", "status_code": 200, "duration_ms": 8.25}
    lost = {"endpoint": "/a", "method": "DELETE", "duration_ms": 3000}
    assert shown(event(call)).endswith(" 200  8.25 ms GET    /a")
    assert shown(event(lost)).endswith(" --- 3,000 ms DELETE /a")
    assert shown(event({"endpoint": "/a"})).endswith("   /a")
    assert shown(event({"command": "play", "duration_ms": 8})).endswith("   8 ms command=play")


def test_columns_stand_below_each_other() -> None:
    """What follows the name of the event begins in one column."""
    short = event({"level": "info", "event": "a", "message": "text"})
    long = event({"level": "critical", "event": "command_handled", "message": "text"})
    assert shown(short, long).index("text") == shown(long, short).index("text")


@pytest.mark.parametrize(
    "name",
    ["日本語", "e\u0301te\u0301", "a\nb\x1b", "😀"],
    ids=["wide", "combining", "escaped", "emoji"],
)
def test_columns_stand_below_each_other_in_any_script(name: str) -> None:
    """Cells of the terminal count, not characters, and what is escaped takes more of them."""
    short = event({"level": "info", "service": "a", "event": "a", "message": "text"})
    other = event({"level": "info", "service": name, "event": name, "message": "text"})
    columns = {
        cell_len(text[: text.index("text")]) for text in (shown(short, other), shown(other, short))
    }
    assert len(columns) == 1


@pytest.mark.parametrize("depth", [254, 255, 900, 1_100, 20_000])
def test_whatever_is_nested_is_shown(depth: int) -> None:
    """A line and its page tell of values at any depth, which no one line of a log may stop."""
    deep = event({"level": "info"}, f'{{"deep":{"[" * depth}{"]" * depth}}}')
    assert "deep" in shown(deep)
    assert any("deep" in row.plain for row in detail(deep, UTC))


def test_levels_differ_without_colours() -> None:
    """What is bad is seen in the text alone."""
    words = [shown(event({"level": level})).split()[1] for level in ("info", "warning", "error")]
    assert words == ["info", "WARNING", "ERROR"]


@pytest.mark.parametrize(
    ("columns", "text"),
    [
        ({"rss_bytes": 1288490189, "rss_limit_bytes": 2 * 1024**3}, "rss=1.2 GiB of 2 GiB"),
        ({"queue": "jobs", "queue_depth": 1200}, "queue=jobs queue_depth=1,200"),
        ({"queue_limit": 1000}, "queue_limit=1,000"),
        ({"duration_ms": 0.347}, "0.347 ms"),
        ({"duration_ms": 12.0}, "12 ms"),
        ({"cpu_percent": 73.25}, "cpu=73.2 %"),
        ({"attempt": 0}, ""),
        ({"user_id": "80351110224678912"}, "user_id=80351110224678912"),
        ({"message": ""}, ""),
    ],
    ids=["bytes", "depth", "limit", "short", "whole", "percent", "first", "id", "empty"],
)
def test_numbers_have_units(columns: dict[str, Any], text: str) -> None:
    """A person reads 1.2 GiB, not 1288490189."""
    assert shown(event(columns))[len("23:30:15.042 ") :].strip() == text


def test_a_line_that_is_no_event_says_so() -> None:
    """It shows the reason and the text, marked without colours too."""
    rejected = LiveEvent("a", 0, None, {"message": "{oops"}, reject_reason="invalid_json: x")
    assert shown(rejected) == "--:--:--.--- REJECTED (invalid_json: x) {oops"


@settings(deadline=None)
@given(_EVENTS)
def test_nothing_in_a_log_reaches_the_terminal_raw(hostile: LiveEvent) -> None:
    """Control characters, line breaks and bidi marks of any field are shown, never sent."""
    whole = [*detail(hostile, BERLIN), line(hostile, zone=BERLIN, widths=Widths())]
    assert [text for text in whole if UNSAFE.search(text.plain)] == []


@settings(deadline=None)
@given(_EVENTS, st.integers(2, 120))
def test_a_cut_line_fits(wide: LiveEvent, width: int) -> None:
    """A line never takes more cells than the terminal has, and what is cut ends in an ellipsis."""
    parts = segments(wide, zone=UTC, widths=Widths())
    whole, short = plain_text(parts), plain_text(cut(parts, width))
    assert cell_len(short) <= width
    assert short == whole or short.endswith("…")


@settings(deadline=None)
@given(_EVENTS)
def test_colours_are_all_that_colours_add(any_event: LiveEvent) -> None:
    """Without its colour codes a line is the plain one."""
    parts = segments(any_event, zone=UTC, widths=Widths())
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured(parts)) == plain_text(parts)


def test_the_detail_has_every_field() -> None:
    """Times in the zone and in UTC, all fields as JSON, a stack line by line, and the place."""
    lines = [text.plain for text in detail(event(CALL, '{"n":{"deep":[1]},"pid":"x"}'), BERLIN)]
    assert lines[0] == "Sunday, 2026-02-01 00:30:15.042700 +0100 (Europe/Berlin)"
    assert lines[1] == "2026-01-31T23:30:15.042700Z in UTC"
    stack = lines.index('  "error_stack":')
    assert [text.strip() for text in lines[stack + 1 : stack + 3]] == [
        "api.py:12 send",
        "bot.py:3 run",
    ]
    assert lines[-1] == "bot.log, byte 10"
    for name, value in CALL.items():
        if name != "error_stack":
            assert f'  "{name}": {json.dumps(value)},' in lines
    assert '  "n": {' in lines
    assert '  "fields.pid": "x"' in lines


def test_the_detail_of_a_broken_line_tells_why() -> None:
    """A rejected line opens too."""
    rejected = LiveEvent("a", 0, None, {"message": "{oops"}, reject_reason="invalid_json")
    assert [text.plain for text in detail(rejected, UTC)] == [
        "no time",
        "rejected: invalid_json",
        "{",
        '  "message": "{oops"',
        "}",
        "a, byte 0",
    ]
