"""rate_limit_storms against the published rule, written out in Python."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

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
    return service, name, endpoint, first, last, len(run), ignored, ratio


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(seed=st.integers(0, 2**32), count=st.integers(5, 70))
def test_storms_follow_the_rule(store: Any, seed: int, count: int) -> None:
    """Storms, ignored waits and amplification are exact, for any window and any NULL."""
    rows = random_calls(seed, count)
    store.fill(rows)
    bounds = [rows[seed % count]["timestamp"], rows[seed // count % count]["timestamp"]]
    columns = (
        *("service", "scope", "endpoint", "started_at", "ended_at", "hits"),
        *("ignored_retry_after", "retry_amplification"),
    )
    at_ends = [Window(storm[4], WHOLE.until) for storm in storms_of(rows, WHOLE)[:2]]
    for window in (WHOLE, Window(min(bounds), max(bounds)), *at_ends):
        found = [
            tuple(row[name] for name in columns) for row in store.run("rate_limit_storms", window)
        ]
        assert sorted(found, key=repr) == sorted(storms_of(rows, window), key=repr)
