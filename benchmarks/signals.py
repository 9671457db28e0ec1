"""What signals cost: metrics with each event, one sample of resources, and a bot that idles."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, Counter, Histogram

import logkit
from benchmarks.figures import Figure
from logkit.metrics import deriver
from logkit.pipeline import pipeline
from logkit.resources.sampler import Sampler

if TYPE_CHECKING:
    from collections.abc import Callable

_ROUNDS = 15
_CALLS = 4_000
_IDLE_S = 10.0
_ONE_CORE_S = 1.0
_FIELDS: dict[str, Any] = {
    "endpoint": "/channels/{channel_id}/messages",
    "method": "POST",
    "status_code": 200,
    "duration_ms": 93.4,
    "attempt": 0,
    "guild_id": "81384788765712384",
    "user_id": "80351110224678912",
    "rate_limit_remaining": 4,
    "rate_limit_bucket": "abcd1234",
}


def measure(folder: Path, scale: float) -> list[Figure]:
    """Return the figures; the log of the bot that is measured is in *folder*."""
    logkit.configure("benchmark", path=folder / "logkit.log")
    calls = max(1, int(_CALLS * scale))
    events = _events(calls)
    return [
        *events,
        Figure("one resource sample, CPU", "us", _sample_us(), "log call", events[0].theirs),
        _idle(max(0.05, _IDLE_S * scale)),
    ]


def _events(count: int) -> list[Figure]:
    """Compare a log call with and without metrics, and the metrics alone with their peer."""
    log = logkit.get_logger("benchmark").info
    counter = Counter("events", "", ["event", "level"], registry=CollectorRegistry())
    requests = Counter("requests", "", ["endpoint", "status"], registry=CollectorRegistry())
    durations = Histogram("durations", "", registry=CollectorRegistry())

    def peer() -> None:
        counter.labels("api_call", "info").inc()
        requests.labels(_FIELDS["endpoint"], "2xx").inc()
        durations.observe(0.0934)

    def call() -> None:
        log("api_call", **_FIELDS)

    def observed() -> None:
        pipeline.observe = deriver.observe
        call()
        pipeline.observe = None

    ways: dict[str, Callable[[], object]] = {
        "with": observed,
        "without": call,
        "alone": lambda: deriver.observe("api_call", "info", _FIELDS),
        "peer": peer,
        "nothing": lambda: None,
    }
    costs: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(_ROUNDS):
        for name, way in ways.items():
            costs[name].append(_cpu_us(way, count))
            logkit.flush()
    cost = {name: median(values) for name, values in costs.items()}
    alone, theirs = cost["alone"] - cost["nothing"], cost["peer"] - cost["nothing"]
    return [
        Figure(
            "event with metrics, CPU of the caller",
            "us",
            cost["with"],
            "logkit without",
            cost["without"],
            1.25,
        ),
        Figure(
            "metrics of an event (aim: about 0.4 us), CPU",
            "us",
            alone,
            "prometheus-client",
            theirs,
            0.25,
        ),
    ]


def _sample_us() -> float:
    sampler = Sampler(60.0)
    return median(_cpu_us(sampler.sample, 1) for _ in range(_ROUNDS))


def _idle(seconds: float) -> Figure:
    """Return the CPU of a bot that does nothing but run all samplers at their usual intervals."""
    import asyncio

    async def idle() -> float:
        logkit.resources.start()
        logkit.queues.watch("songs", asyncio.Queue())
        logkit.health.check("fine", lambda: True)
        await asyncio.sleep(min(1.0, seconds))  # the first samples of all are no idling
        before = time.process_time()
        await asyncio.sleep(seconds)
        return (time.process_time() - before) / seconds

    share = asyncio.run(idle())
    logkit.resources.stop()
    logkit.queues.unwatch("songs")
    logkit.health.remove("fine")
    return Figure(
        "all samplers of an idle bot, CPU in a second", "s", share, "one core", _ONE_CORE_S, 0.005
    )


def _cpu_us(way: Callable[[], object], count: int) -> float:
    started = time.thread_time_ns()
    for _ in range(count):
        way()
    return (time.thread_time_ns() - started) / 1e3 / count


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as own_folder:
        print(*measure(Path(own_folder), 1.0), sep="\n")
