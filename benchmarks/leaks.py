"""Memory leaks of simulated processes: which are found, and how well their end is foretold.

The truth is the moment at which the simulated process itself would meet its limit, had it gone on.
The peer is a least-squares line through all of its samples, as ``predict_linear`` of Prometheus
draws it, that alarms where it rises by a twentieth.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import exp, pi, sin
from random import Random
from statistics import linear_regression
from typing import TYPE_CHECKING, Any

from logkit_analysis.detect.leaks import detect
from logkit_analysis.results import Column, ResultSet

from benchmarks.figures import Figure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

_START = datetime(2026, 1, 31, tzinfo=UTC)
_MB = 1 << 20
_SEEDS = 12
_PEER = "a least-squares line"
_NAMES = "service instance pid metric bucket_at samples mean_at least_bytes mean_bytes"
_COLUMNS = tuple(Column(name, "") for name in (*_NAMES.split(), "greatest_limit_bytes", "events"))


@dataclass(frozen=True, slots=True)
class Process:
    """A simulated process.

    Attributes:
        shape: Name of what its memory does.
        used_mb: Memory by hours since its start, without the noise.
        hours: How long it is watched.
        limit_mb: Limit by hours since its start.
        noise_mb: Spread of a sample.
        is_leak: Whether it grows without end.
        metric: Which memory.
        load: Requests a minute by hours since its start.
    """

    shape: str
    used_mb: Callable[[float], float]
    hours: float
    is_leak: bool
    limit_mb: Callable[[float], float] = field(default=lambda _: 1000.0)
    noise_mb: float = 2.0
    metric: str = "rss_bytes"
    load: Callable[[float], float] = field(default=lambda _: 60.0)
    sample_s: float = 15.0

    def exhausted_after(self) -> float | None:
        """Return the hours from the start until memory meets the limit for the first time."""
        limit, step = self.limit_mb(self.hours), 1 / 120
        hours = self.hours
        while hours < 400 * self.hours:
            if self.used_mb(hours) >= limit:
                return hours
            hours += step
        return None


def _straight(base: float, rate: float) -> Callable[[float], float]:
    return lambda hour: base + rate * hour


def _saw(period_h: float, amplitude: float, phase: float = 0.0) -> Callable[[float], float]:
    return lambda hour: amplitude * ((hour / period_h + phase) % 1)


def _wave(amplitude: float, phase: float, period_h: float = 24) -> Callable[[float], float]:
    return lambda hour: amplitude * sin(2 * pi * (hour / period_h + phase))


def leaking(rng: Random) -> Iterator[Process]:
    """Yield one process of every shape that leaks."""
    base, limit = rng.uniform(120, 350), 1000.0
    rate = rng.uniform(5, 60)
    hours = rng.uniform(0.3, 0.75) * (limit - base) / rate
    line = _straight(base, rate)
    yield Process("straight", line, hours, True)
    yield Process("noisy", line, hours, True, noise_mb=rng.uniform(10, 30))
    saw = _saw(rng.uniform(0.1, hours / 8), rng.uniform(20, 90), rng.random())
    yield Process("sawtooth", lambda h: line(h) + saw(h), hours, True)
    slow = rng.uniform(2, 8)
    days = rng.uniform(0.3, 0.7) * (limit - base) / slow
    wave = _wave(rng.uniform(10, 60), rng.random())
    yield Process("wave", lambda h: base + slow * h + wave(h), days, True, noise_mb=5)
    warm = rng.uniform(30, 120)
    yield Process("warm_up", lambda h: line(h) + warm * (1 - exp(-6 * h)), hours, True)
    step = rng.uniform(0.15, 0.9) * hours
    yield Process("step", lambda h: line(h) + 60 * (h > step), hours, True)
    change = rng.uniform(0.2, 0.9) * hours
    yield Process(
        "limit_raised", line, hours, True, limit_mb=lambda h: 1400.0 if h > change else limit
    )
    yield Process(
        "limit_lowered", line, hours, True, limit_mb=lambda h: limit if h > change else 2000.0
    )
    yield Process("gpu", line, hours, True, metric="gpu_memory_bytes", noise_mb=0.5)
    stairs = rng.uniform(0.02, 0.06) * hours
    yield Process("stairs", lambda h: base + rate * stairs * (h // stairs), hours, True)
    yield Process("sparse", line, hours, True, sample_s=300)
    young = rng.uniform(0.75, 2)
    fast = rng.uniform(100, 250)
    yield Process("fast", lambda h: base + fast * h, young, True, noise_mb=4)
    yield Process(
        "with_traffic",
        lambda h: base + slow * (h - 6 / pi * sin(2 * pi * h / 24)),
        days,
        True,
        load=lambda h: 60 - 30 * (1 - sin(2 * pi * h / 24)),
    )


def sound(rng: Random) -> Iterator[Process]:
    """Yield one process of every shape that does not leak."""
    base, hours = rng.uniform(120, 500), rng.choice([3, 6, 10, 24, 36, 50, 72, 120])
    yield Process("steady", lambda _: base, hours, False, noise_mb=rng.uniform(1, 25))
    tau = rng.uniform(0.05, 0.3) * hours
    growth = rng.uniform(50, 300)
    yield Process("plateau", lambda h: base + growth * (1 - exp(-h / tau)), hours, False)
    late = hours * rng.uniform(0.5, 0.9)
    yield Process("filling", lambda h: base + growth * min(h / late, 1), hours, False)
    wave = _wave(rng.uniform(20, 100), rng.random())
    days = rng.uniform(20, 80)
    yield Process("daily_wave", lambda h: base + wave(h), days, False, noise_mb=6)
    short = rng.uniform(1, 4)
    quick = _wave(rng.uniform(20, 100), rng.random(), short)
    yield Process("wave", lambda h: base + quick(h), hours, False)
    saw = _saw(hours / rng.uniform(1.6, 40), rng.uniform(30, 200), rng.random())
    yield Process("sawtooth", lambda h: base + saw(h), hours, False)
    at = rng.uniform(0.1, 0.9) * hours
    yield Process("step", lambda h: base + growth * (h > at), hours, False)
    more = rng.uniform(0.1, 0.9) * hours
    yield Process("two_steps", lambda h: base + growth / 2 * ((h > at) + (h > more)), hours, False)
    walk = _walk(rng, hours)
    yield Process("wandering", lambda h: base + walk(h), hours, False)
    yield Process("shrinking", lambda h: base - 0.5 * base * h / hours, hours, False)
    morning, part, phase = rng.uniform(20, 100), rng.uniform(3, 12), rng.random()
    day = _wave(1, phase)
    yield Process(
        "part_of_a_day",
        lambda h: base + morning * day(h),
        part,
        False,
        load=lambda h: 60 + 50 * day(h),
    )
    yield Process("short_burst", lambda h: base + growth * (abs(h - at) < 0.2), hours, False)


def _walk(rng: Random, hours: float) -> Callable[[float], float]:
    """Return a level that is pulled back to its middle and pushed about at random."""
    levels = [0.0]
    for _ in range(200):
        levels.append(levels[-1] * 0.9 + rng.gauss(0, 8))
    return lambda hour: levels[min(int(hour / hours * 200), 200)]


def bins_of(process: Process, rng: Random) -> ResultSet:
    """Return what `memory_growth` would hand to its detector."""
    rows, seconds = [], 60 * round(max(1.0, process.sample_s / 60))
    per_bin = max(1, round(seconds / process.sample_s))
    for number in range(int(process.hours * 3600 / seconds)):
        places = [(number + (i + 0.5) / per_bin) * seconds / 3600 for i in range(per_bin)]
        used = [(process.used_mb(h) + rng.gauss(0, process.noise_mb)) * _MB for h in places]
        at = _START + timedelta(seconds=number * seconds)
        mean_at = _START + timedelta(hours=sum(places) / per_bin)
        rows.append(
            (
                *("bot", "i", 7, process.metric, at, per_bin, mean_at),
                *(min(used), sum(used) / per_bin, process.limit_mb(places[-1]) * _MB),
                max(0, round(rng.gauss(1, 0.1) * process.load(places[0]) * seconds / 60)),
            )
        )
    return ResultSet(_COLUMNS, rows)


def foretold(found: ResultSet) -> float | None:
    """Return the hours from the start until the limit as the detector tells them."""
    (row,) = detect(found, lambda _: found).dicts()
    end = row["exhausts_at"]
    return (end - _START) / timedelta(hours=1) if isinstance(end, datetime) else None


def straight_line(found: ResultSet) -> float | None:
    """Return the hours from the start until a least-squares line meets the limit."""
    rows: list[dict[str, Any]] = list(found.dicts())
    hours = [(row["mean_at"] - _START) / timedelta(hours=1) for row in rows]
    slope, offset = linear_regression(hours, [row["mean_bytes"] for row in rows])
    if slope * (hours[-1] - hours[0]) < 0.05 * offset:
        return None
    return float((rows[-1]["greatest_limit_bytes"] - offset) / slope)


@dataclass(slots=True)
class Score:
    """How a shape fared: processes, alarms, and relative errors of the time that is left."""

    processes: int = 0
    alarms: int = 0
    errors: list[float] = field(default_factory=list)

    def add(self, process: Process, end: float | None) -> None:
        """Count what was told about *process*: the hour of its end, or that there is none."""
        self.processes += 1
        self.alarms += end is not None
        truth = process.exhausted_after() if process.is_leak else None
        if end is not None and truth is not None:
            self.errors.append(abs(end - truth) / (truth - process.hours))


def scores(
    judge: Callable[[ResultSet], float | None], seeds: Iterable[int]
) -> tuple[dict[str, Score], dict[str, Score]]:
    """Return what *judge* reaches by shape, on what leaks and on what is sound."""
    leaks: dict[str, Score] = {}
    others: dict[str, Score] = {}
    for seed in seeds:
        rng = Random(seed)
        for process in (*leaking(rng), *sound(rng)):
            kind = leaks if process.is_leak else others
            kind.setdefault(process.shape, Score()).add(process, judge(bins_of(process, rng)))
    return leaks, others


def percentile_error(found: Iterable[Score], percent: int) -> float:
    """Return a percentile of the errors of all ends foretold, in percent of the time left."""
    errors = sorted(error for one in found for error in one.errors)
    return 100 * errors[(len(errors) - 1) * percent // 100]


def measure(folder: Path, scale: float) -> list[Figure]:
    """Return errors of the foretold ends, leaks missed and false alarms, against a plain line."""
    del folder
    seeds = range(max(1, round(_SEEDS * scale)))
    ours, theirs = scores(foretold, seeds), scores(straight_line, seeds)
    leaks, others = (sum(one.processes for one in kind.values()) for kind in ours)
    found = [float(sum(s.alarms for s in kind[0].values())) for kind in (ours, theirs)]
    alarms = [float(sum(s.alarms for s in kind[1].values())) for kind in (ours, theirs)]
    end = f"end of {leaks} simulated leaks, error of the"
    halves = [percentile_error(kind[0].values(), 50) for kind in (ours, theirs)]
    tenths = [percentile_error(kind[0].values(), 90) for kind in (ours, theirs)]
    unit = "% of the time left"
    return [
        Figure(f"{end} median", unit, halves[0], _PEER, halves[1]),
        Figure(f"{end} worst tenth at least", unit, tenths[0], _PEER, tenths[1]),
        Figure(f"leaks found of {leaks}", "leaks", found[0], _PEER, found[1]),
        Figure(f"false alarms on {others} sound processes", "alarms", alarms[0], _PEER, alarms[1]),
    ]
