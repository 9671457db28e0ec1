"""Sparklines: a series as one line of blocks."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from logkit_analysis.renderers.sparkline import BLOCKS, GAP, sparkline

VALUES = st.lists(st.none() | st.floats())


@pytest.mark.parametrize(
    ("values", "width", "line"),
    [
        pytest.param([0, 1, 2, 3, 4, 5, 6, 7], None, "▁▂▃▄▅▆▇█", id="eight-heights"),
        pytest.param([5, 5, 5], None, "▁▁▁", id="a-level-is-low"),
        pytest.param([0, 0, 0], None, "▁▁▁", id="zero-is-there"),
        pytest.param([100, 102, 99, 101], None, "▁▂▁▂", id="a-waver-is-no-peak"),
        pytest.param([1, None, 8], None, "▁ █", id="a-gap-is-no-zero"),
        pytest.param([1, math.nan, math.inf, 8], None, "▁  █", id="no-number-is-a-gap"),
        pytest.param([None, None], None, "  ", id="only-gaps"),
        pytest.param([], 10, "", id="nothing"),
        pytest.param([-4, 0, 4], None, "▁▅█", id="below-zero"),
        pytest.param([1] * 500 + [9] + [1] * 499, 10, "▁▁▁▁▁█▁▁▁▁", id="one-bad-minute-stays"),
        pytest.param([None] * 50 + [3.0] * 50, 4, "  ▁▁", id="a-long-gap-stays"),
        pytest.param([1, 2], 10, "▁█", id="no-wider-than-its-values"),
        pytest.param([-1e308, 1e308], None, "▁█", id="huge"),
    ],
)
def test_a_series_is_drawn(values: list[float | None], width: int | None, line: str) -> None:
    """Heights follow the values, gaps stay gaps, and a peak outlives fewer cells."""
    assert sparkline(values, width) == line


def test_counts_begin_at_zero() -> None:
    """With a foot, a series that is level is as high as it is."""
    assert sparkline([4, 4, 3, None, 1], foot=0) == "██▆ ▃"
    assert sparkline([-7, 0], foot=0) == "▁█"


@given(VALUES, st.none() | st.integers(-1, 60))
def test_any_series_has_a_line_of_blocks(values: list[float | None], width: int | None) -> None:
    """No values make it fail, and it is never wider than asked."""
    line = sparkline(values, width)
    assert len(line) == (len(values) if width is None else min(len(values), max(width, 1)))
    assert set(line) <= set(BLOCKS + GAP)
