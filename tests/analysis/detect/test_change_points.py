"""degradation_start's detector: the right minute, the right endpoint, and silence."""

from __future__ import annotations

import random
from datetime import timedelta
from math import exp, pi, sin
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from logkit_analysis.detect.levels import BinomialCost, GaussianCost, cut_into_levels

from tests.analysis.detect.conftest import START, found_in

if TYPE_CHECKING:
    from collections.abc import Callable


def step(before: float, after: float, begin: float, end: float) -> Callable[[float], float]:
    """Return a level that is *after* from *begin* to *end* and *before* otherwise."""
    return lambda minute: after if begin <= minute < end else before


@pytest.mark.parametrize("per_minute", [2, 10, 60], ids="{}_a_minute".format)
@pytest.mark.parametrize("ratio", [2, 5, 40], ids="times_{}".format)
def test_a_step_is_found_where_it_is(calls: Any, per_minute: int, ratio: int) -> None:
    """One endpoint gets slower for an hour: one row, with its start, end and levels."""
    calls.add("/a", 240, per_minute=per_minute, median_ms=step(100, 100 * ratio, 100, 160))
    calls.add("/b", 240, per_minute=per_minute, median_ms=lambda _: 50)
    (found,) = calls.findings()
    assert (found["metric"], found["endpoint"]) == ("latency", "/a")
    # A smaller step is within the noise of a few calls; a clear one is exact.
    slack = timedelta(minutes={2: 6, 5: 3, 40: 0}[ratio] / per_minute)
    assert abs(found["started_at"] - calls.first_after(100)) <= slack
    assert abs(found["ended_at"] - calls.first_after(160)) <= slack
    assert found["degraded"] / found["baseline"] == pytest.approx(ratio, rel=0.25)


def test_errors_are_found(calls: Any) -> None:
    """A rise of the share of failed calls is a row of its own metric, still going on."""
    calls.add(
        "/a",
        180,
        per_minute=30,
        median_ms=lambda _: 100,
        error_ratio=step(0.005, 0.3, 120, 999),
    )
    (found,) = calls.findings()
    assert (found["metric"], found["ended_at"]) == ("error_ratio", None)
    assert abs(found["started_at"] - calls.first_after(120)) <= timedelta(seconds=30)
    assert found["degraded"] == pytest.approx(0.3, abs=0.05)


def test_a_relapse_is_a_second_incident(calls: Any) -> None:
    """Two slow stretches with a good hour between them are two rows."""
    calls.add(
        "/a",
        300,
        per_minute=20,
        median_ms=lambda m: 800 if 100 <= m < 130 or 200 <= m < 230 else 100,
    )
    starts = [found["started_at"] for found in calls.findings()]
    assert starts == [calls.first_after(100), calls.first_after(200)]


def test_a_slow_tail_is_found(calls: Any) -> None:
    """When a quarter of the calls gets slow and the median does not move, it is a row too."""
    slow = random.Random(9)
    calls.add(
        "/a",
        180,
        per_minute=40,
        median_ms=lambda m: 3000 if 90 <= m < 150 and slow.random() < 0.25 else 100,
    )
    (found,) = calls.findings()
    assert found["metric"] == "latency"
    assert abs(found["started_at"] - calls.first_after(90)) <= timedelta(seconds=45)


def test_most_endpoints_together_are_the_service(calls: Any) -> None:
    """When most endpoints get slow at once, it is one row without an endpoint."""
    for name in ("/a", "/b", "/c", "/d"):
        calls.add(name, 180, per_minute=15, median_ms=step(100, 900, 90, 150))
    calls.add("/e", 180, per_minute=15, median_ms=lambda _: 100)
    (found,) = calls.findings()
    assert found["endpoint"] is None
    assert abs(found["started_at"] - calls.first_after(90)) <= timedelta(seconds=15)


@pytest.mark.parametrize("seed", range(3, 8))
def test_a_tail_that_goes_along_with_all_calls_is_no_row_of_its_own(calls: Any, seed: int) -> None:
    """A level that wanders by a third within ten minutes makes many slow calls now and then."""
    wander, moved = random.Random(seed), [0.0]
    for _ in range(600):
        moved.append(0.905 * moved[-1] + wander.gauss(0.0, 0.128))
    calls.add("/a", 600, per_minute=20, median_ms=lambda m: 100 * exp(moved[int(m)]))
    assert calls.findings() == []


@pytest.mark.parametrize(
    "median_ms",
    [
        pytest.param(lambda _: 100, id="steady"),
        pytest.param(step(400, 100, 120, 999), id="improvement"),
        pytest.param(step(100, 900, 120, 121.5), id="a_minute_and_a_half"),
        pytest.param(step(100, 115, 120, 200), id="small"),
        pytest.param(lambda m: 100 * 1.6 ** sin(2 * pi * m / 480), id="slow_wave"),
        pytest.param(lambda m: 100 + m / 4, id="slow_drift"),
        pytest.param(lambda m: 300 if m % 60 < 1 else 100, id="cron_every_hour"),
        pytest.param(step(500, 100, 8, 999), id="warm_up"),
    ],
)
@pytest.mark.parametrize("per_minute", [1, 30], ids="{}_a_minute".format)
def test_quiet_stories_are_quiet(
    calls: Any, median_ms: Callable[[float], float], per_minute: int
) -> None:
    """What no operator would call a degradation makes no row."""
    calls.add("/a", 300, per_minute=per_minute, median_ms=median_ms)
    assert calls.findings() == []


def test_a_new_slow_endpoint_is_no_degradation(calls: Any) -> None:
    """Slow calls of another endpoint shift the mix and nothing else."""
    calls.add("/a", 240, per_minute=20, median_ms=lambda _: 50)
    calls.add("/slow", 240, per_minute=20, median_ms=lambda _: 5000)
    assert calls.findings() == []


def test_levels_are_cut_exactly() -> None:
    """Clean steps are cut where they are, in means and in ratios."""
    values = np.repeat([0.0, 5.0, 1.0], [40, 25, 35]) + 0.1 * (np.arange(100) % 3)
    gaussian = GaussianCost(values, np.full(100, 0.01))
    assert [(s.start, s.end) for s in cut_into_levels(gaussian)] == [(0, 40), (40, 65), (65, 100)]
    binomial = BinomialCost(np.repeat([0.0, 5.0], 50), np.full(100, 10.0))
    assert [(s.start, s.end) for s in cut_into_levels(binomial)] == [(0, 50), (50, 100)]


def test_what_may_have_begun_with_a_deploy_did(calls: Any) -> None:
    """Few more failures are of no call in particular: that of the new version is likeliest."""
    calls.add(
        "/a", 240, per_minute=60, median_ms=lambda _: 100, error_ratio=step(0.03, 0.1, 120, 999)
    )
    deploy = calls.first_after(119.5)
    rows = calls.table()
    versions = ["1.0" if at < deploy else "2.0" for at in rows["timestamp"].to_pylist()]
    (plain,) = found_in(rows)
    (found,) = found_in(rows.append_column("version", pa.array(versions)))
    assert plain["started_at"] == calls.first_after(120)
    assert abs(found["started_at"] - deploy) < timedelta(seconds=1)


def test_a_log_without_calls_is_watched_by_its_error_lines() -> None:
    """Where no line tells of a request, lines at level error that are far more frequent do."""
    minutes = np.arange(0, 180, 0.1)
    is_bad = (minutes >= 120) & (minutes < 127)
    levels = ["error" if bad or index % 100 == 0 else "info" for index, bad in enumerate(is_bad)]
    stamps = [START + timedelta(minutes=float(at)) for at in minutes]
    (found,) = found_in(
        pa.table({"timestamp": pa.array(stamps, pa.timestamp("us", "UTC")), "level": levels})
    )
    assert (found["metric"], found["endpoint"]) == ("error_lines", None)
    assert found["started_at"] == START + timedelta(minutes=120)
    assert found["ended_at"] - found["started_at"] == timedelta(minutes=7)
