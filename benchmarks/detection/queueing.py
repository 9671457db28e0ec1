"""Logs held out from all tuning: calls wait for workers, and what they wait is their latency.

Nothing here has a level and a factor of noise. Load comes in bursts, workers serve in order of
arrival, and a degradation is a cause (workers lost, work that takes longer, a dependency that
fails), not an effect.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.detection.logs import Log, Shape, Truth, always, between, times, wave, write_calls
from benchmarks.detection.stories import HOUR, MINUTE, Story

if TYPE_CHECKING:
    from benchmarks.detection.noise import Floats

_TIMEOUT_MS = 10_000.0
_STEADY, _NONE, _FEW = always(1.0), always(0.0), always(0.003)


@dataclass(frozen=True, slots=True)
class Pool:
    """Workers that serve the calls of one endpoint.

    Attributes:
        endpoint: Route template.
        workers: How many serve at a time.
        work_ms: Mean time that a call takes once it is served.
        stages: Stages of the work: fewer make it more uneven.
        per_minute: Calls a minute on average.
        slowdown: Factor of the work over time.
        lost: Workers that are away over time.
        refused: Share of calls that fail at once over time.
        load: Factor of the calls a minute over time.
    """

    endpoint: str
    workers: int = 6
    work_ms: float = 300.0
    stages: int = 2
    per_minute: float = 25.0
    slowdown: Shape = _STEADY
    lost: Shape = _NONE
    refused: Shape = _FEW
    load: Shape = _STEADY

    def write(self, log: Log, rng: np.random.Generator) -> None:
        """Add the calls to *log*."""
        at = _bursts(rng, log.seconds, self.per_minute, self.load)
        work = rng.gamma(self.stages, self.work_ms / self.stages, at.size) * self.slowdown(at)
        network = 15.0 + rng.exponential(12.0, at.size)
        duration = network + _served(at, work, self.workers - self.lost(at))
        status = np.where(rng.random(at.size) < self.refused(at), 502, 200)
        duration = np.where(status == 502, network, duration)
        status = np.where(duration > _TIMEOUT_MS, 504, status)
        write_calls(log, at, np.minimum(duration, _TIMEOUT_MS), status, self.endpoint)


def _bursts(rng: np.random.Generator, seconds: float, per_minute: float, load: Shape) -> Floats:
    """Return arrivals at a pace that changes at random every few minutes."""
    pace = np.repeat(rng.gamma(4.0, 0.25, int(seconds // 120) + 1), 120)[: int(seconds)]
    expected = pace * load(np.arange(int(seconds), dtype=np.float64)) * per_minute / 60.0
    counts = rng.poisson(expected)
    return np.sort(np.repeat(np.arange(counts.size), counts) + rng.random(int(counts.sum())))


def _served(at: Floats, work_ms: Floats, workers: Floats) -> Floats:
    """Return how long calls take in milliseconds, first come first served."""
    busy: list[float] = []
    taken = np.empty(at.size)
    for index, (arrived, work, most) in enumerate(zip(at, work_ms, workers, strict=True)):
        while busy and busy[0] <= arrived:
            heapq.heappop(busy)
        begun = arrived
        while len(busy) >= most:
            begun = heapq.heappop(busy)
        heapq.heappush(busy, begun + work / 1e3)
        taken[index] = (begun - arrived) * 1e3 + work
    return taken


def _onset(rng: np.random.Generator, log: Log, minutes: float) -> tuple[float, float]:
    start = float(rng.uniform(0.4, 0.8) * (log.seconds - minutes * MINUTE))
    return start, start + minutes * MINUTE


def _others(log: Log, rng: np.random.Generator) -> None:
    Pool("/files", 4, 150.0, 1, 10.0).write(log, rng)
    Pool("/users", 20, 25.0, 3, 15.0).write(log, rng)


def slower_work(rng: np.random.Generator, *, factor: float, minutes: float = 45.0) -> Log:
    """Return a log in which the work behind an endpoint takes longer."""
    log = Log(8.0)
    start, end = _onset(rng, log, minutes)
    Pool("/render", 30, slowdown=between(start, end, factor)).write(log, rng)
    log.truths.append(Truth("latency", start, end, "/render"))
    _others(log, rng)
    return log


def workers_lost(rng: np.random.Generator) -> Log:
    """Return a log in which so few workers are left that calls queue until they time out."""
    log = Log(8.0)
    start, end = _onset(rng, log, 30.0)
    Pool("/render", 6, 700.0, 3, 90.0, lost=between(start, end, 5.0, 0.0)).write(log, rng)
    log.truths.append(Truth("latency", start, end + 5 * MINUTE, "/render"))
    log.truths.append(Truth("error_ratio", start, end, "/render", is_required=False))
    _others(log, rng)
    return log


def dependency_down(rng: np.random.Generator, *, share: float) -> Log:
    """Return a log in which a dependency refuses a share of the calls."""
    log = Log(8.0)
    start, end = _onset(rng, log, 25.0)
    Pool("/render", 12, refused=between(start, end, share, 0.003)).write(log, rng)
    log.truths.append(Truth("error_ratio", start, end, "/render"))
    _others(log, rng)
    return log


def machine_slow(rng: np.random.Generator) -> Log:
    """Return a log in which the machine is slow: all endpoints at once."""
    log = Log(8.0)
    start, end = _onset(rng, log, 35.0)
    slow = between(start, end, 3.0)
    for endpoint, work_ms in (("/render", 300.0), ("/files", 150.0), ("/users", 60.0)):
        Pool(endpoint, 30, work_ms, slowdown=slow).write(log, rng)
    log.truths.append(Truth("latency", start, end))
    return log


def leak(rng: np.random.Generator) -> Log:
    """Return a log in which the work takes longer and longer, until a restart."""
    log = Log(8.0)
    start, end = _onset(rng, log, 80.0)

    def slowdown(at: Floats) -> Floats:
        inside = (at >= start) & (at < end)
        return np.where(inside, 1.0 + 5.0 * (at - start) / (end - start), 1.0)

    Pool("/render", 40, slowdown=slowdown, stages=4).write(log, rng)
    log.truths.append(Truth("latency", start, end, "/render", slack_s=1200.0))
    _others(log, rng)
    return log


def quiet(
    rng: np.random.Generator, *, workers: int = 12, days: float = 1.0, load: Shape | None = None
) -> Log:
    """Return a log of pools with room for their load."""
    log = Log(24.0 * days)
    Pool("/render", workers, load=load or always(1.0)).write(log, rng)
    Pool("/files", 4, 150.0, 1, 6.0, load=load or always(1.0)).write(log, rng)
    Pool("/users", 20, 25.0, 3, 3.0).write(log, rng)
    return log


def pauses(rng: np.random.Generator) -> Log:
    """Return a log of a machine that stops for a few seconds now and then."""
    log = Log(24.0)
    at_s = np.sort(rng.uniform(0, log.seconds, 60))

    def slowdown(at: Floats) -> Floats:
        return np.where(
            np.any((at[:, None] >= at_s) & (at[:, None] < at_s + 4.0), axis=1), 9.0, 1.0
        )

    Pool("/render", 20, slowdown=slowdown, per_minute=15.0).write(log, rng)
    Pool("/users", 20, 25.0, 3, 10.0, slowdown=slowdown).write(log, rng)
    return log


def nightly(rng: np.random.Generator) -> Log:
    """Return a log with a backup each night that slows the work down."""
    log = Log(96.0)
    first = float(rng.uniform(1, 4)) * HOUR

    def slowdown(at: Floats) -> Floats:
        return np.where((at - first) % 86400.0 < 50 * MINUTE, 2.5, 1.0)

    Pool("/render", 30, slowdown=slowdown, per_minute=6.0, load=wave(0.5)).write(log, rng)
    return log


HELD_OUT: dict[str, Story] = {
    "work_2x": partial(slower_work, factor=2.0),
    "work_3x": partial(slower_work, factor=3.0),
    "work_6x_short": partial(slower_work, factor=6.0, minutes=10.0),
    "workers_lost": workers_lost,
    "dependency_40": partial(dependency_down, share=0.4),
    "dependency_10": partial(dependency_down, share=0.1),
    "machine_slow": machine_slow,
    "leak": leak,
    "quiet_pool": quiet,
    "quiet_tight_pool": partial(quiet, workers=3),
    "quiet_waves": partial(quiet, days=3.0, load=wave(0.7)),
    "quiet_weeks": partial(quiet, days=8.0, load=times(wave(0.6), wave(0.4, 7 * 86400.0))),
    "quiet_pauses": pauses,
    "quiet_nightly": nightly,
}
"""Logs that no threshold was chosen on, by name."""
