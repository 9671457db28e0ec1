"""Each query against a slow and obvious computation in Python, on random events."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from logkit_analysis.time_window import Window

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Event = dict[str, Any]
START = datetime(2026, 1, 31, 9, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TICK = timedelta(microseconds=1)

on_random_events = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def random_events(seed: int, count: int) -> list[Event]:
    """Return events drawn from few values, so that groups, ties and edges are common."""
    rng = random.Random(seed)
    seconds = [20 * rng.randrange(30) for _ in range(6)]
    return [_random_event(rng, seconds) for _ in range(count)]


def _random_event(rng: random.Random, seconds: list[int]) -> Event:
    at = rng.choice([*seconds, rng.randrange(600), rng.uniform(0, 600)])
    microseconds = round(at * 1_000_000)
    return {
        "timestamp": rng.choice([START + timedelta(microseconds=microseconds)] * 9 + [None]),
        "level": rng.choice(["debug", "info", "warning", "error", "critical", None]),
        "service": rng.choice(["bot", "worker", "", None]),
        "event": rng.choice(["api_call", "command_handled"]),
        "message": rng.choice(["hello", None]),
        "correlation_id": rng.choice(["c1", "c2", "c3", None]),
        "instance": rng.choice(["i1", "i2", None]),
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
    }


events = st.builds(random_events, st.integers(0, 2**32), st.integers(0, 60))
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


def percentile(values: list[float], share: Fraction) -> float:
    """Return the percentile, interpolated between its neighbours."""
    ordered = sorted(map(Fraction, values))
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return float(ordered[low] + (ordered[high] - ordered[low]) * (place - low))


@on_random_events
@given(rows=events, window=windows, seconds=st.sampled_from([60, 7, 3600]))
def test_error_rate(store: Any, rows: list[Event], window: Window, seconds: int) -> None:
    """Requests, errors, server errors and 429s of each bucket and service are exact."""
    store.fill(rows)
    groups = grouped(inside(rows, window), lambda row: (bucket(row, seconds), row["service"]))
    expected = []
    for at, service in sorted(groups, key=lambda key: nulls_last(*key)):
        group = groups[at, service]
        requests, errors = sum(map(is_request, group)), sum(map(is_error, group))
        statuses = [row["status_code"] or 0 for row in group]
        expected.append(
            {
                "bucket_at": at,
                "service": service,
                "requests": requests,
                "errors": errors,
                "server_errors": sum(status >= 500 for status in statuses),
                "rate_limited": statuses.count(429),
                "error_ratio": errors / requests if requests else None,
            }
        )
    assert store.run("error_rate", window, bucket_seconds=str(seconds)) == expected


@on_random_events
@given(rows=events, window=windows)
def test_latency_percentiles(store: Any, rows: list[Event], window: Window) -> None:
    """Percentiles interpolate over all timed requests, failures and 429s included."""
    store.fill(rows)
    timed = [
        row for row in inside(rows, window) if is_request(row) and row["duration_ms"] is not None
    ]
    groups = grouped(timed, lambda row: (row["service"], row["method"], row["endpoint"]))
    found = {
        (row["service"], row["method"], row["endpoint"]): row
        for row in store.run("latency_percentiles", window)
    }
    assert found.keys() == groups.keys()
    for key, group in groups.items():
        values = [row["duration_ms"] for row in group]
        assert found[key]["requests"] == len(values)
        assert found[key]["max_ms"] == max(values)
        for name, share in (("p50_ms", 50), ("p95_ms", 95), ("p99_ms", 99)):
            exact = percentile(values, Fraction(share, 100))
            assert found[key][name] == pytest.approx(exact, rel=1e-9, abs=1e-9)


@on_random_events
@given(rows=events, window=windows)
def test_throughput(store: Any, rows: list[Event], window: Window) -> None:
    """Events and requests of each minute and service are exact."""
    store.fill(rows)
    groups = grouped(inside(rows, window), lambda row: (bucket(row, 60), row["service"]))
    assert store.run("throughput", window) == [
        {
            "bucket_at": key[0],
            "service": key[1],
            "events": len(groups[key]),
            "requests": sum(map(is_request, groups[key])),
        }
        for key in sorted(groups, key=lambda key: nulls_last(*key))
    ]


@on_random_events
@given(rows=events, window=windows)
def test_top_errors(store: Any, rows: list[Event], window: Window) -> None:
    """Every failed request, every 429 and every row at level error or critical is in."""
    store.fill(rows)
    failed = [
        row
        for row in inside(rows, window)
        if is_error(row) or row["status_code"] == 429 or row["level"] in ("error", "critical")
    ]
    names = ("service", "event", "endpoint", "status_code", "error_type")
    groups = grouped(failed, lambda row: tuple(row[name] for name in names))
    expected = [
        (
            *key,
            len(group),
            min(row["timestamp"] for row in group),
            max(row["timestamp"] for row in group),
        )
        for key, group in sorted(
            groups.items(), key=lambda item: (-len(item[1]), nulls_last(*item[0]))
        )
    ]
    columns = (*names, "errors", "first_seen_at", "last_seen_at")
    found = store.run("top_errors", window)
    assert [tuple(row[name] for name in columns) for row in found] == expected


@on_random_events
@given(rows=events, window=windows)
def test_feature_usage(store: Any, rows: list[Event], window: Window) -> None:
    """A use is a distinct correlation id; a row without one counts singly."""
    store.fill(rows)
    groups = grouped(
        (row for row in inside(rows, window) if row["command"] is not None),
        lambda row: (row["command"],),
    )
    expected = []
    for (command,), group in groups.items():
        ids = [row["correlation_id"] for row in group]
        uses = len({one for one in ids if one is not None}) + ids.count(None)
        users = len({row["user_id"] for row in group} - {None})
        expected.append({"command": command, "uses": uses, "users": users})
    expected.sort(key=lambda row: (-row["uses"], row["command"]))
    assert store.run("feature_usage", window) == expected


@on_random_events
@given(rows=events, window=windows)
def test_ban_headroom(store: Any, rows: list[Event], window: Window) -> None:
    """Discord's invalid answers of the last ten minutes are counted, shared limits apart."""
    store.fill(rows)
    past = Window(window.until - timedelta(minutes=10), window.until)
    calls = [
        row
        for row in inside(rows, past)
        if row["platform"] == "discord" and row["status_code"] is not None
    ]
    invalid = [
        row
        for row in calls
        if row["status_code"] in (401, 403)
        or (row["status_code"] == 429 and row["rate_limit_scope"] != "shared")
    ]
    found = store.run("ban_headroom", window)
    assert [row["invalid_requests"] for row in found[:1]] == ([len(invalid)] if calls else [])
    by_endpoint = Counter(
        "(none)" if row["endpoint"] is None else row["endpoint"] for row in invalid
    )
    assert {row["endpoint"]: row["invalid_requests"] for row in found[1:]} == by_endpoint


@on_random_events
@given(rows=events, window=windows)
def test_data_quality(store: Any, rows: list[Event], window: Window) -> None:
    """Rows without a time, holes and copies in the numbering are counted exactly."""
    store.fill(rows)
    found = store.run("data_quality", window)

    def counted(check: str) -> dict[tuple[Any, Any], int]:
        return {
            (row["service"], row["instance"]): row["count"]
            for row in found
            if row["check"] == check and (check != "duplicates" or row["instance"] is not None)
        }

    untimed = [row for row in rows if row["timestamp"] is None]
    by_instance = grouped(untimed, lambda row: (row["service"], row["instance"]))
    assert counted("missing_timestamp") == {key: len(group) for key, group in by_instance.items()}
    numbered = grouped(
        (
            row
            for row in inside(rows, window)
            if row["seq"] is not None and row["instance"] is not None
        ),
        lambda row: (row["service"], row["instance"]),
    )
    numbers = {key: [row["seq"] for row in group] for key, group in numbered.items()}
    holes = {key: max(n) - min(n) + 1 - len(set(n)) for key, n in numbers.items()}
    copies = {key: len(n) - len(set(n)) for key, n in numbers.items()}
    assert counted("seq_holes") == {key: n for key, n in holes.items() if n}
    assert counted("duplicates") == {key: n for key, n in copies.items() if n}
