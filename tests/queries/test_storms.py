"""rate_limit_storms against the published rule, written out in Python."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from logkit_analysis.time_window import Window

Event = dict[str, Any]
START = datetime(2026, 1, 31, 9, tzinfo=UTC)
WHOLE = Window(START - timedelta(hours=1), START + timedelta(hours=2))
GAP = timedelta(seconds=120)


def random_calls(seed: int, count: int) -> list[Event]:
    """Return calls drawn from few values: ends, starts, waits and gaps often coincide."""
    rng = random.Random(seed)
    rows: list[Event] = []
    at = START
    for _ in range(count):
        at += timedelta(seconds=rng.choice([0, 0, 0.5, 0.5, 0.5, 1, 2, 119.5, 120, 120.5]))
        rows.append(
            {
                "timestamp": at,
                "service": rng.choice(["bot"] * 7 + [None]),
                "endpoint": rng.choice(["/a"] * 6 + ["/b", None]),
                "status_code": rng.choice([429, 429, 429, 200, None]),
                "duration_ms": rng.choice([None, 0.0, 500.0, 1000.0]),
                "attempt": rng.choice([None, 0, 1, 2]),
                "retry_after_ms": rng.choice([None, 0, 500, 1000, 1000, 60_000]),
                "rate_limit_scope": rng.choice([None] * 6 + ["user", "global"]),
                "rate_limit_bucket": rng.choice([None] * 6 + ["bucket", "/a"]),
                "correlation_id": rng.choice(["c1", "c2", "c3", None]),
            }
        )
    return rows


def scope_of(row: Event) -> tuple[str, Any]:
    """Return the kind and the name of what a 429 binds."""
    if row["rate_limit_scope"] == "global":
        return "global", None
    if row["rate_limit_bucket"] is not None:
        return "bucket", row["rate_limit_bucket"]
    return "endpoint", row["endpoint"]


def binds(scope: tuple[str, Any], row: Event) -> bool:
    """Return whether a scope covers a request."""
    kind, name = scope
    if kind == "global":
        return True
    return bool(row["rate_limit_bucket" if kind == "bucket" else "endpoint"] == name)


def begun_at(row: Event) -> datetime:
    """Return the start of a request."""
    ended_at: datetime = row["timestamp"]
    return ended_at - timedelta(milliseconds=row["duration_ms"] or 0)


def is_request(row: Event) -> bool:
    """Return whether a row is a request."""
    has_duration = row["duration_ms"] is not None
    return row["status_code"] is not None or (has_duration and row["endpoint"] is not None)


def storms_of(rows: list[Event], window: Window) -> list[tuple[Any, ...]]:
    """Return the storms by the rule."""
    known = [row for row in rows if row["timestamp"] < window.until]
    groups: dict[Any, list[Event]] = defaultdict(list)
    for row in sorted(known, key=lambda one: one["timestamp"]):
        if row["status_code"] == 429:
            groups[row["service"], scope_of(row)].append(row)
    found = []
    for (service, scope), group in groups.items():
        runs = [[group[0]]]
        for row in group[1:]:
            if row["timestamp"] - runs[-1][-1]["timestamp"] > GAP:
                runs.append([])
            runs[-1].append(row)
        own = [r for r in known if r["service"] == service and is_request(r) and binds(scope, r)]
        found += [
            storm_of(service, scope, run, own)
            for run in runs
            if len(run) >= 5 and run[-1]["timestamp"] >= window.since
        ]
    return found


def storm_of(
    service: str | None, scope: tuple[str, Any], run: list[Event], own: list[Event]
) -> tuple[Any, ...]:
    """Return one storm as the query shows it."""
    first, last = run[0]["timestamp"], run[-1]["timestamp"]
    waits = [
        (r["timestamp"], r["timestamp"] + timedelta(milliseconds=r["retry_after_ms"]))
        for r in run
        if r["retry_after_ms"] is not None
    ]
    ignored = sum(any(a < begun_at(r) < b for a, b in waits) for r in own)
    during = [r for r in own if first <= r["timestamp"] <= last]
    firsts = sum(not r["attempt"] for r in during)
    endpoints = {r["endpoint"] for r in run}
    endpoint = endpoints.pop() if len(endpoints) == 1 else None
    name = "global" if scope[0] == "global" else scope[1]
    ratio = len(during) / firsts if firsts else None
    buckets = {r["rate_limit_bucket"] for r in run}
    bucket = buckets.pop() if len(buckets) == 1 else None
    delays = delays_of(run, own)
    return (
        *(service, name, endpoint, bucket, first, last, len(run), ignored, ratio),
        *(len(delays), sum(delays) / len(delays) / 1e3 if delays else None),
        max(delays) / 1e3 if delays else None,
    )


def delays_of(run: list[Event], own: list[Event]) -> list[float]:
    """Return by how many microseconds a storm delayed each action."""
    delays = []
    for action in {r["correlation_id"] for r in run} - {None}:
        refused = [r["timestamp"] for r in run if r["correlation_id"] == action]
        answers = [
            r["timestamp"]
            for r in own
            if r["correlation_id"] == action
            and r["status_code"] != 429
            and r["timestamp"] > refused[0]
        ]
        end = min(answers) if answers else refused[-1]
        delays.append((end - refused[0]) / timedelta(microseconds=1))
    return delays


@settings(
    max_examples=75,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(seed=st.integers(0, 2**32), count=st.integers(5, 70))
def test_storms_follow_the_rule(store: Any, seed: int, count: int) -> None:
    """Storms, ignored waits and amplification are exact, for any window and any NULL."""
    rows = random_calls(seed, count)
    store.fill(rows)
    bounds = [rows[seed % count]["timestamp"], rows[seed // count % count]["timestamp"]]
    columns = (
        *("service", "scope", "endpoint", "bucket", "started_at", "ended_at", "hits"),
        *("ignored_retry_after", "retry_amplification"),
        *("delayed_actions", "mean_delay_ms", "worst_delay_ms"),
    )
    at_ends = [Window(storm[5], WHOLE.until) for storm in storms_of(rows, WHOLE)[:2]]
    for window in (WHOLE, Window(min(bounds), max(bounds)), *at_ends):
        found = [
            tuple(row[name] for name in columns) for row in store.run("rate_limit_storms", window)
        ]
        assert sorted(found, key=repr) == sorted(storms_of(rows, window), key=repr)


def calls(*seconds: float, **fields: Any) -> list[Event]:
    """Return 429s at these seconds."""
    common = {"service": "bot", "endpoint": "/a", "status_code": 429, **fields}
    return [{"timestamp": START + timedelta(seconds=second), **common} for second in seconds]


@pytest.mark.parametrize(
    ("rows", "hits"),
    [
        pytest.param(calls(0, 120, 240, 360, 480), [5], id="gaps_of_120_s_hold_together"),
        pytest.param(calls(0, 1, 2, 3, 123.000001), [], id="a_longer_gap_parts"),
        pytest.param(calls(0, 0, 0, 0, 0), [5], id="five_at_one_instant"),
        pytest.param(calls(0, 1, 2, 3), [], id="four_are_none"),
        pytest.param(calls(*range(5), *range(200, 206)), [5, 6], id="two_storms"),
        pytest.param(
            [*calls(0, 1, 2), *calls(3, 4, rate_limit_scope="global")], [], id="scopes_apart"
        ),
        pytest.param(
            [
                *calls(*range(3), rate_limit_scope="global", rate_limit_bucket="b"),
                *calls(3, 4, rate_limit_scope="global", endpoint="/b"),
            ],
            [5],
            id="global_before_bucket_and_endpoint",
        ),
        pytest.param(
            [
                *calls(*range(3), rate_limit_bucket="b"),
                *calls(3, 4, rate_limit_bucket="b", endpoint="/b"),
            ],
            [5],
            id="bucket_before_endpoint",
        ),
        pytest.param([*calls(*range(3)), *calls(3, 4, service="worker")], [], id="services_apart"),
    ],
)
def test_edges_of_a_storm(store: Any, rows: list[Event], hits: list[int]) -> None:
    """Five 429s of one scope without a gap over 120 s, to the microsecond."""
    store.fill(rows)
    assert [row["hits"] for row in store.run("rate_limit_storms", WHOLE)] == hits


@pytest.mark.parametrize(
    ("begun_s", "ignored"),
    [
        pytest.param(4, 0, id="at_the_refusal"),
        pytest.param(4.000001, 1, id="just_after"),
        pytest.param(13.999999, 1, id="just_before_the_wait_is_over"),
        pytest.param(14, 0, id="when_it_is_over"),
    ],
)
def test_a_wait_is_ignored_strictly_inside(store: Any, begun_s: float, ignored: int) -> None:
    """A call that starts together with a 429, or when its wait ends, ignores nothing."""
    refused = calls(0, 1, 2, 3, 4)
    refused[-1]["retry_after_ms"] = 10_000
    later = {"status_code": 200, "duration_ms": 500.0}
    store.fill([*refused, *calls(begun_s + 0.5, **later)])
    (storm,) = store.run("rate_limit_storms", WHOLE)
    assert storm["ignored_retry_after"] == ignored
