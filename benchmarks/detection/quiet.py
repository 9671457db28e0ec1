"""Logs in which nothing gets worse, though much happens."""

from __future__ import annotations

from functools import partial

import numpy as np

from benchmarks.detection.logs import Calls, Log, always, between, times, wave, write_figure
from benchmarks.detection.noise import FAMILIES, Floats, Noise, cache, lognormal, wandering
from benchmarks.detection.stories import ASK, EDIT, GUILD, HOUR, MINUTE, SEND, Story, background


def steady(
    rng: np.random.Generator, *, noise: Noise, per_minute: float = 20.0, hours: float = 24.0
) -> Log:
    """Return a log of calls that never change, with noise of one family."""
    log = Log(hours)
    for endpoint, share, base_ms in ((SEND, 1.0, 120.0), (EDIT, 0.4, 80.0), (GUILD, 0.1, 400.0)):
        Calls(endpoint, per_minute * share, base_ms, noise).write(log, rng)
    return log


def storm(rng: np.random.Generator) -> Log:
    """Return a log with storms of 429s, which are no errors."""
    log = Log(24.0)
    start = float(rng.uniform(8, 14) * HOUR)
    limited = between(start, start + 20 * MINUTE, 0.7, 0.01)
    Calls(SEND, 20.0, limited=limited, rate=between(start, start + 20 * MINUTE, 4.0)).write(
        log, rng
    )
    background(log, rng)
    return log


def mix_shift(rng: np.random.Generator) -> Log:
    """Return a log whose traffic moves from a fast endpoint to a slow one, and a new one comes."""
    log = Log(24.0)
    moved = float(rng.uniform(6, 16) * HOUR)
    Calls(SEND, 30.0, 60.0, rate=between(moved, np.inf, 0.2)).write(log, rng)
    Calls(ASK, 4.0, 3000.0, lognormal(0.6), rate=between(moved, np.inf, 6.0)).write(log, rng)
    Calls(
        "/v2/images", 6.0, 9000.0, errors=always(0.1), rate=between(moved, np.inf, 1.0, 0.0)
    ).write(log, rng)
    return log


def improvement(rng: np.random.Generator) -> Log:
    """Return a log in which a deploy makes things faster and less faulty."""
    log = Log(24.0)
    deploy = float(rng.uniform(6, 16) * HOUR)
    level = between(deploy, np.inf, 0.3)
    errors = between(deploy, np.inf, 0.002, 0.06)
    Calls(SEND, 20.0, 400.0, level=level, errors=errors).write(log, rng)
    background(log, rng)
    return log


def cron(rng: np.random.Generator, *, minutes: float, every_hours: float) -> Log:
    """Return a log with a bump that comes again and again at the same time."""
    log = Log(24.0 if every_hours < 24 else 72.0)
    period, first = every_hours * HOUR, float(rng.uniform(0, every_hours * HOUR))

    def level(at: Floats) -> Floats:
        return np.where((at - first) % period < minutes * MINUTE, 3.0, 1.0)

    Calls(SEND, 20.0 if every_hours < 24 else 8.0, level=level).write(log, rng)
    background(log, rng)
    return log


def restarts(rng: np.random.Generator) -> Log:
    """Return a log with restarts: a minute of silence, and a slow minute after it."""
    log = Log(24.0)
    at_s = np.sort(rng.uniform(1, 23, 4)) * HOUR

    def since(at: Floats) -> Floats:
        passed = np.where(at[:, None] >= at_s, at[:, None] - at_s, np.inf)
        return np.asarray(np.min(passed, axis=1))

    def rate(at: Floats) -> Floats:
        return np.where(since(at) < MINUTE, 0.0, 1.0)

    Calls(SEND, 25.0, level=lambda at: 1 + 3 * np.exp(-since(at) / 60.0), rate=rate).write(log, rng)
    Calls(EDIT, 10.0, 70.0, rate=rate).write(log, rng)
    return log


def waves(rng: np.random.Generator, *, days: float, weekly: bool = False) -> Log:
    """Return days and nights: traffic, durations, queue and processor follow the users."""
    log = Log(24.0 * days)
    shape = times(wave(0.45), wave(0.25, 7 * 86400.0)) if weekly else wave(0.45)
    traffic = times(wave(0.9), wave(0.4, 7 * 86400.0)) if weekly else wave(0.9)
    Calls(SEND, 8.0, 120.0, lognormal(0.4), shape, rate=traffic).write(log, rng)
    Calls(EDIT, 3.0, 60.0, lognormal(0.3), shape, rate=traffic).write(log, rng)
    write_figure(
        log,
        "queue_depth",
        lambda at: rng.poisson(6 * traffic(at)).astype(float),
        rng,
        queue="jobs",
        every_s=60.0,
    )
    write_figure(
        log,
        "cpu_percent",
        lambda at: 25 * traffic(at) * rng.lognormal(0, 0.2, at.size),
        rng,
        every_s=60.0,
    )
    return log


def drift(rng: np.random.Generator) -> Log:
    """Return a log in which durations grow by half in a day: too slow for an incident."""
    log = Log(24.0)
    Calls(SEND, 20.0, level=lambda at: 1.0 + 0.5 * at / log.seconds).write(log, rng)
    background(log, rng)
    return log


def spikes(rng: np.random.Generator) -> Log:
    """Return a log with bad minutes: each over before anybody could look."""
    log = Log(24.0)
    at_s = np.sort(rng.uniform(0.5, 23.5, 8)) * HOUR

    def level(at: Floats) -> Floats:
        near = np.any((at[:, None] >= at_s) & (at[:, None] < at_s + 50.0), axis=1)
        return np.where(near, 6.0, 1.0)

    Calls(SEND, 30.0, level=level).write(log, rng)
    background(log, rng)
    return log


def small_step(rng: np.random.Generator) -> Log:
    """Return a log with a change that is real and too small for anybody to care."""
    log = Log(24.0)
    start = float(rng.uniform(8, 16) * HOUR)
    level, errors = between(start, np.inf, 1.12), between(start, np.inf, 0.006, 0.004)
    Calls(SEND, 60.0, noise=lognormal(0.2), level=level, errors=errors).write(log, rng)
    background(log, rng)
    return log


def idle(rng: np.random.Generator) -> Log:
    """Return a log of a bot that hardly anybody uses."""
    log = Log(72.0)
    for endpoint, per_minute in ((SEND, 0.2), (EDIT, 0.05), (ASK, 0.02)):
        Calls(endpoint, per_minute, 200.0, lognormal(0.8), errors=always(0.03)).write(log, rng)
    return log


def bursty(rng: np.random.Generator) -> Log:
    """Return a log whose traffic comes in bursts, with queues that fill and empty at once."""
    log = Log(24.0)
    at_s = np.sort(rng.uniform(0.5, 23.5, 20)) * HOUR

    def rate(at: Floats) -> Floats:
        near = np.any((at[:, None] >= at_s) & (at[:, None] < at_s + 90.0), axis=1)
        return np.where(near, 9.0, 1.0)

    Calls(SEND, 10.0, rate=rate).write(log, rng)
    write_figure(
        log, "queue_depth", lambda at: rng.poisson(2 * rate(at)).astype(float), rng, queue="jobs"
    )
    background(log, rng)
    return log


def saw(rng: np.random.Generator) -> Log:
    """Return a log of noisy resources: a processor in bursts, a pool that breathes."""
    log = Log(24.0)
    write_figure(log, "cpu_percent", lambda at: 100 * rng.beta(1.2, 3.0, at.size), rng)
    write_figure(
        log,
        "open_connections",
        lambda at: 20 + 10 * ((at / 600.0) % 1.0) + rng.poisson(3, at.size),
        rng,
    )
    write_figure(
        log, "queue_depth", lambda at: rng.geometric(0.2, at.size) - 1.0, rng, queue="jobs"
    )
    background(log, rng)
    return log


QUIET: dict[str, Story] = {
    **{f"quiet_{name}": partial(steady, noise=noise) for name, noise in FAMILIES.items()},
    "quiet_wandering_slow": partial(steady, noise=wandering(0.15, 40.0)),
    "quiet_wandering_far": partial(steady, noise=wandering(0.3, 10.0)),
    "quiet_cache_90": partial(steady, noise=cache(0.9, 40.0)),
    "quiet_thin": partial(steady, noise=lognormal(0.7), per_minute=1.0, hours=48.0),
    "quiet_idle": idle,
    "quiet_storm_429": storm,
    "quiet_mix_shift": mix_shift,
    "quiet_improvement": improvement,
    "quiet_cron_hourly": partial(cron, minutes=6.0, every_hours=1.0),
    "quiet_cron_minute": partial(cron, minutes=1.0, every_hours=0.5),
    "quiet_cron_nightly": partial(cron, minutes=40.0, every_hours=24.0),
    "quiet_restarts": restarts,
    "quiet_daily_wave": partial(waves, days=3.0),
    "quiet_weekly_wave": partial(waves, days=9.0, weekly=True),
    "quiet_drift": drift,
    "quiet_spikes": spikes,
    "quiet_small_step": small_step,
    "quiet_bursty": bursty,
    "quiet_saw": saw,
}
"""Logs in which nothing is wrong, by name."""
