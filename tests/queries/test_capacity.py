"""The bins of capacity and memory_growth against a plain computation on random events."""

from __future__ import annotations

from statistics import fmean
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from .random_events import (
    Event,
    assert_same_rows,
    bucket,
    events,
    grouped,
    inside,
    is_request,
    nulls_last,
    on_random_events,
    windows,
)

if TYPE_CHECKING:
    from logkit_analysis.time_window import Window

WHO = {"users": "user_id", "guilds": "guild_id", "chats": "chat_id"}


def loads_of(group: list[Event], seconds: int) -> dict[str, tuple[float | None, float | None]]:
    """Return load and limit of each resource that one bin of a service tells of."""
    requests = [row for row in group if is_request(row)]
    durations = [max(row["duration_ms"] or 0, 0) for row in requests]
    tokens = [row for row in group if (row["input_tokens"], row["output_tokens"]) != (None, None)]
    spent = sum((row["input_tokens"] or 0) + (row["output_tokens"] or 0) for row in tokens)
    costs = [row["cost_usd"] for row in group if row["cost_usd"] is not None]
    loads: dict[str, tuple[float | None, float | None]] = {
        "requests_per_minute": (len(requests) * 60 / seconds, None),
        "requests_in_flight": (sum(durations) / 1000 / seconds, None),
    }
    if tokens:
        loads["tokens_per_minute"] = (spent * 60 / seconds, None)
    if costs:
        loads["cost_usd_per_hour"] = (sum(costs) * 3600 / seconds, None)
    for name, limit in (("cpu_percent", 100), ("rss_bytes", None), ("open_connections", None)):
        values = [row[name] for row in group if row[name] is not None]
        if values:
            limits = [row["rss_limit_bytes"] for row in group]
            known = [one for one in limits if one is not None] if name == "rss_bytes" else [limit]
            loads[name] = (fmean(values), min((k for k in known if k is not None), default=None))
    return loads


@on_random_events
@given(
    rows=events,
    window=windows,
    per=st.sampled_from(["users", "guilds", "chats"]),
    seconds=st.sampled_from([60, 600]),
)
def test_capacity(store: Any, rows: list[Event], window: Window, per: str, seconds: int) -> None:
    """Loads, limits and the users of each bin are exact."""
    store.fill(rows)
    known = inside(rows, window)
    active = {
        at: len({row[WHO[per]] for row in group} - {None})
        for (at,), group in grouped(known, lambda row: (bucket(row, seconds),)).items()
    }
    expected = [
        {
            "service": service,
            "resource": resource,
            "part": None,
            "bucket_at": at,
            "active": active[at],
            "load": load,
            "limit_load": limit,
            "asked_growth": 3,
            "asked_per": per,
        }
        for (service, at), group in grouped(
            known, lambda row: (row["service"], bucket(row, seconds))
        ).items()
        for resource, (load, limit) in loads_of(group, seconds).items()
    ]
    expected.sort(key=lambda r: (*nulls_last(r["service"], r["resource"]), r["bucket_at"]))
    found = store.run(
        "capacity", window, is_raw=True, per=per, growth="3", bucket_seconds=str(seconds)
    )
    assert_same_rows([row for row in found if row["part"] is None], expected)


def quota(row: Event) -> tuple[Any, ...]:
    """Return the name of the budget that an answer tells of."""
    names = ("provider", "model", "rate_limit_bucket", "rate_limit_unit")
    return row["service"], " ".join(row[name] for name in names if row[name] is not None)


@on_random_events
@given(rows=events, window=windows)
def test_capacity_of_budgets(store: Any, rows: list[Event], window: Window) -> None:
    """A budget's load is the most of it that was used up in the bin."""
    store.fill(rows)
    told = [
        row
        for row in inside(rows, window)
        if row["provider"] is not None
        and row["rate_limit_limit"]
        and row["rate_limit_remaining"] is not None
    ]
    expected = {
        (*key[:2], key[2]): max(
            (row["rate_limit_limit"] - row["rate_limit_remaining"]) / row["rate_limit_limit"]
            for row in group
        )
        for key, group in grouped(told, lambda row: (*quota(row), bucket(row, 600))).items()
    }
    found = store.run("capacity", window, is_raw=True)
    assert {
        (row["service"], row["part"], row["bucket_at"]): row["load"]
        for row in found
        if row["resource"] == "quota_used_ratio"
    } == pytest.approx(expected)


@on_random_events
@given(rows=events, window=windows, seconds=st.sampled_from([60, 7]))
def test_memory_growth(store: Any, rows: list[Event], window: Window, seconds: int) -> None:
    """Memory and lines of each process and bin are exact, of the GPU too."""
    store.fill(rows)

    def place(row: Event) -> tuple[Any, ...]:
        process = row["instance"] or (None if row["pid"] is None else str(row["pid"]))
        return row["service"], process, row["pid"], bucket(row, seconds)

    expected = []
    for (service, process, pid, at), group in grouped(inside(rows, window), place).items():
        for metric, limit in (
            ("rss_bytes", "rss_limit_bytes"),
            ("gpu_memory_bytes", "gpu_memory_limit_bytes"),
        ):
            samples = [row for row in group if row[metric] is not None]
            if samples:
                used = [row[metric] for row in samples]
                limits = [row[limit] for row in group if row[limit] is not None]
                expected.append(
                    {
                        "service": service,
                        "instance": process,
                        "pid": pid,
                        "metric": metric,
                        "bucket_at": at,
                        "samples": len(samples),
                        "least_bytes": min(used),
                        "mean_bytes": fmean(used),
                        "greatest_limit_bytes": max(limits, default=None),
                        "events": len(group),
                    }
                )
    expected.sort(
        key=lambda row: (
            *nulls_last(row["service"], row["instance"], row["pid"], row["metric"]),
            row["bucket_at"],
        )
    )
    found = store.run("memory_growth", window, is_raw=True, bucket_seconds=str(seconds))
    for row in found:
        assert bucket({"timestamp": row.pop("mean_at")}, seconds) == row["bucket_at"]
    assert_same_rows(found, expected)
