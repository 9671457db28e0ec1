"""Logs in which something gets worse, each with its truth."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from benchmarks.detection.logs import (
    Calls,
    Log,
    Shape,
    Truth,
    always,
    between,
    times,
    wave,
    write_figure,
)
from benchmarks.detection.noise import FAMILIES, Floats, Noise, cache, lognormal, pareto, wandering

Story = Callable[[np.random.Generator], Log]

MINUTE, HOUR = 60.0, 3600.0
SEND, EDIT, GUILD, ASK = "/channels/{id}/messages", "/messages/{id}", "/guilds/{id}", "/v1/chat"
_STEADY = ("lognormal", "narrow", "gamma", "weibull", "cache", "spiky", "wandering")


def background(
    log: Log, rng: np.random.Generator, *, but: str = "", rate: Shape | None = None
) -> None:
    """Add endpoints of which nothing is to be told, each with noise of some family."""
    for endpoint, per_minute, base_ms in ((EDIT, 12, 80), (GUILD, 4, 45), (ASK, 6, 900)):
        if endpoint != but:
            noise = FAMILIES[str(rng.choice(_STEADY))]
            Calls(endpoint, per_minute, base_ms, noise, rate=rate or always(1.0)).write(log, rng)


def onset_in(rng: np.random.Generator, log: Log, length: float) -> tuple[float, float]:
    """Return a random start and end of something that takes *length* seconds."""
    start = float(rng.uniform(0.35, 0.85) * (log.seconds - length))
    return start, start + length


def step(
    rng: np.random.Generator,
    *,
    factor: float = 3.0,
    minutes: float = 40.0,
    per_minute: float = 30.0,
    noise: Noise | None = None,
    hours: float = 6.0,
    is_open: bool = False,
) -> Log:
    """Return a log in which one endpoint takes *factor* times as long for a while."""
    log = Log(hours)
    start, end = onset_in(rng, log, minutes * MINUTE)
    end = np.inf if is_open else end
    level = between(start, end, factor)
    noise = noise or lognormal(0.4)
    Calls(SEND, per_minute, 120.0, noise, level, method="POST").write(log, rng)
    log.truths.append(Truth("latency", start, None if is_open else end, SEND))
    background(log, rng)
    return log


def failing(
    rng: np.random.Generator,
    *,
    before: float = 0.004,
    during: float = 0.3,
    minutes: float = 30.0,
    per_minute: float = 30.0,
) -> Log:
    """Return a log in which a share of an endpoint's calls fails for a while."""
    log = Log(6.0)
    start, end = onset_in(rng, log, minutes * MINUTE)
    Calls(SEND, per_minute, errors=between(start, end, during, before)).write(log, rng)
    log.truths.append(Truth("error_ratio", start, end, SEND))
    background(log, rng)
    return log


def ramp(rng: np.random.Generator, *, factor: float = 5.0, minutes: float = 60.0) -> Log:
    """Return a log in which the duration grows bit by bit, then drops back."""
    log = Log(8.0)
    start, top = onset_in(rng, log, minutes * MINUTE)
    end = top + 30 * MINUTE

    def level(at: Floats) -> Floats:
        grown = 1.0 + (factor - 1.0) * np.clip((at - start) / (top - start), 0.0, 1.0)
        return np.where(at < end, grown, 1.0)

    Calls(SEND, 40.0, 120.0, lognormal(0.35), level).write(log, rng)
    slack = max(300.0, minutes * MINUTE / 4)
    log.truths.append(Truth("latency", start, end, SEND, slack_s=slack))
    background(log, rng)
    return log


def tail(
    rng: np.random.Generator,
    *,
    share: float = 0.15,
    factor: float = 12.0,
    per_minute: float = 40.0,
    noise: Noise | None = None,
) -> Log:
    """Return a log in which only some of the calls get slow."""
    log = Log(6.0)
    start, end = onset_in(rng, log, 60 * MINUTE)
    Calls(
        SEND,
        per_minute,
        noise=noise or lognormal(0.4),
        tail=between(start, end, share, 0.0),
        tail_factor=factor,
    ).write(log, rng)
    log.truths.append(Truth("latency", start, end, SEND))
    background(log, rng)
    return log


def relapse(rng: np.random.Generator, *, metric: str = "latency") -> Log:
    """Return a log with two bad stretches and a good one between them."""
    log = Log(8.0)
    first = float(rng.uniform(1.5, 3.0) * HOUR)
    spans = [(first, first + 20 * MINUTE), (first + 65 * MINUTE, first + 100 * MINUTE)]
    is_bad = [between(start, end, 1.0, 0.0) for start, end in spans]

    def bad(at: Floats) -> Floats:
        return np.asarray(np.sum([one(at) for one in is_bad], axis=0))

    calls = Calls(SEND, level=lambda at: 1.0 + 3.0 * bad(at))
    if metric == "error_ratio":
        calls = Calls(SEND, errors=lambda at: 0.005 + 0.25 * bad(at))
    calls.write(log, rng)
    log.truths += [Truth(metric, start, end, SEND) for start, end in spans]
    background(log, rng)
    return log


def night(rng: np.random.Generator, *, days: float = 2.0) -> Log:
    """Return days of a wave, and a step at night that stays below the level of the day."""
    log = Log(24.0 * days)
    daily, traffic = wave(0.6), wave(0.7)
    start = (days - 1) * 86400.0 + float(rng.uniform(16.5, 18.5)) * HOUR
    level = times(daily, between(start, start + 45 * MINUTE, 2.0))
    Calls(SEND, 15.0, 120.0, lognormal(0.35), level, rate=traffic).write(log, rng)
    log.truths.append(Truth("latency", start, start + 45 * MINUTE, SEND))
    Calls(EDIT, 6.0, 80.0, lognormal(0.35), daily, rate=traffic).write(log, rng)
    return log


def daytime(rng: np.random.Generator, *, days: float = 3.0, weekly: bool = False) -> Log:
    """Return days of a wave with an incident in the middle of a day."""
    log = Log(24.0 * days)
    shape = times(wave(0.4), wave(0.3, 7 * 86400.0)) if weekly else wave(0.4)
    start = (days - 1) * 86400.0 + float(rng.uniform(4, 10)) * HOUR
    level = times(shape, between(start, start + 60 * MINUTE, 3.0))
    Calls(SEND, 8.0, 120.0, lognormal(0.4), level, rate=wave(0.8)).write(log, rng)
    Calls(EDIT, 4.0, 60.0, lognormal(0.3), shape, rate=wave(0.8)).write(log, rng)
    log.truths.append(Truth("latency", start, start + 60 * MINUTE, SEND))
    return log


def gap(rng: np.random.Generator) -> Log:
    """Return a log that is silent for twenty minutes and bad from some time after that."""
    log = Log(6.0)
    silent = float(rng.uniform(1.5, 2.5) * HOUR)
    start = silent + 40 * MINUTE
    end = start + 40 * MINUTE
    rate = between(silent, silent + 20 * MINUTE, 0.0)
    Calls(SEND, level=between(start, end, 3.0), rate=rate).write(log, rng)
    log.truths.append(Truth("latency", start, end, SEND))
    background(log, rng, rate=rate)
    return log


def service_wide(rng: np.random.Generator, *, factor: float = 3.0) -> Log:
    """Return a log in which all endpoints get slow at the same moment."""
    log = Log(6.0)
    start, end = onset_in(rng, log, 30 * MINUTE)
    level = between(start, end, factor)
    for endpoint, base_ms in ((SEND, 120.0), (EDIT, 80.0), (GUILD, 45.0), (ASK, 900.0)):
        Calls(endpoint, 15.0, base_ms, lognormal(0.4), level).write(log, rng)
    log.truths.append(Truth("latency", start, end))
    return log


def cascade(rng: np.random.Generator) -> Log:
    """Return a slow dependency, the queue behind it, and a second service that then fails."""
    log = Log(6.0)
    start, end = onset_in(rng, log, 40 * MINUTE)
    Calls(ASK, 20.0, 900.0, lognormal(0.4), between(start, end, 4.0), service="worker").write(
        log, rng
    )
    backed_up = start + 3 * MINUTE
    queue_level = between(backed_up, end, 60.0)
    write_figure(
        log,
        "queue_depth",
        lambda at: rng.poisson(3.0 * queue_level(at)).astype(float),
        rng,
        queue="commands",
        service="worker",
    )
    late = start + 6 * MINUTE
    Calls("/webhook", 20.0, errors=between(late, end, 0.4, 0.004), service="gateway").write(
        log, rng
    )
    log.truths += [
        Truth("latency", start, end, ASK, service="worker"),
        Truth("queue_depth", backed_up, end, queue="commands", service="worker"),
        Truth("error_ratio", late, end, "/webhook", service="gateway"),
    ]
    background(log, rng, but=ASK)
    return log


def queue(rng: np.random.Generator, *, before: float = 2.0, during: float = 80.0) -> Log:
    """Return a log in which a queue backs up."""
    log = Log(6.0)
    start, end = onset_in(rng, log, 30 * MINUTE)
    level = between(start, end, during, before)
    write_figure(
        log, "queue_depth", lambda at: rng.poisson(level(at)).astype(float), rng, queue="jobs"
    )
    log.truths.append(Truth("queue_depth", start, end, queue="jobs"))
    background(log, rng)
    return log


def figure(rng: np.random.Generator, *, name: str, before: float, during: float) -> Log:
    """Return a log in which a resource is used more from some moment on."""
    log = Log(6.0)
    start, end = onset_in(rng, log, 45 * MINUTE)
    level = between(start, end, during, before)
    write_figure(log, name, lambda at: level(at) * rng.lognormal(0, 0.15, at.size), rng)
    log.truths.append(Truth(name, start, end))
    background(log, rng)
    return log


def both(rng: np.random.Generator) -> Log:
    """Return a log in which calls of an endpoint get slow and fail at once."""
    log = Log(6.0)
    start, end = onset_in(rng, log, 30 * MINUTE)
    level, errors = between(start, end, 5.0), between(start, end, 0.2, 0.004)
    Calls(SEND, level=level, errors=errors).write(log, rng)
    log.truths += [Truth("latency", start, end, SEND), Truth("error_ratio", start, end, SEND)]
    background(log, rng)
    return log


def crowd(rng: np.random.Generator) -> Log:
    """Return a log of many thinly used endpoints, of which one gets slow."""
    log = Log(12.0)
    start, end = onset_in(rng, log, 60 * MINUTE)
    for index in range(30):
        noise = FAMILIES[_STEADY[index % len(_STEADY)]]
        level = between(start, end, 4.0) if index == 7 else always(1.0)
        noise = lognormal(0.4) if index == 7 else noise
        Calls(f"/r/{index}", 2.0, 60.0 + 10 * index, noise, level).write(log, rng)
    log.truths.append(Truth("latency", start, end, "/r/7"))
    return log


def after_mix_shift(rng: np.random.Generator) -> Log:
    """Return a log whose traffic moves to a slow endpoint, and a fast one that gets slow later."""
    log = Log(6.0)
    moved = 1.5 * HOUR
    start, end = onset_in(rng, log, 40 * MINUTE)
    Calls(SEND, level=between(start, end, 2.5), rate=between(moved, np.inf, 0.4)).write(log, rng)
    Calls(ASK, 10.0, 2000.0, rate=between(moved, np.inf, 4.0)).write(log, rng)
    log.truths.append(Truth("latency", start, end, SEND))
    return log


def skewed(rng: np.random.Generator) -> Log:
    """Return a step in a log whose second process has a clock that is 40 s behind."""
    log = step(rng)
    late = Log(log.hours)
    start = log.truths[0].started_at
    end = log.truths[0].ended_at or np.inf
    Calls(EDIT, 10.0, 70.0, level=between(start, end, 1.0)).write(late, rng)
    for columns in late.parts:
        log.add(**{**columns, "timestamp": columns["timestamp"].astype(float) - 40.0})
    return log


def burst(rng: np.random.Generator, *, minutes: float = 6.0, factor: float = 8.0) -> Log:
    """Return a short and strong step."""
    return step(rng, factor=factor, minutes=minutes, per_minute=60.0)


STORIES: dict[str, Story] = {
    "step_2x": partial(step, factor=2.0),
    "step_3x": step,
    "step_10x": partial(step, factor=10.0),
    "step_1_7x": partial(step, factor=1.7, minutes=60.0),
    "step_open": partial(step, is_open=True),
    "step_1_a_minute": partial(step, per_minute=1.0, minutes=60.0, factor=4.0, hours=12.0),
    "step_3_a_minute": partial(step, per_minute=3.0, minutes=45.0),
    "step_busy": partial(step, per_minute=200.0, factor=2.0, hours=4.0),
    "step_narrow": partial(step, factor=1.8, noise=lognormal(0.08)),
    "step_broad": partial(step, factor=3.0, noise=lognormal(0.9)),
    "step_gamma": partial(step, noise=FAMILIES["gamma"]),
    "step_weibull": partial(step, factor=4.0, noise=FAMILIES["weibull"]),
    "step_pareto": partial(step, noise=pareto(1.6)),
    "step_cache": partial(step, factor=4.0, noise=cache(0.6), per_minute=40.0),
    "step_wandering": partial(step, factor=3.0, noise=wandering(0.15, 8.0)),
    "step_spiky": partial(step, noise=FAMILIES["spiky"]),
    "burst": burst,
    "burst_4_min": partial(burst, minutes=4.5, factor=15.0),
    "errors_all": partial(failing, during=0.95),
    "errors_30": failing,
    "errors_8": partial(failing, during=0.08, minutes=45.0, per_minute=60.0),
    "errors_thin": partial(failing, during=0.6, per_minute=2.0, minutes=40.0),
    "errors_from_5": partial(failing, before=0.05, during=0.25),
    "ramp_60": ramp,
    "ramp_20": partial(ramp, minutes=20.0, factor=4.0),
    "ramp_120": partial(ramp, minutes=120.0, factor=6.0),
    "tail_15": tail,
    "tail_5": partial(tail, share=0.05, factor=20.0, per_minute=80.0),
    "tail_25_thin": partial(tail, share=0.25, per_minute=12.0),
    "tail_gamma": partial(tail, share=0.2, noise=FAMILIES["gamma"]),
    "relapse": relapse,
    "relapse_errors": partial(relapse, metric="error_ratio"),
    "night_step": night,
    "night_step_4_days": partial(night, days=4.0),
    "daily_wave_step": daytime,
    "weekly_wave_step": partial(daytime, days=8.0, weekly=True),
    "gap": gap,
    "service_wide": service_wide,
    "service_wide_2x": partial(service_wide, factor=2.0),
    "cascade": cascade,
    "queue": queue,
    "queue_low": partial(queue, before=1.0, during=25.0),
    "cpu": partial(figure, name="cpu_percent", before=25.0, during=80.0),
    "connections": partial(figure, name="open_connections", before=20.0, during=90.0),
    "slow_and_failing": both,
    "crowd": crowd,
    "mix_shift_then_step": after_mix_shift,
    "skewed_clock": skewed,
}
"""Logs with truth in them, by name."""
