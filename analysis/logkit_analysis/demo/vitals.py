"""What a process says about itself: starts, stops, heartbeats, resource and queue samples."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from logkit_analysis.demo import cast
from logkit_analysis.demo.timeline import HOUR, SECOND

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from random import Random

    from logkit_analysis.demo.tape import Tape
    from logkit_analysis.demo.timeline import Span
    from logkit_analysis.demo.traffic import Wait

_MIB = 2**20
_RSS_NOISE_BYTES = 3 * _MIB


@dataclass(frozen=True, slots=True)
class Memory:
    """How a service's memory goes: *base_bytes*, and from *leaks_from* on a steady growth."""

    base_bytes: int
    limit_bytes: int
    leaks_from: int | None = None
    slope_bytes_per_hour: int = 0

    def level(self, at: float) -> float:
        """Return the bytes in use at a moment, without noise."""
        if self.leaks_from is None or at < self.leaks_from:
            return self.base_bytes
        return self.base_bytes + self.slope_bytes_per_hour * (at - self.leaks_from) / HOUR


def lifecycle(tape: Tape) -> None:
    """Log that each process after the first starts; only the first one's fate is untold here."""
    for process in tape.processes[1:]:
        message = f"{tape.service} {process.version} is up"
        tape.log(process.alive.start, "service_started", logger="bot.main", message=message)


def stopped(tape: Tape, at: float) -> None:
    """Log that the service ends in good order."""
    tape.log(at, "service_stopped", logger="bot.main", message="SIGTERM: drained, bye")


def resources(tape: Tape, window: Span, memory: Memory, rng: Random) -> None:
    """Log a resource sample every 15 s while the service runs."""
    for at in _ticks(tape, window, 15 * SECOND, rng):
        tape.log(
            at,
            "resource_sample",
            logger="logkit.resources",
            rss_bytes=int(memory.level(at) + rng.gauss(0, _RSS_NOISE_BYTES)),
            rss_limit_bytes=memory.limit_bytes,
            cpu_percent=round(min(100.0, rng.lognormvariate(2.5, 0.2)), 1),
            open_connections=rng.randrange(9, 14),
            open_fds=rng.randrange(31, 38),
            threads=6,
            loop_lag_ms=round(rng.lognormvariate(0.2, 0.4), 2),
        )


def queue_depths(tape: Tape, window: Span, waits: Sequence[Wait], rng: Random) -> None:
    """Log the depth of the command queue every 10 s while the service runs."""
    queued = sorted(wait.queued_at for wait in waits)
    taken = sorted(wait.taken_at for wait in waits)
    for at in _ticks(tape, window, 10 * SECOND, rng):
        fields: dict[str, Any] = {"queue": cast.QUEUE, "queue_limit": cast.QUEUE_LIMIT}
        depth = bisect_right(queued, at) - bisect_right(taken, at)
        tape.log(at, "queue_sample", logger="logkit.queues", queue_depth=depth, **fields)


def heartbeats(tape: Tape, window: Span, rng: Random) -> None:
    """Log Discord's heartbeat, a duration without endpoint or command: no request."""
    for at in _ticks(tape, window, 41_250, rng):
        duration = round(rng.lognormvariate(4.6, 0.2), 3)
        tape.log(at, "heartbeat_acked", "debug", logger="bot.ws", shard_id=0, duration_ms=duration)


def _ticks(tape: Tape, window: Span, period_ms: int, rng: Random) -> Iterator[int]:
    for tick in range(window.start + rng.randrange(period_ms), window.end, period_ms):
        at = tick + rng.randrange(20)
        # A margin around starts and stops: they are a process's first and last line.
        if tape.is_running(at - SECOND) and tape.is_running(at + SECOND):
            yield at
