"""Rates of what comes in, compared with counting by hand."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from logkit_analysis.live.rates import SLOT_S, WINDOW_S, Rates

_TYPES = {
    "level": pa.string(),
    "status_code": pa.int32(),
    "duration_ms": pa.float64(),
    "endpoint": pa.string(),
    "command": pa.string(),
}
_ROWS = st.fixed_dictionaries(
    {},
    optional={
        "level": st.sampled_from(["info", "warning", "error", "critical", None]),
        "status_code": st.sampled_from([200, 399, 400, 429, 500, None]),
        "duration_ms": st.none() | st.floats(0, 1e6),
        "endpoint": st.sampled_from(["/a", None]),
        "command": st.sampled_from(["ask", None]),
    },
)


@dataclass(frozen=True, slots=True)
class Piece:
    """Rows that come at once, so many seconds after those before."""

    rows: list[dict[str, Any]]
    rejects: int
    after_s: float


_PIECES = st.lists(
    st.builds(
        Piece, st.lists(_ROWS, max_size=5), st.integers(0, 2), st.sampled_from([0.0, 0.4, 3.1, 17])
    ),
    max_size=12,
)


def table(rows: list[dict[str, Any]]) -> pa.Table:
    """Return *rows* with the columns that occur, as the parser gives them."""
    names = [name for name in _TYPES if any(name in row for row in rows)]
    empty = {"source_offset": pa.array(range(len(rows)))}
    return pa.table(
        empty | {name: pa.array([row.get(name) for row in rows], _TYPES[name]) for name in names}
    )


def is_request(row: dict[str, Any]) -> bool:
    """Return whether *row* is a request, by the words of the definition."""
    has_name = row.get("endpoint") is not None or row.get("command") is not None
    return row.get("status_code") is not None or (row.get("duration_ms") is not None and has_name)


def is_error(row: dict[str, Any]) -> bool:
    """Return whether the request *row* failed."""
    status = row.get("status_code")
    if status is None:
        return row.get("level") in ("error", "critical")
    return bool(status >= 400 and status != 429)


@settings(deadline=None)
@given(_PIECES)
def test_the_status_is_what_a_recount_gives(pieces: list[Piece]) -> None:
    """What is counted of the last minute, and its percentiles, agree with plain Python."""
    now = 1000.0
    rates, came = Rates(now), []
    for piece in pieces:
        now += piece.after_s
        rates.add(table(piece.rows), now, rejects=piece.rejects)
        came.append((now, piece))
    first_slot = int(now // SLOT_S) + 1 - WINDOW_S // SLOT_S
    lately = [(at, piece) for at, piece in came if at // SLOT_S >= first_slot]
    rows = [row for _, piece in lately for row in piece.rows]
    requests = [row for row in rows if is_request(row)]
    status = rates.status(now)
    assert status.requests == len(requests)
    assert status.errors == sum(map(is_error, requests))
    assert status.error_ratio == (status.errors / len(requests) if requests else None)
    assert status.rate_limited == sum(row.get("status_code") == 429 for row in rows)
    assert status.rejects == sum(piece.rejects for _, piece in lately)
    assert len(status.p95_ms) == WINDOW_S // SLOT_S
    for number, found in enumerate(status.p95_ms, first_slot):
        durations = [
            row["duration_ms"]
            for at, piece in lately
            if at // SLOT_S == number
            for row in piece.rows
            if is_request(row) and row.get("duration_ms") is not None
        ]
        assert found == (pytest.approx(percentile(durations)) if durations else None)


def percentile(values: list[float]) -> float:
    """Return the 95th percentile, interpolated between neighbours."""
    if len(values) == 1:
        return values[0]
    return statistics.quantiles(values, n=100, method="inclusive")[94]


def test_the_rate_is_that_of_the_last_seconds() -> None:
    """A steady stream shows its rate; silence brings it down to nothing within two slots."""
    rates = Rates(0.0)
    for tick in range(200):
        rates.add(table([{}] * 9), tick / 10, rejects=1)
    assert rates.status(20.0).lines_per_s == pytest.approx(100, rel=0.1)
    assert rates.status(20.0 + 2 * SLOT_S).lines_per_s == 0.0


def test_memory_has_a_bound_and_the_percentile_holds() -> None:
    """A flood of a million durations keeps few of them; their percentile hardly moves."""
    rates = Rates(0.0)
    flood = pa.table({"status_code": pa.repeat(200, 50_000), "duration_ms": range(50_000)})
    for _ in range(20):
        rates.add(flood, 1.0)
    status = rates.status(1.0)
    assert status.requests == 1_000_000
    assert status.last_p95_ms == pytest.approx(47_500, rel=0.02)
