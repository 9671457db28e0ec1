"""Axes and drawings: round labels, every value on the plot, holes left open."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from logkit_analysis.renderers.scales import Scale, linear, logarithmic, time_ticks
from logkit_analysis.reports.charts.plot import plot, tick_label
from logkit_analysis.reports.data import chart_csv
from logkit_analysis.reports.document import Axis, Chart, Mark, Series

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

START = datetime(2026, 3, 1, 9, tzinfo=UTC)
AXIS = Axis(START, START + timedelta(minutes=10), 60)
VALUES = st.lists(st.floats(0, 1e12), max_size=20)


def chart(*values: float | None, name: str = "calls", axis: Axis = AXIS) -> Chart:
    """Return a chart of one line."""
    return Chart("calls", "Calls", "", axis, (Series(name, values),), summary="some")


@given(VALUES)
def test_a_linear_axis_begins_at_zero_and_holds_all(values: list[float]) -> None:
    """No value leaves the plot, and zero is where it is expected."""
    scale = linear(values)
    assert scale.low == 0
    assert scale.high >= max(values, default=0)
    assert scale.ticks[0] == 0
    assert 2 <= len(scale.ticks) <= 5


@given(st.lists(st.floats(1e-3, 1e9), min_size=1, max_size=20))
def test_a_logarithmic_axis_holds_all(values: list[float]) -> None:
    """Its ends enclose all values, and equal ratios are equal steps."""
    scale = logarithmic(values)
    assert scale.low <= min(values) * (1 + 1e-9)
    assert scale.high >= max(values)
    middle = (scale.low * scale.high) ** 0.5
    assert scale.share(middle) == pytest.approx(0.5)


@pytest.mark.parametrize("axis", [linear, logarithmic])
@given(values=st.lists(st.floats(0, allow_infinity=False), max_size=5))
def test_absurd_values_leave_the_others_a_chart(
    axis: Callable[[Sequence[float]], Scale], values: list[float]
) -> None:
    """Whatever numbers a log holds, there is an axis with a few ticks, and all lie on it."""
    scale = axis(values)
    assert 1 <= len(scale.ticks) <= 15
    assert math.isfinite(scale.high)
    assert all(0 <= scale.share(value) <= 1 for value in values)


@given(st.integers(1, 10**8), st.integers(0, 10**8))
def test_times_are_few_and_within(seconds: int, shift: int) -> None:
    """An axis has at most nine times of day, in order, none outside."""
    since = START + timedelta(seconds=shift)
    until = since + timedelta(seconds=seconds)
    ticks = time_ticks(since, until, ZoneInfo("Europe/Berlin"))
    assert len(ticks) <= 9
    assert ticks == sorted(ticks)
    assert all(since <= tick <= until for tick in ticks)


def test_times_are_round_where_the_reader_lives() -> None:
    """Hours are labelled at the hours of the zone, also of one half an hour off."""
    ticks = time_ticks(START, START + timedelta(hours=6), ZoneInfo("Asia/Kolkata"))
    assert {tick.astimezone(ZoneInfo("Asia/Kolkata")).minute for tick in ticks} == {0}


def test_where_nothing_was_measured_no_line_is_drawn() -> None:
    """A long hole parts the line; a bin without a sample does not."""
    drawing = plot(chart(1, None, 2, None, None, None, 3, 3, None, 1), ZoneInfo("UTC"))
    line = re.search(r'class="line main" d="([^"]+)"', drawing)
    assert line is not None
    assert line[1].count("M") == 2
    assert line[1].count("L") == 3


@pytest.mark.parametrize(
    ("value", "label"),
    [(0, "0"), (0.25, "0.25"), (2000, "2,000"), (10_000, "10k"), (5e6, "5M"), (2e10, "20G")],
)
def test_labels_are_short(value: float, label: str) -> None:
    """A label has room beside the plot, also on a phone."""
    assert tick_label(value) == label


def test_a_single_value_is_a_dot() -> None:
    """One measured bin can be seen."""
    assert "h.1" in plot(chart(None, 5), ZoneInfo("UTC"))


def test_names_that_would_overlap_give_way() -> None:
    """Of two marks close together the louder one keeps its name; both keep their line."""
    at = START + timedelta(minutes=5)
    marks = (Mark(at, "onset"), Mark(at + timedelta(seconds=9), "deploy 2", is_quiet=True))
    axis = Axis(AXIS.since, AXIS.until, 60, marks)
    drawing = plot(chart(1, 2, axis=axis), ZoneInfo("UTC"))
    assert "onset" in drawing
    assert "deploy 2" not in drawing
    assert drawing.count('class="mark') == 3


def test_a_name_is_no_formula() -> None:
    """A spreadsheet that opens the CSV runs nothing; quotes and breaks stay in their cell."""
    assert chart_csv(chart(1, None, name="=1+1")) == (
        "bucket_at,'=1+1\n2026-03-01T09:00:00Z,1\n2026-03-01T09:01:00Z,\n"
    )
    assert '"a ""b"", c"' in chart_csv(chart(1, name='a "b", c'))


def test_names_of_a_short_incident_stand_on_either_side() -> None:
    """Onset and recovery are both named, however close: one on its left, one on its right."""
    at = START + timedelta(minutes=5)
    marks = (Mark(at, "onset"), Mark(at + timedelta(seconds=9), "recovered"))
    drawing = plot(chart(1, 2, axis=Axis(AXIS.since, AXIS.until, 60, marks)), ZoneInfo("UTC"))
    named = re.findall(r'class="label (\w+)"[^>]*>(\w+)<', drawing)
    assert named == [("end", "onset"), ("start", "recovered")]


def test_counts_have_whole_ticks() -> None:
    """There is no half of a call, not even where there was none."""
    drawing = plot(chart(0, 1), ZoneInfo("UTC"))
    assert re.findall(r'class="tick value"[^>]*>([^<]*)<', drawing) == ["0", "1", "2", "3"]
