"""Queues that are watched: a sample of each at intervals, apart from those who work on it."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, Any

from logkit.asking import ask, running_loop
from logkit.loops import loops
from logkit.periodic import Periodic
from logkit.queues.clock import clock_of
from logkit.reports import report, report_failure

if TYPE_CHECKING:
    from collections.abc import Callable

_TIMEOUT_S = 5.0
_watches: dict[str, QueueWatch] = {}


class QueueWatch:
    """One queue, and what was seen of it last.

    Args:
        name: Name of the queue.
        target: The queue, or what returns its depth.
        limit: Items that it can hold, or ``None`` to ask the queue.
    """

    def __init__(self, name: str, target: Any, limit: int | None) -> None:
        self._name = name
        self._depth = _depth_of(target)
        self._limit = _limit_of(target) if limit is None else limit
        self._loop = running_loop()
        self._clock = clock_of(name, target)
        self._seen = (time.monotonic(), 0, 0, 0.0)

    def oldest_ms(self) -> float | None:
        """Return for how long the oldest item has waited; ``None`` if none waits or none knows."""
        return None if self._clock is None else self._clock.oldest_ms()

    def stop(self) -> None:
        """Let go of the queue."""
        if self._clock is not None:
            self._clock.stop()

    def sample(self) -> None:
        """Report the queue as an event ``queue_sample``."""
        fields: dict[str, Any] = {
            "queue": self._name,
            "queue_depth": int(ask(self._depth, self._loop, _TIMEOUT_S)),
        }
        if self._limit is not None:
            fields["queue_limit"] = self._limit
        if self._clock is not None:
            fields |= self._flow()
        report("info", "queue_sample", **fields)

    def _flow(self) -> dict[str, float]:
        """Return age, rates and mean wait of the items since the last sample."""
        clock = self._clock
        assert clock is not None
        now = time.monotonic(), clock.put_count, clock.taken_count, clock.waited_ms
        elapsed_s, put, taken, waited_ms = (
            new - old for new, old in zip(now, self._seen, strict=True)
        )
        self._seen = now
        flow = {"queue_oldest_ms": clock.oldest_ms() or 0.0}
        if elapsed_s > 0:
            flow["queue_in_per_s"] = round(put / elapsed_s, 3)
            flow["queue_out_per_s"] = round(taken / elapsed_s, 3)
        if taken:
            flow["queue_wait_ms"] = round(waited_ms / taken, 3)
        return flow


_threads: dict[str, Periodic] = {}


def watch(
    name: str, queue_or_callable: Any, limit: int | None = None, *, interval_s: float = 15.0
) -> None:
    """Sample a queue at intervals: an event ``queue_sample``, and metrics.

    Of an ``asyncio.Queue`` or ``queue.Queue`` not only the depth is told but the age of the oldest
    item, items in and out a second, and how long items waited. A queue of the same name is watched
    no more.

    Args:
        name: Name of the queue.
        queue_or_callable: Has ``qsize()`` or ``len()``, or is called without arguments for the
            depth; may be a coroutine function.
        limit: Items that it can hold. Default: what the queue says itself.
        interval_s: Seconds between two samples.

    Raises:
        TypeError: Nothing tells the depth of it.
    """
    _depth_of(queue_or_callable)
    unwatch(name)
    watched = _watches[name] = QueueWatch(name, queue_or_callable, limit)
    _threads[name] = Periodic(
        f"logkit-queue-{name}",
        interval_s,
        watched.sample,
        lambda error: report_failure(f"queue {name}", error),
    )
    _threads[name].start()
    loops.watch()


def unwatch(name: str) -> None:
    """Sample a queue no more; a name that is not known is ignored."""
    watched, thread = _watches.pop(name, None), _threads.pop(name, None)
    if watched is not None:
        watched.stop()
    if thread is not None:
        thread.stop()


def oldest_ms(name: str) -> float | None:
    """Return for how long the oldest item of a watched queue has waited, ``None`` if none waits.

    Raises:
        KeyError: No queue of that name is watched.
    """
    return _watches[name].oldest_ms()


def _depth_of(target: Any) -> Callable[[], Any]:
    for name in ("qsize", "__len__"):
        method: Callable[[], Any] | None = getattr(target, name, None)
        if method is not None:
            return method
    if not callable(target):
        raise TypeError(f"{type(target).__name__} has no qsize() and no len(), and is no callable")
    return target  # type: ignore[no-any-return]


def _limit_of(target: Any) -> int | None:
    limit = target.maxlen if isinstance(target, deque) else getattr(target, "maxsize", None)
    return limit if isinstance(limit, int) and limit > 0 else None
