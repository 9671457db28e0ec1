"""The queries about operations against slow and obvious computations, on random events."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from fractions import Fraction
from statistics import linear_regression, median
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from .random_events import (
    EPOCH,
    Event,
    assert_same_rows,
    events,
    grouped,
    inside,
    is_error,
    is_request,
    nulls_last,
    on_random_events,
    percentile,
    replacements,
    windows,
)

if TYPE_CHECKING:
    from datetime import datetime

    from logkit_analysis.time_window import Window

SECOND = timedelta(seconds=1)


def keyed(row: Event, *names: str) -> tuple[Any, ...]:
    """Return the values of some fields."""
    return tuple(row[name] for name in names)


def share_of(values: list[float], percent: int) -> float | None:
    """Return a percentile, or ``None`` of nothing."""
    return percentile(values, Fraction(percent, 100)) if values else None


def known(rows: list[Event], name: str) -> list[Any]:
    """Return the values of a field that are there."""
    return [row[name] for row in rows if row[name] is not None]


def looks_failed(row: Event) -> bool:
    """Return whether status, or else level, tells of a failure."""
    if row["status_code"] is None:
        return row["level"] in ("error", "critical")
    return bool(row["status_code"] >= 400 and row["status_code"] != 429)


def is_refused(row: Event) -> bool:
    """Return whether a call failed or met a 429."""
    return row["status_code"] == 429 or looks_failed(row)


@on_random_events
@given(rows=events, window=windows)
def test_retries(store: Any, rows: list[Event], window: Window) -> None:
    """Retries, what they amplify, and what they cost are exact for each endpoint and command."""
    store.fill(rows)
    names = ("service", "endpoint", "command")
    calls = [row for row in inside(rows, window) if is_request(row)]
    expected = []
    for key, group in grouped(calls, lambda row: keyed(row, *names)).items():
        retries = [row for row in group if row["attempt"]]
        firsts = len(group) - len(retries)
        if retries:
            expected.append(
                {
                    **dict(zip(names, key, strict=True)),
                    "requests": len(group),
                    "first_attempts": firsts,
                    "retries": len(retries),
                    "retry_amplification": len(group) / firsts if firsts else None,
                    "most_attempts": max(row["attempt"] for row in retries) + 1,
                    "failed_retries": sum(map(is_refused, retries)),
                    "retry_ms": sum(known(retries, "duration_ms")),
                }
            )
    expected.sort(key=lambda row: (-row["retries"], nulls_last(*keyed(row, *names))))
    assert_same_rows(store.run("retries", window), expected)


@on_random_events
@given(rows=events, window=windows)
def test_slow_commands(store: Any, rows: list[Event], window: Window) -> None:
    """Commands are timed by their own rows; the slowest endpoint takes most of that time."""
    store.fill(rows)
    timed = [
        row
        for row in inside(rows, window)
        if row["command"] is not None and row["duration_ms"] is not None
    ]
    found = {keyed(row, "service", "command"): row for row in store.run("slow_commands", window)}
    runs = grouped(
        (row for row in timed if row["endpoint"] is None and row["status_code"] is None),
        lambda row: keyed(row, "service", "command"),
    )
    assert found.keys() == runs.keys()
    for (service, command), group in runs.items():
        row = found[service, command]
        durations = known(group, "duration_ms")
        assert (row["runs"], row["max_ms"]) == (len(group), max(durations))
        assert row["failed_runs"] == sum(looks_failed(one) for one in group)
        spent: dict[str, float] = defaultdict(float)
        for call in timed:
            if (
                keyed(call, "service", "command") == (service, command)
                and call["endpoint"] is not None
            ):
                spent[call["endpoint"]] += call["duration_ms"]
        most = max(spent.values(), default=None)
        percentiles = {f"p{n}_ms": share_of(durations, n) for n in (50, 95, 99)}
        share = most / sum(durations) if most is not None and sum(durations) else None
        assert_same_rows(
            [{name: row[name] for name in (*percentiles, "slowest_endpoint_share")}],
            [{**percentiles, "slowest_endpoint_share": share}],
        )
        assert (row["slowest_endpoint"] is None) == (not spent)


@on_random_events
@given(rows=events, window=windows)
def test_user_impact(store: Any, rows: list[Event], window: Window) -> None:
    """A failure reaches everybody whom some row of its correlation id names."""
    store.fill(rows)
    present = inside(rows, window)
    failures = [row for row in present if is_error(row) or row["level"] in ("error", "critical")]
    ids = {row["correlation_id"] for row in failures} - {None}
    touched = [row for row in present if row in failures or row["correlation_id"] in ids]
    expected: list[dict[str, Any]] = []
    for command in [None, "ask", "ping"]:
        own = [row for row in touched if command in (None, row["command"])]
        failed = [row for row in failures if command in (None, row["command"])]
        users = {row["user_id"] for row in present if command in (None, row["command"])} - {None}
        affected = set(known(own, "user_id"))
        if failed or (command is None and users):
            expected.append(
                {
                    "command": command,
                    "failures": len(failed),
                    "affected_users": len(affected),
                    "users": len(users),
                    "affected_user_ratio": len(affected) / len(users) if users else None,
                    "affected_guilds": len(set(known(own, "guild_id"))),
                    "affected_chats": len(set(known(own, "chat_id"))),
                    "first_failure_at": min((row["timestamp"] for row in failed), default=None),
                    "last_failure_at": max((row["timestamp"] for row in failed), default=None),
                }
            )
    expected[1:] = sorted(
        expected[1:], key=lambda row: (-row["affected_users"], -row["failures"], row["command"])
    )
    assert_same_rows(store.run("user_impact", window), expected)


def llm_calls(rows: list[Event], window: Window) -> list[Event]:
    """Return the rows that tell of an LLM call."""
    marks = ("model", "input_tokens", "output_tokens", "cost_usd", "ttft_ms")
    return [row for row in inside(rows, window) if any(row[mark] is not None for mark in marks)]


@on_random_events
@given(rows=events, window=windows)
def test_token_usage(store: Any, rows: list[Event], window: Window) -> None:
    """Tokens and costs add up for each model and command."""
    store.fill(rows)
    names = ("service", "provider", "model", "command")
    expected = []
    for key, group in grouped(llm_calls(rows, window), lambda row: keyed(row, *names)).items():
        costs = known(group, "cost_usd")
        expected.append(
            {
                **dict(zip(names, key, strict=True)),
                "calls": len(group),
                "failed_calls": sum(map(is_refused, group)),
                "cut_answers": sum(row["finish_reason"] == "length" for row in group),
                "input_tokens": sum(known(group, "input_tokens")),
                "output_tokens": sum(known(group, "output_tokens")),
                "priced_calls": len(costs),
                "cost_usd": sum(costs) if costs else None,
                "cost_usd_per_call": sum(costs) / len(costs) if costs else None,
            }
        )
    expected.sort(
        key=lambda row: (
            -row["cost_usd"] if row["cost_usd"] is not None else 1,
            -row["input_tokens"] - row["output_tokens"],
            nulls_last(*keyed(row, *names)),
        )
    )
    assert_same_rows(store.run("token_usage", window), expected)


@on_random_events
@given(rows=events, window=windows)
def test_llm_latency(store: Any, rows: list[Event], window: Window) -> None:
    """Only answers are timed; the first token does not count for the speed after it."""
    store.fill(rows)
    names = ("service", "provider", "model")
    expected = []
    for key, group in grouped(llm_calls(rows, window), lambda row: keyed(row, *names)).items():
        answers = [row for row in group if not is_refused(row)]
        durations, firsts = known(answers, "duration_ms"), known(answers, "ttft_ms")
        speeds = [
            (row["output_tokens"] - 1) * 1000 / (row["duration_ms"] - row["ttft_ms"])
            for row in answers
            if None not in keyed(row, "output_tokens", "duration_ms", "ttft_ms")
            and row["output_tokens"] > 1
            and row["duration_ms"] > row["ttft_ms"]
        ]
        expected.append(
            {
                **dict(zip(names, key, strict=True)),
                "calls": len(group),
                "failed_calls": sum(map(looks_failed, group)),
                "rate_limited": sum(row["status_code"] == 429 for row in group),
                "timed_calls": len(durations),
                "p50_ms": share_of(durations, 50),
                "p95_ms": share_of(durations, 95),
                "p99_ms": share_of(durations, 99),
                "ttft_calls": len(firsts),
                "ttft_p50_ms": share_of(firsts, 50),
                "ttft_p95_ms": share_of(firsts, 95),
                "median_tokens_per_second": median(speeds) if speeds else None,
            }
        )
    expected.sort(key=lambda row: (-row["calls"], nulls_last(*keyed(row, *names))))
    assert_same_rows(store.run("llm_latency", window), expected)


@on_random_events
@given(rows=events, window=windows)
def test_restarts(store: Any, rows: list[Event], window: Window) -> None:
    """A run that takes the place of one that has ended on its host is a restart."""
    store.fill(rows)
    told = [row for row in rows if row["timestamp"] and row["timestamp"] < window.until]
    expected = []
    for (service, host), place in grouped(told, lambda r: keyed(r, "service", "host")).items():
        for before, after in replacements(place):
            started_at = min(known(after, "timestamp"))
            begun_at, ended_at = (pick(known(before, "timestamp")) for pick in (min, max))
            versions = [max(known(run, "version"), default=None) for run in (before, after)]
            ends = [row["event"] for row in before if row["timestamp"] == ended_at]
            reason = "stop" if "service_stopped" in ends else "crash"
            if None not in versions and versions[0] != versions[1]:
                reason = "deploy"
            if started_at >= window.since:
                expected.append(
                    {
                        "started_at": started_at,
                        "service": service,
                        "host": host,
                        "instance": after[0]["instance"],
                        "reason": reason,
                        "ended_at": ended_at,
                        "down_seconds": (started_at - ended_at) / SECOND,
                        "uptime_seconds": (ended_at - begun_at) / SECOND,
                        "version": versions[1],
                        "previous_version": versions[0],
                    }
                )
    names = ("started_at", "service", "host", "instance")
    expected.sort(key=lambda row: nulls_last(*keyed(row, *names)))
    assert_same_rows(store.run("restarts", window), expected)


@on_random_events
@given(rows=events, window=windows, learning=st.sampled_from([0, 60, 3600]))
def test_dependency_health(store: Any, rows: list[Event], window: Window, learning: int) -> None:
    """Failures are counted by kind, and a kind of answer is new only once in the whole log."""
    store.fill(rows)
    names = ("service", "method", "endpoint")
    requests = [
        row
        for row in rows
        if row["timestamp"] is not None
        and row["timestamp"] < window.until
        and row["endpoint"] is not None
        and is_request(row)
    ]
    past = grouped(requests, lambda row: keyed(row, *names))
    expected = []
    for key, group in grouped(inside(requests, window), lambda row: keyed(row, *names)).items():
        begun_at = min(known(past[key], "timestamp"))
        firsts: dict[str, Any] = {}
        for row in sorted(past[key], key=lambda one: one["timestamp"]):
            firsts.setdefault(str(row["status_code"] or row["error_type"] or ""), row["timestamp"])
        new = {
            (at, kind)
            for kind, at in firsts.items()
            if kind and at >= window.since and at - begun_at >= learning * SECOND
        }
        newest_at, newest = max(new, default=(None, None))
        statuses = [row["status_code"] or 0 for row in group]
        errors = [row["timestamp"] for row in group if is_error(row)]
        expected.append(
            {
                **dict(zip(names, key, strict=True)),
                "requests": len(group),
                "errors": len(errors),
                "server_errors": sum(status >= 500 for status in statuses),
                "timeouts": sum(row["error_type"] == "timeout" for row in group),
                "rate_limited": statuses.count(429),
                "error_ratio": len(errors) / len(group),
                "p95_ms": share_of(known(group, "duration_ms"), 95),
                "last_success_at": max(
                    (row["timestamp"] for row in group if not is_refused(row)), default=None
                ),
                "last_error_at": max(errors, default=None),
                "new_answers": len(new),
                "newest_answer": newest,
                "newest_answer_at": newest_at,
            }
        )
    expected.sort(
        key=lambda row: (
            -row["errors"] / (row["requests"] + 10),
            -row["requests"],
            # A NULL name is a group before all others.
            *("" if row[name] is None else f"={row[name]}" for name in names[:2]),
            row["endpoint"],
        )
    )
    found = store.run("dependency_health", window, learning_seconds=str(learning))
    assert_same_rows(found, expected)


@on_random_events
@given(rows=events, window=windows)
def test_us_or_platform(store: Any, rows: list[Event], window: Window) -> None:
    """What speaks against the platform and what against us is counted apart."""
    store.fill(rows)
    expected = []
    for (service,), group in grouped(inside(rows, window), lambda r: keyed(r, "service")).items():
        answers = [row for row in group if row["event"].startswith("request_")]
        calls = [
            row
            for row in group
            if is_request(row) and row["endpoint"] is not None and row not in answers
        ]
        statuses = [row["status_code"] for row in calls]
        timeouts = [r for r in calls if r["status_code"] is None and r["error_type"] == "timeout"]
        shared = [
            row
            for row in calls
            if row["status_code"] == 429 and row["rate_limit_scope"] == "shared"
        ]
        server_errors = sum(status is not None and status >= 500 for status in statuses)
        beats = known(
            [r for r in group if "heartbeat" in r["event"] and r["endpoint"] is None], "duration_ms"
        )
        expected.append(
            {
                "service": service,
                "calls": len(calls),
                "server_errors": server_errors,
                "timeouts": len(timeouts),
                "platform_error_ratio": (server_errors + len(timeouts)) / len(calls)
                if calls
                else None,
                "shared_limits": len(shared),
                "heartbeats": len(beats),
                "heartbeat_p95_ms": share_of(beats, 95),
                "own_limits": statuses.count(429) - len(shared),
                "client_errors": sum(
                    status is not None and 400 <= status < 500 and status != 429
                    for status in statuses
                ),
                "exceptions": sum(
                    row["level"] in ("error", "critical")
                    and row["status_code"] is None
                    and row not in calls
                    for row in group
                ),
                "failed_answers": sum((row["status_code"] or 0) >= 500 for row in answers),
                "worst_loop_lag_ms": max(known(group, "loop_lag_ms"), default=None),
            }
        )
    expected.sort(key=lambda row: nulls_last(row["service"]))
    assert_same_rows(store.run("us_or_platform", window), expected)


@on_random_events
@given(rows=events, window=windows)
def test_queue_lag(store: Any, rows: list[Event], window: Window) -> None:
    """Waits, the first peak, the last depth and the trend of each queue are exact."""
    rows = [{**row, "timestamp": _distinct(row["timestamp"], n)} for n, row in enumerate(rows)]
    store.fill(rows)
    samples = [
        row
        for row in inside(rows, window)
        if row["queue_depth"] is not None or row["queue_wait_ms"] is not None
    ]
    found = {keyed(row, "service", "queue"): row for row in store.run("queue_lag", window)}
    groups = grouped(samples, lambda row: keyed(row, "service", "queue"))
    assert found.keys() == groups.keys()
    for key, group in groups.items():
        assert_same_rows([found[key]], [lag_of(key, group)])


def _distinct(at: datetime | None, number: int) -> datetime | None:
    """Return a time at a millisecond that no other row has, so that the last one is plain."""
    if at is None:
        return None
    return at.replace(microsecond=at.microsecond // 100_000 * 100_000 + number * 1000)


def lag_of(key: tuple[Any, ...], group: list[Event]) -> Event:
    """Return the row of one queue."""
    waits = known(group, "queue_wait_ms")
    depths = [row for row in group if row["queue_depth"] is not None]
    depths.sort(key=lambda row: row["timestamp"])
    peak = max(known(depths, "queue_depth"), default=None)
    limit = max(known(group, "queue_limit"), default=None)
    last = depths[-1]["queue_depth"] if depths else None
    recent = [
        row for row in depths if row["timestamp"] > depths[-1]["timestamp"] - timedelta(minutes=10)
    ]
    trend = None
    if len(recent) >= 3:
        trend = linear_regression(
            [(row["timestamp"] - depths[-1]["timestamp"]) / SECOND / 60 for row in recent],
            known(recent, "queue_depth"),
        ).slope
    to_full = None
    if last is not None and limit is not None:
        if last >= limit:
            to_full = 0.0
        elif trend is not None and trend > 0:
            to_full = (limit - last) * 60 / trend
    return {
        "service": key[0],
        "queue": key[1],
        "waits": len(waits),
        "p50_wait_ms": share_of(waits, 50),
        "p95_wait_ms": share_of(waits, 95),
        "max_wait_ms": max(waits, default=None),
        "longest_wait_at": max(
            (row["timestamp"] for row in group if row["queue_wait_ms"] == max(waits, default=0)),
            default=None,
        ),
        "depths": len(depths),
        "peak_depth": peak,
        "peak_at": next((row["timestamp"] for row in depths if row["queue_depth"] == peak), None),
        "last_depth": last,
        "queue_limit": limit,
        "trend_per_minute": trend,
        "seconds_to_full": to_full,
    }


@on_random_events
@given(rows=events, window=windows, objective=st.sampled_from(["0.999", "0.9", "0.5"]))
def test_error_budget(store: Any, rows: list[Event], window: Window, objective: str) -> None:
    """What may fail, what is left of it and how fast it burns follow from the objective."""
    store.fill(rows)
    allowed = 1 - float(objective)
    requests = [row for row in inside(rows, window) if is_request(row)]

    def burn(group: list[Event]) -> float | None:
        return sum(map(is_error, group)) / (len(group) * allowed) if group else None

    def latest(group: list[Event], minutes: int) -> list[Event]:
        start = window.until - timedelta(minutes=minutes)
        return [row for row in group if row["timestamp"] >= start]

    expected = []
    for (service,), group in grouped(requests, lambda row: keyed(row, "service")).items():
        errors, hour, five = sum(map(is_error, group)), latest(group, 60), latest(group, 5)
        expected.append(
            {
                "service": service,
                "requests": len(group),
                "errors": errors,
                "availability": 1 - errors / len(group),
                "allowed_errors": len(group) * allowed,
                "budget_left_ratio": 1 - errors / (len(group) * allowed),
                "burn_rate": burn(group),
                "requests_last_hour": len(hour),
                "burn_rate_last_hour": burn(hour),
                "requests_last_5m": len(five),
                "burn_rate_last_5m": burn(five),
            }
        )
    expected.sort(key=lambda row: (-(row["burn_rate"] or 0), nulls_last(row["service"])))
    assert_same_rows(store.run("error_budget", window, objective=objective), expected)


def begun(row: Event) -> float:
    """Return the start of a row in microseconds since 1970."""
    ended = (row["timestamp"] - EPOCH) / timedelta(microseconds=1)
    return float(ended - (row["duration_ms"] or 0) * 1000)


@on_random_events
@given(rows=events, window=windows, only_failed=st.booleans(), least=st.sampled_from([500, 429]))
def test_actions(
    store: Any, rows: list[Event], window: Window, only_failed: bool, least: int
) -> None:
    """An action lasts from the start of its first step to the end of its last."""
    store.fill(rows)
    expected = []
    for (id_,), group in grouped(
        inside(rows, window), lambda row: keyed(row, "correlation_id")
    ).items():
        failures = sum(
            row["level"] in ("error", "critical") or (row["status_code"] or 0) >= least
            for row in group
        )
        first = min(map(begun, group))
        last = max((row["timestamp"] - EPOCH) / timedelta(microseconds=1) for row in group)
        services = known(group, "service")
        if id_ is not None and (failures or not only_failed):
            expected.append(
                {
                    "correlation_id": id_,
                    "command": max(known(group, "command"), default=None),
                    "elapsed_ms": (last - first) / 1000,
                    "events": len(group),
                    "services": ", ".join(sorted({min(services), max(services)}))
                    if services
                    else None,
                    "failures": failures,
                }
            )
    expected.sort(key=lambda row: (-row["elapsed_ms"], row["correlation_id"]))
    asked = {"only_failed": str(only_failed), "failed_from": str(least)}
    for most in (1, 20):
        found = store.run("actions", window, most=str(most), **asked)
        for row in found:
            del row["started_at"]
        assert_same_rows(found, expected[:most])


@on_random_events
@given(rows=events, window=windows)
def test_trace(store: Any, rows: list[Event], window: Window) -> None:
    """The steps of an action come in the order in which they began, none of another action."""
    store.fill(rows)
    own = [row for row in inside(rows, window) if row["correlation_id"] == "c1"]
    found = store.run("trace", window, id="c1")
    assert sorted(map(begun, own)) == [
        pytest.approx((row["started_at"] - EPOCH) / timedelta(microseconds=1), abs=1)
        for row in found
    ]
    assert sorted(row["timestamp"] for row in own) == sorted(row["ended_at"] for row in found)
    assert store.run("trace", window, id="no such id") == []


def test_a_call_is_named_by_what_is_known_of_it(store: Any) -> None:
    """Without a method the endpoint stands alone, and a method alone is no name."""
    row = {"timestamp": EPOCH, "correlation_id": "c", "duration_ms": 1.0, "status_code": 200}
    named = [{"endpoint": "/a"}, {"endpoint": "/a", "method": "GET"}, {"method": "GET"}]
    store.fill([row | names for names in named])
    assert [r["operation"] for r in store.run("trace", id="c")] == ["/a", "GET /a", None]
    compared = [r["value"] for r in store.run("compare") if r["attribute"] == "endpoint"]
    assert compared == ["/a", "GET /a"]
