"""Charts of block characters: what is drawn, what is left open, and what is written beside it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from logkit_analysis.renderers.plot_text import MOST_SERIES, plot_text
from logkit_analysis.renderers.timeline import NoTimelineError, timeline
from logkit_analysis.results import Column, ResultSet
from logkit_analysis.time_window import Window

START = datetime(2026, 3, 19, 11, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
TIME = "TIMESTAMP WITH TIME ZONE"


def result(*rows: tuple[object, ...], **types: str) -> ResultSet:
    """Return rows with a time in front and named and typed columns."""
    columns = {"bucket_at": TIME, **types}
    return ResultSet(tuple(Column(name, kind) for name, kind in columns.items()), list(rows))


def minutes(*values: float | None, name: str = "requests", kind: str = "DOUBLE") -> ResultSet:
    """Return a value a minute."""
    rows = [(START + index * MINUTE, value) for index, value in enumerate(values)]
    return result(*rows, **{name: kind})


def drawn(
    rows: ResultSet,
    *,
    zone: str = "UTC",
    width: int = 80,
    step: timedelta | None = None,
    window: Window | None = None,
) -> list[str]:
    """Return the lines of the chart of some rows."""
    line = timeline(rows, "the query", step=step)
    return plot_text(line, ZoneInfo(zone), width, window).splitlines()


@pytest.mark.parametrize("value", [1.7e308, -1.7e308, 1e301, float("inf"), float("nan")])
def test_a_value_that_no_axis_holds_is_a_gap(value: float) -> None:
    """The others are drawn, and nothing fails."""
    assert "at most 2 at 11:02" in drawn(minutes(1, value, 2))


@pytest.mark.parametrize("value", [1e299, -1e299, 1e18, 1e-300, 1e-9])
def test_huge_and_tiny_values_are_labelled_shortly(value: float) -> None:
    """A chart stays in its width whatever the numbers are."""
    lines = drawn(minutes(value, 0), width=60)
    assert max(map(len, lines)) <= 60
    assert any("e" in line.partition("┤")[0] or "e" in line.partition("┼")[0] for line in lines[3:])


def test_a_time_that_no_log_has_is_no_point() -> None:
    """Infinity and the ends of the calendar, as a clock that was never set gives, are left out."""
    times = (
        datetime.min.replace(tzinfo=UTC),
        START,
        datetime.max.replace(tzinfo=UTC),
        datetime(5000, 1, 1, tzinfo=UTC),
    )
    rows = result(*[(at, 1) for at in times], requests="BIGINT")
    assert timeline(rows, "x").moments == [START]
    assert drawn(rows, zone="Asia/Tokyo")


def test_a_series_becomes_bars_over_an_axis_of_times() -> None:
    """Bars start at zero, the axes are labelled with round numbers and times, gaps are open."""
    lines = drawn(minutes(0, 10, None, 20), width=30)
    assert lines == [
        "requests, every 60 s",
        "",
        "at most 20 at 11:03",
        "20 ┤                  ██████",
        "   │                  ██████",
        "   │                  ██████",
        "   │                  ██████",
        "   │                  ██████",
        "10 ┤      ██████      ██████",
        "   │      ██████      ██████",
        "   │      ██████      ██████",
        "   │      ██████      ██████",
        "   │      ██████      ██████",
        " 0 ┼┬─────┬─────╷     ┬─────",
        "  11:00 11:01 11:02 11:03",
        "    2026-03-19, UTC",
    ]


@pytest.mark.parametrize(
    ("name", "values", "label"),
    [
        ("error_ratio", (0.0, 0.05), "5% ┤"),
        ("p95_ms", (90.0, 3_900.0), "4 s ┤"),
        ("p95_ms", (90.0, 390.0), "400 ms ┤"),
        ("rss_bytes", (2.0**28, 2.0**29), "600 MiB ┤"),
        ("requests", (1.0, 12_000.0), "15,000 ┤"),
        ("cpu_percent", (50.0, 98.0), "100% ┤"),
        ("down_seconds", (60.0, 7_000.0), "150 min ┤"),
        ("max_depth", (0.0, 1.0), "1 ┤"),
        ("cost_usd", (0.25, 1.0), "1 $ ┤"),
    ],
)
def test_a_name_tells_the_unit_of_the_axis(
    name: str, values: tuple[float, ...], label: str
) -> None:
    """Numbers stand in the unit that a person would choose, thousands apart."""
    assert drawn(minutes(*values, name=name))[3].lstrip().startswith(label)


def test_many_rows_share_a_bar_and_the_greatest_shows() -> None:
    """A bad minute among 600 is seen, and the caption says what a bar is."""
    lines = drawn(minutes(*[1.0] * 300, 9.0, *[1.0] * 299), width=80)
    assert lines[0] == "requests, the greatest of each 10 min"
    assert lines[2] == "at most 9 at 16:00"
    assert max(map(len, lines)) <= 80
    assert sum("█" in line for line in lines) >= 9


def test_an_hour_without_rows_is_an_open_axis() -> None:
    """Nothing measured is no zero, also where buckets are known to be short."""
    rows = result((START, 5), (START + 60 * MINUTE, 0), requests="BIGINT")
    foot = drawn(rows, width=130, step=MINUTE)[-3]
    assert foot.startswith("0 ┼┬─")
    assert foot.endswith(" ┬─")
    assert foot.count("─") == 2


def test_samples_at_their_own_pace_leave_no_gaps() -> None:
    """The usual time between samples is how long one counts."""
    times = [START + index * timedelta(seconds=15, milliseconds=index % 7) for index in range(120)]
    foot = drawn(result(*((at, 1.0) for at in times), depth="DOUBLE"))[-3]
    assert " " not in foot.partition("┼")[2]


def test_groups_are_charts_with_the_same_axes_the_largest_first() -> None:
    """Who has the most comes first, what has no room is counted, NULL is a group of its own."""
    names = ["a", None, "c\x1b[2J", "d", "e", "f"]
    rows = [(START, name, 10 * index) for index, name in enumerate(names)]
    lines = drawn(result(*rows, service="VARCHAR", errors="BIGINT"))
    assert lines[0] == "errors by service, every 60 s"
    titles = [line for line in lines if "always" in line]
    assert titles == [
        "f  always 50",
        "e  always 40",
        "d  always 30",
        "c\\x1b[2J  always 20",
    ]
    assert len(titles) == MOST_SERIES
    assert lines[-1] == "2 more with smaller sums are not drawn"
    assert "(none)  always 10" in drawn(
        result((START, None, 10), service="VARCHAR", errors="BIGINT")
    )


def test_the_window_is_drawn_whole() -> None:
    """Where the log ends before the window does, the rest of the axis is empty."""
    window = Window(START - 30 * MINUTE, START + 30 * MINUTE)
    lines = drawn(minutes(3, 3, 3), window=window)
    assert lines[-2].split() == ["10:30", "10:40", "10:50", "11:00", "11:10", "11:20"]
    assert lines[-3].count("─") + lines[-3].count("┬") == 3


@pytest.mark.parametrize(
    ("start", "note", "times"),
    [
        pytest.param(
            datetime(2026, 3, 28, 22, tzinfo=UTC),
            "2026-03-28 to 2026-03-29, Europe/Berlin (+01:00, from 03-29 03:00 +02:00)",
            "23:00 03-29 01:00 03:00 04:00 05:00",
            id="an-hour-is-missing",
        ),
        pytest.param(
            datetime(2026, 10, 24, 22, tzinfo=UTC),
            "2026-10-25, Europe/Berlin (+02:00, from 10-25 02:00 +01:00)",
            "10-25 01:00 02:00 03:00 04:00",
            id="an-hour-comes-twice",
        ),
    ],
)
def test_times_follow_the_clock_of_the_zone(start: datetime, note: str, times: str) -> None:
    """Where the clock changes, labels stay round and both offsets are named."""
    rows = result(*((start + index * MINUTE, 1) for index in range(6 * 60)), requests="BIGINT")
    lines = drawn(rows, zone="Europe/Berlin", width=90)
    assert lines[-1].strip() == note
    assert " ".join(lines[-2].split()) == times


@pytest.mark.parametrize(
    ("types", "problem"),
    [
        ({"name": "VARCHAR"}, "no column of times"),
        ({"at": TIME, "name": "VARCHAR", "guild_id": "BIGINT"}, "no number"),
        (
            {"n": "BIGINT", "first_at": TIME, "last_at": TIME},
            r"several times \(first_at, .*\)",
        ),
    ],
)
def test_what_is_no_time_series_is_told(types: dict[str, str], problem: str) -> None:
    """One line says what is missing."""
    columns = tuple(Column(name, kind) for name, kind in types.items())
    with pytest.raises(NoTimelineError, match=f"^errors has {problem}; --plot needs"):
        timeline(ResultSet(columns, []), "errors")


def test_another_number_can_be_drawn() -> None:
    """A column is drawn by its name; one that is not there is told with those that are."""
    rows = result((START, 1, 2.5), requests="BIGINT", p95_ms="DOUBLE")
    assert timeline(rows, "x", column="p95_ms").series == {"": [(START, 2.5)]}
    with pytest.raises(NoTimelineError, match="x has no number 'p99'; it has requests, p95_ms"):
        timeline(rows, "x", column="p99")


VALUES = st.lists(st.none() | st.floats(-1e300, 1e300), min_size=1, max_size=40)


@given(VALUES, st.integers(1, 120), st.text(max_size=5))
def test_whatever_the_values_a_chart_fits(
    values: list[float | None], width: int, name: str
) -> None:
    """No numbers and no name make it fail or send a control character."""
    rows = [(START + index * MINUTE, name, value) for index, value in enumerate(values)]
    line = timeline(result(*rows, name="VARCHAR", value="DOUBLE"), "x")
    if line.series:
        text = plot_text(line, ZoneInfo("Asia/Kolkata"), width)
        assert not {*map(chr, range(32)), "\x7f", "\x9b"} & (set(text) - {"\n"})


def test_the_change_of_the_clock_is_told_to_the_minute() -> None:
    """However long a bar is, the note names the instant of the new offset."""
    rows = [(START - timedelta(days=20) + index * timedelta(hours=1), 1) for index in range(900)]
    note = drawn(result(*rows, requests="BIGINT"), zone="America/New_York")[-1].strip()
    assert note == "2026-02-26 to 2026-04-05, America/New_York (-05:00, from 03-08 03:00 -04:00)"
