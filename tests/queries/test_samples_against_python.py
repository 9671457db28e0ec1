"""Queries over samples, runs and gateway events against a plain computation."""

from __future__ import annotations

import itertools
import random
from collections import Counter, defaultdict
from datetime import timedelta
from fractions import Fraction
from statistics import fmean
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from .random_events import (
    START,
    Event,
    assert_same_rows,
    bucket,
    events,
    grouped,
    inside,
    nulls_last,
    on_random_events,
    percentile,
    replacements,
    windows,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logkit_analysis.time_window import Window

SECOND = timedelta(seconds=1)
MILLISECOND = timedelta(milliseconds=1)


def known(rows: Sequence[Event], name: str) -> list[Any]:
    """Return the values of a field that are not NULL."""
    return [row[name] for row in rows if row[name] is not None]


def most(rows: Sequence[Event], name: str) -> Any:
    """Return the greatest value of a field, ``None`` without any."""
    return max(known(rows, name), default=None)


def mean(rows: Sequence[Event], name: str) -> float | None:
    """Return the mean of a field, ``None`` without any value."""
    values = known(rows, name)
    return fmean(values) if values else None


@on_random_events
@given(rows=events, window=windows, seconds=st.sampled_from([60, 7, 3600]))
def test_queue_depth(store: Any, rows: list[Event], window: Window, seconds: int) -> None:
    """Depths, limits and waits of each queue and bucket are exact."""
    store.fill(rows)
    samples = [
        row
        for row in inside(rows, window)
        if (row["queue_depth"], row["queue_wait_ms"]) != (None, None)
    ]
    groups = grouped(samples, lambda row: (bucket(row, seconds), row["service"], row["queue"]))
    expected = []
    for key in sorted(groups, key=lambda key: nulls_last(*key)):
        group, waits = groups[key], known(groups[key], "queue_wait_ms")
        expected.append(
            {
                **dict(zip(("bucket_at", "service", "queue"), key, strict=True)),
                "samples": len(group),
                "mean_depth": mean(group, "queue_depth"),
                "max_depth": most(group, "queue_depth"),
                "queue_limit": most(group, "queue_limit"),
                "p95_wait_ms": percentile(waits, Fraction(95, 100)) if waits else None,
            }
        )
    assert_same_rows(store.run("queue_depth", window, bucket_seconds=str(seconds)), expected)


GREATEST = (
    *("rss_bytes", "rss_limit_bytes", "open_connections", "open_fds", "threads", "loop_lag_ms"),
    *("gpu_memory_bytes", "gpu_memory_limit_bytes"),
)


@on_random_events
@given(rows=events, window=windows, seconds=st.sampled_from([60, 7]))
def test_resource_usage(store: Any, rows: list[Event], window: Window, seconds: int) -> None:
    """The greatest figures, and the mean of the CPU, of each process and bucket are exact."""
    store.fill(rows)
    told = {*GREATEST, "cpu_percent"} - {"rss_limit_bytes", "gpu_memory_limit_bytes"}
    samples = [row for row in inside(rows, window) if any(row[n] is not None for n in told)]
    groups = grouped(samples, lambda row: (bucket(row, seconds), row["service"], row["instance"]))
    expected = [
        {
            **dict(zip(("bucket_at", "service", "instance"), key, strict=True)),
            "samples": len(groups[key]),
            "cpu_percent": mean(groups[key], "cpu_percent"),
            **{name: most(groups[key], name) for name in GREATEST},
        }
        for key in sorted(groups, key=lambda key: nulls_last(*key))
    ]
    assert_same_rows(store.run("resource_usage", window, bucket_seconds=str(seconds)), expected)


@on_random_events
@given(rows=events, window=windows)
def test_deploys(store: Any, rows: list[Event], window: Window) -> None:
    """A deploy is a run whose version differs from that of the run before it."""
    store.fill(rows)
    before_end = [
        row
        for row in rows
        if row["timestamp"] is not None
        and row["timestamp"] < window.until
        and row["version"] is not None
    ]
    runs: dict[Any, list[tuple[Any, ...]]] = defaultdict(list)
    for (service, instance, version), group in grouped(
        before_end, lambda row: (row["service"], row["instance"], row["version"])
    ).items():
        runs[service].append((min(row["timestamp"] for row in group), instance, version))
    expected = []
    for service, starts in runs.items():
        previous = None
        for at, instance, version in sorted(starts, key=lambda run: nulls_last(*run)):
            if at >= window.since and version != previous:
                expected.append(
                    {
                        "started_at": at,
                        "service": service,
                        "version": version,
                        "previous_version": previous,
                        "instance": instance,
                    }
                )
            previous = version
    expected.sort(
        key=lambda row: nulls_last(
            row["started_at"], row["service"], row["instance"], row["version"]
        )
    )
    assert store.run("deploys", window) == expected


def gaps_of(rows: Sequence[Event], seconds: float) -> int:
    """Return the silences between the minutes of a service that are longer than *seconds*."""
    minutes = grouped(rows, lambda row: (bucket(row, 60),))
    ends = [
        (min(r["timestamp"] for r in group), max(r["timestamp"] for r in group))
        for _, group in sorted(minutes.items())
    ]
    return sum(
        first - last > seconds * SECOND for (_, last), (first, _) in itertools.pairwise(ends)
    )


def restarts_of(rows: Sequence[Event]) -> int:
    """Return how many runs of a service took the place of one that had ended on their host."""
    return sum(len(replacements(group)) for group in grouped(rows, lambda r: (r["host"],)).values())


@on_random_events
@given(rows=events, window=windows, gap=st.sampled_from([60, 120, 300]))
def test_gaps_and_restarts(store: Any, rows: list[Event], window: Window, gap: int) -> None:
    """Silences of each service and runs that follow another are counted exactly."""
    store.fill(rows)
    found = store.run("data_quality", window, gap_seconds=str(gap))
    by_service = grouped(inside(rows, window), lambda row: (row["service"],))

    def counted(check: str) -> dict[Any, int]:
        return {(row["service"],): row["count"] for row in found if row["check"] == check}

    gaps = {key: gaps_of(group, gap) for key, group in by_service.items()}
    restarts = {key: restarts_of(group) for key, group in by_service.items()}
    assert counted("gap") == {key: count for key, count in gaps.items() if count}
    assert counted("restart") == {key: count for key, count in restarts.items() if count}


@on_random_events
@given(rows=events, window=windows, skew=st.sampled_from([0, 5, 60]), seed=st.integers(0, 9))
def test_clock_skew(store: Any, rows: list[Event], window: Window, skew: int, seed: int) -> None:
    """Rows from the future and steps back in the numbering of an instance are exact."""
    rng = random.Random(seed)
    for offset, row in enumerate(rows):
        row["source_offset"] = offset
        row["ingested_at"] = START + timedelta(seconds=rng.choice([0, 300, 600, 900]))
    store.fill(rows)
    allowed = skew * SECOND
    counts: Counter[Any] = Counter()
    for key, group in grouped(
        inside(rows, window), lambda row: (row["service"], row["instance"])
    ).items():
        is_numbered = key[1] is not None
        numbered = [row for row in group if is_numbered and row["seq"] is not None]
        numbered.sort(key=lambda row: (row["seq"], row["source_offset"]))
        stepped = {
            later["source_offset"]
            for earlier, later in itertools.pairwise(numbered)
            if earlier["timestamp"] - later["timestamp"] > allowed
        }
        ahead = {r["source_offset"] for r in group if r["timestamp"] - r["ingested_at"] > allowed}
        counts[key] += len(stepped | ahead)
    found = {
        (row["service"], row["instance"]): row["count"]
        for row in store.run("data_quality", window, skew_seconds=str(skew))
        if row["check"] == "clock_skew"
    }
    assert found == {key: count for key, count in counts.items() if count}


@on_random_events
@given(rows=events, window=windows, least=st.sampled_from([2, 500]))
def test_heartbeat_blocks(store: Any, rows: list[Event], window: Window, least: float) -> None:
    """Reports of one process and shard without a gap over 120 s are one block."""
    store.fill(rows)
    reports = [row for row in inside(rows, window) if (row["loop_lag_ms"] or 0) >= least]
    expected: Counter[Any] = Counter()
    for (service, instance), group in grouped(
        reports, lambda row: (row["service"], row["instance"])
    ).items():
        group.sort(key=lambda row: row["timestamp"])
        run = [group[0]]
        for row in [*group[1:], None]:
            if row is not None and row["timestamp"] - run[-1]["timestamp"] <= 120 * SECOND:
                run.append(row)
                continue
            begun = min(r["timestamp"] - r["loop_lag_ms"] * MILLISECOND for r in run)
            place = (service, instance, round(begun.timestamp(), 3), run[-1]["timestamp"])
            expected[*place, len(run), most(run, "loop_lag_ms")] += 1
            run = [] if row is None else [row]
    found = Counter(
        (
            *(row["service"], row["instance"], round(row["started_at"].timestamp(), 3)),
            *(row["ended_at"], row["reports"], row["longest_ms"]),
        )
        for row in store.run("heartbeat_blocks", window, least_lag_ms=str(least))
    )
    assert found == expected


KINDS = {
    "shard_connected": "identifies",
    "gateway_resumed": "resumes",
    "session_invalidated": "invalidated",
    "gateway_disconnected": "disconnects",
}


@on_random_events
@given(rows=events, window=windows, seed=st.integers(0, 9))
def test_reconnects(store: Any, rows: list[Event], window: Window, seed: int) -> None:
    """What each shard went through is counted exactly."""
    rng = random.Random(seed)
    for row in rows:
        row["event"] = rng.choice([*KINDS, "api_call"])
        row["shard_id"] = rng.choice([0, 1, None])
    store.fill(rows)
    told = [row for row in inside(rows, window) if row["event"] in KINDS]
    expected = []
    for (service, shard), group in grouped(
        told, lambda row: (row["service"], row["shard_id"])
    ).items():
        counts = Counter(KINDS[row["event"]] for row in group)
        begun = counts["identifies"] + counts["resumes"]
        expected.append(
            {
                "service": service,
                "shard": None if shard is None else str(shard),
                **{name: counts[name] for name in KINDS.values()},
                "resume_ratio": counts["resumes"] / begun if begun else None,
                "first_at": min(row["timestamp"] for row in group),
                "last_at": max(row["timestamp"] for row in group),
            }
        )
    expected.sort(
        key=lambda row: (
            *(-row["disconnects"], -row["identifies"]),
            *nulls_last(row["service"], row["shard"]),
        )
    )
    assert_same_rows(store.run("reconnects", window), expected)
