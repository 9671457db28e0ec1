"""What degradation_start promises for any log: it depends on nothing but what happened."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from tests.analysis.detect.conftest import START, Calls, found_in

FIGURES = ("baseline", "degraded")


@pytest.fixture(scope="module")
def events() -> pa.Table:
    """Return two hours of calls of which one endpoint is five times as slow for half an hour."""
    calls = Calls(seed=4)
    calls.add("/a", 120, per_minute=20, median_ms=lambda m: 500 if 60 <= m < 90 else 100)
    calls.add("/b", 120, per_minute=10, median_ms=lambda _: 50)
    return calls.table()


@pytest.fixture(scope="module")
def found(events: pa.Table) -> dict[str, Any]:
    """Return the one degradation in them."""
    (row,) = found_in(events)
    return row


def replaced(events: pa.Table, name: str, values: Any) -> pa.Table:
    """Return *events* with other values in a column."""
    return events.set_column(events.column_names.index(name), name, values)


def test_evidence_says_how_sure_it_is(found: dict[str, Any]) -> None:
    """A row has what was counted before and during it, the ratio, and calls to look at."""
    evidence = found["evidence"]
    assert '"samples_before": 1' in evidence
    assert '"correlation_ids": ["c' in evidence
    assert found["score"] > 5


def test_a_shift_of_all_times_shifts_the_findings(events: pa.Table, found: dict[str, Any]) -> None:
    """Hours later the same log has the same degradation, hours later."""
    hours = timedelta(hours=7)
    moved = pc.add(events["timestamp"], pa.scalar(hours, pa.duration("us")))
    (row,) = found_in(replaced(events, "timestamp", moved))
    assert row["started_at"] - found["started_at"] == hours
    assert row["ended_at"] - found["ended_at"] == hours


def test_twice_as_slow_throughout_is_the_same_degradation(
    events: pa.Table, found: dict[str, Any]
) -> None:
    """Levels scale with the durations; the moment stays, but for the calls' earlier starts."""
    (row,) = found_in(replaced(events, "duration_ms", pc.multiply(events["duration_ms"], 2.0)))
    assert [row[name] for name in FIGURES] == pytest.approx(
        [2 * found[name] for name in FIGURES], rel=0.1
    )
    assert abs(row["started_at"] - found["started_at"]) < timedelta(seconds=15)


def test_the_order_of_lines_does_not_matter(events: pa.Table, found: dict[str, Any]) -> None:
    """Lines that come out of order give the same row."""
    order = np.random.default_rng(1).permutation(len(events))
    (row,) = found_in(events.take(pa.array(order)))
    same = [name for name in found if name not in (*FIGURES, "score", "evidence")]
    assert [row[name] for name in same] == [found[name] for name in same]
    assert [row[name] for name in FIGURES] == pytest.approx([found[name] for name in FIGURES])


def test_refusals_for_pace_are_no_errors() -> None:
    """A storm of 429s in quick answers is neither slowness nor failure."""
    calls = Calls(seed=5)
    calls.add("/a", 120, per_minute=20, median_ms=lambda _: 100)
    table = calls.table()
    storm = pc.and_(
        pc.greater(table["timestamp"], pa.scalar(START + timedelta(minutes=60))),
        pc.equal(pc.bit_wise_and(pc.cast(table["duration_ms"], pa.int64(), safe=False), 1), 1),
    )
    status = pc.if_else(storm, pa.scalar(429), table["status_code"])
    assert found_in(replaced(table, "status_code", status)) == []


@pytest.mark.parametrize("value", [0.0, 120.0], ids="{:g}_ms".format)
def test_a_constant_tells_nothing(events: pa.Table, value: float) -> None:
    """Durations that never differ have no degradation."""
    durations = pa.repeat(value, len(events))
    assert found_in(replaced(events, "duration_ms", durations)) == []


@pytest.mark.parametrize("rows", [1, 2, 12], ids="{}_rows".format)
def test_a_few_lines_tell_nothing(events: pa.Table, rows: int) -> None:
    """A log that has hardly begun is no degradation and no failure."""
    assert found_in(events.slice(0, rows)) == []
