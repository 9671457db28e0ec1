"""A simulated log: calls and samples of a bot, as columns of the `events` table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from benchmarks.detection.noise import Floats, Noise, lognormal

Shape = Callable[[Floats], Floats]
"""Times in seconds since the start of the log in, a value for each out."""

SERVICE = "bot"


@dataclass(frozen=True, slots=True)
class Truth:
    """One degradation that is in a log.

    Attributes:
        metric: As `degradation_start` names it.
        started_at: Seconds since the start of the log.
        ended_at: The same; ``None`` while it is going on.
        endpoint: Route template; ``None`` for the whole service.
        queue: Name of the queue.
        service: Logical name.
        slack_s: How far off an onset may be and still count as this one.
        is_required: ``False`` if a detector may report it or not, as an effect of another.
    """

    metric: str
    started_at: float
    ended_at: float | None = None
    endpoint: str | None = None
    queue: str | None = None
    service: str = SERVICE
    slack_s: float = 300.0
    is_required: bool = True


@dataclass(slots=True)
class Log:
    """Rows of a simulated log in columns; times are seconds since its start.

    Attributes:
        hours: How long it is.
        truths: What is wrong in it.
        parts: Rows as they were added: equally long columns.
    """

    hours: float
    truths: list[Truth] = field(default_factory=list)
    parts: list[dict[str, Floats]] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """How long it is, in seconds."""
        return self.hours * 3600.0

    def add(self, **columns: Floats) -> None:
        """Add rows: equally long columns, `timestamp` among them (seconds)."""
        self.parts.append(columns)

    def columns(self) -> dict[str, list[Floats]]:
        """Return for each column its parts, missing ones as empty objects (NULL)."""
        names = sorted({name for part in self.parts for name in part})
        sizes = [part["timestamp"].size for part in self.parts]
        return {
            name: [
                part.get(name, np.full(size, None, dtype=object))
                for part, size in zip(self.parts, sizes, strict=True)
            ]
            for name in names
        }


def always(value: float) -> Shape:
    """Return a shape that does not change."""
    return lambda at: np.full(at.size, value)


def between(start: float, end: float, inside: float, outside: float = 1.0) -> Shape:
    """Return *inside* from *start* up to *end* and *outside* otherwise."""
    return lambda at: np.where((at >= start) & (at < end), inside, outside)


def times(*shapes: Shape) -> Shape:
    """Return the product of *shapes*."""

    def product(at: Floats) -> Floats:
        result: Floats = np.ones(at.size)
        for shape in shapes:
            result = result * shape(at)
        return result

    return product


def wave(depth: float, period_s: float = 86400.0, phase: float = 0.0) -> Shape:
    """Return a wave around 1 that is *depth* on the log scale: day and night."""
    return lambda at: np.exp(depth * np.sin(2 * np.pi * at / period_s + phase))


def arrivals(rng: np.random.Generator, seconds: float, per_minute: float, rate: Shape) -> Floats:
    """Return the sorted times of a Poisson process with a rate that changes."""
    grid = np.arange(0.0, seconds, 10.0)
    most = float(rate(grid).max(initial=0.0)) * per_minute / 60.0
    at = np.sort(rng.uniform(0.0, seconds, rng.poisson(most * seconds)))
    kept = rng.random(at.size) * most < rate(at) * per_minute / 60.0
    return at[kept]


_USUAL = lognormal(0.4)
_STEADY, _NONE, _FEW = always(1.0), always(0.0), always(0.004)


@dataclass(frozen=True, slots=True)
class Calls:
    """Calls of one endpoint.

    Attributes:
        endpoint: Route template.
        per_minute: Calls a minute.
        base_ms: Level of the duration.
        noise: Factor of a single call.
        level: Factor of the level over time.
        errors: Share of calls that fail over time.
        tail: Share of calls that take *tail_factor* times as long, over time.
        limited: Share of calls answered with 429 over time.
        rate: Factor of the calls a minute over time.
    """

    endpoint: str
    per_minute: float = 30.0
    base_ms: float = 120.0
    noise: Noise = _USUAL
    level: Shape = _STEADY
    errors: Shape = _FEW
    tail: Shape = _NONE
    tail_factor: float = 10.0
    limited: Shape = _NONE
    rate: Shape = _STEADY
    service: str = SERVICE
    method: str = "GET"

    def write(self, log: Log, rng: np.random.Generator) -> None:
        """Add the calls to *log*."""
        at = arrivals(rng, log.seconds, self.per_minute, self.rate)
        duration = self.base_ms * self.level(at) * self.noise(rng, at)
        duration = np.where(rng.random(at.size) < self.tail(at), self.tail_factor, 1.0) * duration
        status = np.full(at.size, 200)
        is_error = rng.random(at.size) < self.errors(at)
        status[is_error] = rng.choice([500, 502, 503], int(is_error.sum()))
        status[rng.random(at.size) < self.limited(at)] = 429
        write_calls(
            log, at, duration, status, self.endpoint, method=self.method, service=self.service
        )


def write_calls(
    log: Log,
    at: Floats,
    duration: Floats,
    status: Floats,
    endpoint: str,
    *,
    method: str = "GET",
    service: str = SERVICE,
) -> None:
    """Add calls that start *at* some seconds and take *duration* milliseconds."""
    size = at.size
    log.add(
        timestamp=at + duration / 1e3,
        level=np.where(status >= 400, "error", "info"),
        service=np.full(size, service),
        event=np.where(status >= 400, "api_call_failed", "api_call"),
        endpoint=np.full(size, endpoint),
        method=np.full(size, method),
        status_code=status.astype(np.int32),
        duration_ms=np.round(duration, 3),
    )


def write_figure(
    log: Log,
    name: str,
    values: Shape,
    rng: np.random.Generator,
    *,
    every_s: float = 15.0,
    queue: str | None = None,
    service: str = SERVICE,
) -> None:
    """Add samples of a queue or a resource: *name* is the column, *values* may be random."""
    at = np.arange(rng.uniform(0, every_s), log.seconds, every_s)
    columns: dict[str, Floats] = {
        "timestamp": at,
        "level": np.full(at.size, "info"),
        "service": np.full(at.size, service),
        "event": np.full(at.size, "resource_sample" if queue is None else "queue_sample"),
        name: np.maximum(values(at), 0.0),
    }
    if queue is not None:
        columns["queue"] = np.full(at.size, queue)
    log.add(**columns)
