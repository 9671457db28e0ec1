"""memory_growth's detector: what leaks, how fast, until when."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from math import pi, sin
from typing import TYPE_CHECKING, Any

import pytest
from logkit_analysis.detect.leaks import detect
from logkit_analysis.results import Column, ResultSet

from benchmarks.leaks import foretold, percentile_error, scores

if TYPE_CHECKING:
    from collections.abc import Callable

START = datetime(2026, 1, 31, 9, tzinfo=UTC)
MB = 1 << 20
LIMIT = 1000 * MB
NAMES = (
    *("service", "instance", "pid", "metric", "bucket_at", "samples", "mean_at", "least_bytes"),
    *("mean_bytes", "greatest_limit_bytes", "events"),
)


def judged(
    used_mb: Callable[[float], float],
    *,
    minutes: int = 240,
    limit: int | None = LIMIT,
    load: Callable[[float], float] = lambda _: 100,
    restart: float = 1e9,
) -> dict[str, Any]:
    """Return the row of one process whose memory and load follow functions of the hour.

    From the hour *restart* on it has another pid.
    """
    rng = random.Random(5)
    rows = []
    for minute in range(minutes):
        at = START + timedelta(minutes=minute)
        used = (used_mb(minute / 60) + rng.gauss(0, 2)) * MB
        place = ("bot", "i", 7 if minute / 60 < restart else 8, "rss_bytes", at, 1, at)
        rows.append((*place, int(used), used, limit, load(minute / 60)))
    result = ResultSet(tuple(Column(name, "VARCHAR") for name in NAMES), rows)
    (row,) = detect(result, lambda _: result).dicts()
    return row


@pytest.mark.parametrize("mb_per_hour", [20, 80, 150])
def test_a_leak_has_a_slope_and_an_end(mb_per_hour: float) -> None:
    """A steady leak is measured, and its end is within a few percent of the truth."""
    row = judged(lambda hour: 200 + mb_per_hour * hour)
    assert row["slope_bytes_per_hour"] == pytest.approx(mb_per_hour * MB, rel=0.05)
    truth = timedelta(hours=800 / mb_per_hour)
    assert (row["exhausts_at"] - START) / truth == pytest.approx(1, rel=0.05)


@pytest.mark.parametrize(
    "used_mb",
    [
        pytest.param(lambda _: 200, id="steady"),
        pytest.param(lambda hour: 200 + 100 * (1 - 2.7 ** (-4 * hour)), id="plateau"),
        pytest.param(lambda hour: 200 + 100 * sin(2 * pi * hour / 3), id="wave"),
        pytest.param(lambda hour: 200 + 150 * (hour > 2), id="step"),
        pytest.param(lambda hour: 200 + 60 * (hour * 3 % 1), id="saw_tooth"),
        pytest.param(lambda hour: 400 - 40 * hour, id="shrinking"),
    ],
)
def test_what_is_no_leak_never_ends(used_mb: Callable[[float], float]) -> None:
    """Plateaus, waves, steps and saw-teeth exhaust nothing."""
    assert judged(used_mb)["exhausts_at"] is None


def test_without_a_limit_there_is_no_end() -> None:
    """The slope of a leak is told also where no limit is known."""
    row = judged(lambda hour: 200 + 80 * hour, limit=None)
    assert row["exhausts_at"] is None
    assert row["slope_bytes_per_hour"] == pytest.approx(80 * MB, rel=0.05)
    assert row["r2"] > 0.9


def test_a_young_process_is_not_judged() -> None:
    """Ten minutes of growth after a start are a start."""
    assert judged(lambda hour: 200 + 600 * hour, minutes=10)["exhausts_at"] is None


def test_a_leak_is_seen_through_a_daily_wave() -> None:
    """Over days the time of day has no part in the slope and in the end."""
    row = judged(lambda hour: 200 + 4 * hour + 40 * sin(2 * pi * hour / 24), minutes=60 * 60)
    assert row["slope_bytes_per_hour"] == pytest.approx(4 * MB, rel=0.05)
    assert (row["exhausts_at"] - START) / timedelta(hours=200) == pytest.approx(1, rel=0.1)


@pytest.mark.parametrize(
    ("load", "is_leak"),
    [
        pytest.param(lambda hour: 100 + 30 * hour, False, id="with_the_load"),
        pytest.param(lambda _: 100, True, id="on_its_own"),
        pytest.param(lambda hour: 220 - 30 * hour, True, id="against_the_load"),
    ],
)
def test_a_busy_morning_is_no_leak(load: Callable[[float], float], *, is_leak: bool) -> None:
    """Memory that rises less than the load does is not held against the process."""
    row = judged(lambda hour: 200 + 30 * hour, load=load)
    assert (row["exhausts_at"] is not None) is is_leak


def test_simulated_leaks_are_foretold_and_sound_processes_left_alone() -> None:
    """Half of the ends are within 10 % of the time left, nearly all leaks found, no false alarm."""
    leaks, others = scores(foretold, [1001, 1002])
    assert percentile_error(leaks.values(), 50) < 10
    assert sum(one.alarms for one in leaks.values()) >= 25
    assert sum(one.alarms for one in others.values()) == 0


@pytest.mark.parametrize("minutes", [1, 2, 3, 4, 5])
def test_a_process_with_few_samples_is_no_leak(minutes: int) -> None:
    """One that has just begun is shown without an end, however few its samples are."""
    row = judged(lambda hour: 200 + 60 * hour, minutes=minutes)
    assert row["samples"] == minutes
    assert row["exhausts_at"] is None


def test_a_new_pid_is_a_new_process() -> None:
    """What grew before a restart under the same name is not held against what runs now."""
    row = judged(lambda hour: 200 + 100 * (hour % 2), minutes=239, restart=2)
    assert row["since_at"] == START + timedelta(hours=2)
    assert (row["exhausts_at"] - START) / timedelta(hours=10) == pytest.approx(1, rel=0.05)
