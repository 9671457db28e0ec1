"""A waterfall nests steps by their spans and marks the time of which no step tells."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from logkit_analysis.detect.waterfall import waterfall

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


def step(start_ms: float, duration_ms: float | None, **fields: Any) -> dict[str, Any]:
    """Return a row of the query `trace`."""
    started_at = NOON + timedelta(milliseconds=start_ms)
    empty = {"span_id": None, "parent_span_id": None, "queue_wait_ms": None}
    return {
        "started_at": started_at,
        "ended_at": started_at + timedelta(milliseconds=duration_ms or 0),
        "duration_ms": duration_ms,
        **empty,
        **fields,
    }


def gaps(*rows: dict[str, Any]) -> list[float]:
    """Return the gap before each step."""
    return [one.gap_before_ms for one in waterfall(rows)]


def test_time_between_steps_is_a_gap() -> None:
    """Steps that touch or overlap leave none, and a tiny one is not worth a line."""
    assert gaps(step(0, 100), step(100, 50), step(120, 100), step(300, 100)) == [0, 0, 0, 80]
    assert gaps(step(0, 100), step(101, 100)) == [0, 0]
    assert gaps(step(0, None), step(500, 100)) == [0, 500]


def test_a_step_around_others_does_not_hide_their_gaps() -> None:
    """The command's own row covers all of its calls, and still the pause between them shows."""
    assert gaps(step(0, 1000), step(10, 90), step(700, 300)) == [0, 0, 600]


def test_a_gap_that_a_queue_explains_says_so() -> None:
    """Some step tells that it waited for about as long."""
    slow = step(5000, 100, queue_wait_ms=4900.0)
    assert waterfall([step(0, 100), slow])[1].is_queued
    assert not waterfall([step(0, 100), slow | {"queue_wait_ms": 100.0}])[1].is_queued


def test_depth_follows_the_spans() -> None:
    """A step is nested under its parent, also one that is missing or points to itself."""
    rows = [
        step(0, 10, span_id="a", parent_span_id=None),
        step(1, 2, span_id="b", parent_span_id="a"),
        step(2, 1, span_id="c", parent_span_id="b"),
        step(3, 1, span_id="d", parent_span_id="lost"),
    ]
    assert [one.depth for one in waterfall(rows)] == [0, 1, 2, 0]
    assert waterfall([step(0, 1, span_id="x", parent_span_id="x")])[0].depth > 0
    assert waterfall([]) == []
