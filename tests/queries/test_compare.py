"""The counts of `compare` against a slow and obvious computation, on random events."""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction
from math import log
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from logkit_analysis.time_window import Window

from .random_events import (
    START,
    Event,
    events,
    inside,
    is_error,
    is_request,
    on_random_events,
    percentile,
)

cuts = st.lists(st.integers(0, 30), min_size=4, max_size=4).map(sorted)


@on_random_events
@given(rows=events, cut=cuts)
def test_both_windows_are_counted_by_value(store: Any, rows: list[Event], cut: list[int]) -> None:
    """Requests, errors, 429s and durations of each side are exact for each value."""
    store.fill(rows)
    marks = [START + timedelta(seconds=20 * one) for one in cut]
    sides = {"before": Window(marks[0], marks[1]), "after": Window(marks[2], marks[3])}
    found = store.run(
        "compare",
        sides["after"],
        before_since=marks[0].isoformat(),
        before_until=marks[1].isoformat(),
    )
    got = {(row["attribute"], row["value"]): row for row in found}
    requests = {
        side: [row for row in inside(rows, window) if is_request(row)]
        for side, window in sides.items()
    }
    for attribute in ("service", "command", "version", "model"):
        values = {row[attribute] for own in requests.values() for row in own} - {None}
        assert {value for name, value in got if name == attribute} == values
        for value in values:
            for side, own in requests.items():
                group = [row for row in own if row[attribute] == value]
                check(got[attribute, value], side, group)
    for side, own in requests.items():
        if ("all", "") in got:
            check(got["all", ""], side, own)


def check(row: Event, side: str, group: list[Event]) -> None:
    """Compare one side of a row with the requests that it stands for."""
    durations = [
        one["duration_ms"]
        for one in group
        if one["duration_ms"] and not is_error(one) and one["status_code"] != 429
    ]
    assert row[f"{side}_requests"] == len(group)
    assert row[f"{side}_errors"] == sum(map(is_error, group))
    assert row[f"{side}_limited"] == sum(one["status_code"] == 429 for one in group)
    assert row[f"{side}_timed"] == len(durations)
    logs = [log(one) for one in durations]
    assert row[f"{side}_log_sum"] == pytest.approx(sum(logs), abs=1e-3)
    assert row[f"{side}_square_sum"] == pytest.approx(sum(one * one for one in logs), abs=1e-2)
    median = percentile(durations, Fraction(1, 2)) if durations else None
    assert row[f"{side}_p50_ms"] == pytest.approx(median)
