"""How a metric went over the window is read from rows by bucket."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from logkit_analysis.detect.courses import CELLS, Courses, Grid
from logkit_analysis.detect.troubles import Trouble

START = datetime(2026, 3, 19, 8, tzinfo=UTC)
DAY = Grid(START, START + timedelta(hours=24))
BUCKET = timedelta(seconds=DAY.bucket_seconds)


def calls(bucket: int, **changed: Any) -> dict[str, Any]:
    """Return a row of `endpoints_over_time`."""
    row = {"bucket_at": START + bucket * BUCKET, "service": "bot", "method": "POST"}
    counts = {"requests": 10, "errors": 0, "rate_limited": 0, "p50_ms": 100.0}
    return {**row, "endpoint": "/send", **counts, **changed}


def trouble(kind: str, subject: str | None) -> Trouble:
    """Return a trouble of the bot."""
    return Trouble(kind, "bot", subject, START, None, "", "us", "")


def course(kind: str, subject: str | None, *rows: dict[str, Any]) -> list[float | None]:
    """Return the first values of a course."""
    queues = [row for row in rows if "queue" in row]
    resources = [row for row in rows if "rss_bytes" in row]
    asked = [row for row in rows if "endpoint" in row]
    return list(Courses(DAY, asked, queues, resources).of(trouble(kind, subject)))[:3]


@pytest.mark.parametrize(
    ("kind", "subject", "expected"),
    [
        pytest.param("latency", "POST /send", [900, None, 100], id="a-method-of-a-route"),
        pytest.param("latency", "/send", [900, None, 100], id="a-route"),
        pytest.param("latency", None, [500, None, 100], id="a-service-by-its-requests"),
        pytest.param("error_ratio", "/send", [0.5, None, 0], id="failures"),
        pytest.param("rate_limit_storm", "/send", [3, None, 0], id="refusals"),
        pytest.param("rate_limit_storm", "global", [7, None, 0], id="refusals-of-all-routes"),
    ],
)
def test_calls_of_what_the_trouble_is_about(
    kind: str, subject: str | None, expected: list[float | None]
) -> None:
    """The greatest bucket of a cell counts, a cell without calls is no zero, others stay out."""
    rows = (
        calls(0, p50_ms=50.0),
        calls(1, p50_ms=900.0, errors=5, rate_limited=3),
        calls(1, p50_ms=100.0, endpoint="/get", rate_limited=4),
        calls(1, p50_ms=1e6, service="worker"),
        calls(9),
    )
    assert course(kind, subject, *rows) == expected


def test_queues_and_processes() -> None:
    """A queue by its name, a process by the metric, each by its greatest value."""
    queue = {"bucket_at": START, "service": "bot", "queue": "commands", "max_depth": 7}
    process = {"bucket_at": START, "service": "bot", "rss_bytes": 5, "cpu_percent": 1.5}
    rows = (queue, {**queue, "queue": "x", "max_depth": 9}, process, {**process, "rss_bytes": 8})
    assert course("queue_depth", "commands", *rows) == [7, None, None]
    assert course("memory", "rss_bytes", *rows) == [8, None, None]
    assert course("cpu_percent", None, *rows) == [1.5, None, None]


@given(st.integers(0, 10**12), st.integers(1, 10**13))
def test_every_instant_of_a_window_has_a_cell(shift: int, length: int) -> None:
    """Any window has few cells, and its first and last bucket lie in the first and last of them."""
    since = START + timedelta(microseconds=shift)
    grid = Grid(since, since + timedelta(microseconds=length))
    assert 1 <= grid.count <= CELLS + 1
    assert grid.cell(grid.start) == grid.cell(since) == 0
    assert grid.cell(grid.until - timedelta(microseconds=1)) == grid.count - 1
