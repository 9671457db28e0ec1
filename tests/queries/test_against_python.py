"""Each query against a slow and obvious computation in Python, on random events."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from logkit_analysis.time_window import Window

from .random_events import (
    Event,
    bucket,
    events,
    grouped,
    inside,
    is_error,
    is_request,
    nulls_last,
    on_random_events,
    percentile,
    windows,
)


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
@given(rows=events, window=windows, seconds=st.sampled_from([60, 7]))
def test_endpoints_over_time(store: Any, rows: list[Event], window: Window, seconds: int) -> None:
    """Counts and percentiles of each bucket, service, method and endpoint are exact."""
    store.fill(rows)
    groups = grouped(
        [row for row in inside(rows, window) if is_request(row)],
        lambda row: (bucket(row, seconds), row["service"], row["method"], row["endpoint"]),
    )
    found = store.run("endpoints_over_time", window, bucket_seconds=str(seconds))
    keys = [(r["bucket_at"], r["service"], r["method"], r["endpoint"]) for r in found]
    assert keys == sorted(groups, key=lambda key: nulls_last(*key))
    for row, key in zip(found, keys, strict=True):
        group = groups[key]
        values = [event["duration_ms"] for event in group if event["duration_ms"] is not None]
        assert row["requests"] == len(group)
        assert row["errors"] == sum(map(is_error, group))
        assert row["rate_limited"] == sum(event["status_code"] == 429 for event in group)
        for name, share in (("p50_ms", 50), ("p95_ms", 95)):
            exact = percentile(values, Fraction(share, 100)) if values else None
            assert row[name] == (exact and pytest.approx(exact, rel=1e-9, abs=1e-9))


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
            "warnings": sum(row["level"] == "warning" for row in groups[key]),
            "errors": sum(row["level"] in ("error", "critical") for row in groups[key]),
        }
        for key in sorted(groups, key=lambda key: nulls_last(*key))
    ]


TEMPLATE = "job * failed"


def random_message(index: int) -> str | None:
    """Return one of many messages of one shape, or none."""
    return None if index % 4 == 0 else f"job {index} failed"


@on_random_events
@given(rows=events, window=windows)
def test_top_errors(store: Any, rows: list[Event], window: Window) -> None:
    """Every failed request, every 429 and every row at level error or critical is in.

    Without an event the shape of the message takes its place.
    """
    for index, row in enumerate(rows):
        row["event"] = row["event"] if index % 3 else None
        row["message"] = random_message(index)
    store.fill(rows)
    failed = [
        row
        for row in inside(rows, window)
        if is_error(row) or row["status_code"] == 429 or row["level"] in ("error", "critical")
    ]
    names = ("service", "event", "endpoint", "status_code", "error_type", "template")
    for row in failed:
        row["template"] = None if row["event"] or not row["message"] else TEMPLATE
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
