"""Random events, and the rules of the queries written out in Python."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from logkit_analysis.time_window import Window

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

Event = dict[str, Any]
START = datetime(2026, 1, 31, 9, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TICK = timedelta(microseconds=1)

on_random_events = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


class RandomEvents(list[Event]):
    """Events drawn from few values, so that groups, ties and edges are common."""

    def __init__(self, seed: int, count: int) -> None:
        rng = random.Random(seed)
        seconds = [20 * rng.randrange(30) for _ in range(6)]
        super().__init__(_random_event(rng, seconds) for _ in range(count))
        self._name = f"RandomEvents({seed}, {count})"

    def __repr__(self) -> str:
        """Say how to make them again; the events themselves would fill pages."""
        return self._name


def _random_event(rng: random.Random, seconds: list[int]) -> Event:
    at = rng.choice([*seconds, rng.randrange(600), rng.uniform(0, 600)])
    microseconds = round(at * 1_000_000)
    return {
        "timestamp": rng.choice([START + timedelta(microseconds=microseconds)] * 9 + [None]),
        "level": rng.choice(["debug", "info", "warning", "error", "critical", None]),
        "service": rng.choice(["bot", "worker", "", None]),
        "event": rng.choice(
            [
                "api_call",
                "heartbeat_acked",
                "service_stopped",
                "request_handled",
                "request_finished",
            ]
        ),
        "message": rng.choice(["hello", None]),
        "correlation_id": rng.choice(["c1", "c2", "c3", None]),
        "instance": rng.choice(["i1", "i2", "i3", "i4", "i5", None]),
        "seq": rng.choice([*range(13), None]),
        "endpoint": rng.choice(["/a", "/b", "", None]),
        "method": rng.choice(["GET", "POST", None]),
        "status_code": rng.choice([None, None, 200, 399, 400, 401, 403, 428, 429, 430, 499, 500]),
        "duration_ms": rng.choice([None, float(rng.randrange(9)), rng.uniform(0, 1e5)]),
        "attempt": rng.choice([None, 0, 1, 2]),
        "command": rng.choice(["ping", "ask", None]),
        "user_id": rng.choice(["u1", "u2", None]),
        "platform": rng.choice(["discord", "discord", "telegram", None]),
        "rate_limit_scope": rng.choice(["user", "global", "shared", None]),
        "error_type": rng.choice(["timeout", None]),
        "loop_lag_ms": rng.choice([None, None, 2.0, rng.uniform(0, 1e3)]),
        "host": rng.choice(["h1", "h1", "h2", None]),
        "version": rng.choice(["1.0", "1.1", None]),
        "guild_id": rng.choice(["g1", "g2", None]),
        "chat_id": rng.choice(["t1", "t2", None, None]),
        "queue": rng.choice(["q1", None]),
        "queue_depth": rng.choice([None, None, 0, 3, 9]),
        "queue_limit": rng.choice([None, 9, 10]),
        "queue_wait_ms": rng.choice([None, None, 5.0, rng.uniform(0, 1e4)]),
        "provider": rng.choice(["openai", None]),
        "model": rng.choice(["gpt", "claude", None, None]),
        "input_tokens": rng.choice([None, None, 0, 10]),
        "output_tokens": rng.choice([None, None, 1, 7]),
        "ttft_ms": rng.choice([None, None, 3.0, rng.uniform(0, 1e4)]),
        "cost_usd": rng.choice([None, None, 0.25]),
        "pid": rng.choice([7, None]),
        "rss_bytes": rng.choice([None, None, 10**8, rng.randrange(10**9)]),
        "rss_limit_bytes": rng.choice([None, 10**9]),
        "gpu_memory_bytes": rng.choice([None, None, 10**8, rng.randrange(10**9)]),
        "gpu_memory_limit_bytes": rng.choice([None, 10**9]),
        "cpu_percent": rng.choice([None, None, 50.0, rng.uniform(0, 100)]),
        "open_connections": rng.choice([None, None, 0, 9]),
        "open_fds": rng.choice([None, None, 30]),
        "threads": rng.choice([None, None, 4, 5]),
        "retry_after_ms": rng.choice([None, 0, 5000]),
        "rate_limit_bucket": rng.choice([None, "b"]),
        "rate_limit_unit": rng.choice([None, "requests", "tokens"]),
        "rate_limit_kind": rng.choice([None, "rate_limited", "quota_exhausted"]),
        "rate_limit_limit": rng.choice([None, 0, 10]),
        "rate_limit_remaining": rng.choice([None, 0, 3, 10]),
        "rate_limit_reset_after_ms": rng.choice([None, 0, 60_000]),
        "finish_reason": rng.choice(["stop", "length", None]),
    }


events = st.builds(RandomEvents, st.integers(0, 2**32), st.integers(0, 60))
windows = st.one_of(
    st.just(Window(START - TICK, START + timedelta(hours=1))),
    st.tuples(st.integers(0, 30), st.integers(0, 30)).map(
        lambda pair: Window(
            START + timedelta(seconds=20 * min(pair)), START + timedelta(seconds=20 * max(pair))
        )
    ),
)


def inside(rows: Iterable[Event], window: Window) -> list[Event]:
    """Return the rows of a half-open window."""
    return [
        row
        for row in rows
        if row["timestamp"] is not None and window.since <= row["timestamp"] < window.until
    ]


def is_request(row: Event) -> bool:
    """Return whether a row is a request."""
    if row["status_code"] is not None:
        return True
    has_place = row["endpoint"] is not None or row["command"] is not None
    return row["duration_ms"] is not None and has_place


def is_error(row: Event) -> bool:
    """Return whether a row is a failed request."""
    if not is_request(row):
        return False
    if row["status_code"] is None:
        return row["level"] in ("error", "critical")
    return bool(row["status_code"] >= 400 and row["status_code"] != 429)


def bucket(row: Event, seconds: int) -> datetime:
    """Return the start of the bucket of a row, counted from 1970."""
    passed: int = (row["timestamp"] - EPOCH) // timedelta(seconds=seconds)
    return EPOCH + passed * timedelta(seconds=seconds)


def nulls_last(*values: Any) -> tuple[Any, ...]:
    """Return a key that sorts ``None`` behind everything."""
    return tuple((value is None, value if value is not None else 0) for value in values)


def grouped(
    rows: Iterable[Event], key: Callable[[Event], tuple[Any, ...]]
) -> dict[tuple[Any, ...], list[Event]]:
    """Return the rows by key."""
    groups: dict[tuple[Any, ...], list[Event]] = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return groups


def replacements(rows: Iterable[Event]) -> list[tuple[list[Event], list[Event]]]:
    """Return the runs of one place that took over from one that had ended, with that one.

    Who ended first is replaced first; a run of one row has ended once it has begun.
    """
    points = []
    for (instance,), run in grouped(rows, lambda row: (row["instance"],)).items():
        if instance is not None:
            first, last = (pick(row["timestamp"] for row in run) for pick in (min, max))
            points += [(first, 1, instance, run), (last, 0 if first < last else 2, instance, run)]
    waiting, found = [], []
    for _, rank, _, run in sorted(points, key=lambda point: point[:3]):
        if rank != 1:
            waiting.append(run)
        elif waiting:
            found.append((waiting.pop(0), run))
    return found


def percentile(values: list[float], share: Fraction) -> float:
    """Return the percentile, interpolated between its neighbours."""
    ordered = sorted(map(Fraction, values))
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return float(ordered[low] + (ordered[high] - ordered[low]) * (place - low))


def assert_same_rows(found: Sequence[Event], expected: Sequence[Event]) -> None:
    """Compare rows in order; numbers may differ in the last digits."""
    assert len(found) == len(expected)
    for row, other in zip(found, expected, strict=True):
        assert {name: _close(value) for name, value in other.items()} == row


def _close(value: Any) -> Any:
    return pytest.approx(value, rel=1e-9, abs=1e-9) if isinstance(value, int | float) else value
