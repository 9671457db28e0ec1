"""How long items wait in a queue: a clock in front of its ``put`` and behind its ``get``."""

from __future__ import annotations

import asyncio
import queue
import time
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

from logkit.metrics import registry

if TYPE_CHECKING:
    from collections.abc import Callable

_ASYNC, _SYNC = asyncio.Queue, queue.Queue
_BY_PRIORITY = (asyncio.PriorityQueue, queue.PriorityQueue)
_LAST_FIRST = (asyncio.LifoQueue, queue.LifoQueue)


class _Times(Protocol):
    """When the items that wait were put."""

    def put(self, item: object, at: float) -> None: ...
    def get(self, item: object) -> float | None: ...
    def oldest(self) -> float | None: ...


class _InOrder:
    """Times of a queue whose items leave in the order in which they came, or the other way."""

    def __init__(self, *, last_first: bool) -> None:
        self._times: deque[float] = deque()
        self._take = self._times.pop if last_first else self._times.popleft

    def put(self, item: object, at: float) -> None:  # noqa: ARG002 - the order tells the item
        self._times.append(at)

    def get(self, item: object) -> float | None:  # noqa: ARG002
        return self._take() if self._times else None

    def oldest(self) -> float | None:
        with suppress(IndexError):  # another thread takes it
            return self._times[0]
        return None


class _ByItem:
    """Times of a queue whose items leave in any order; one object may wait several times."""

    def __init__(self) -> None:
        self._times: dict[int, deque[float]] = {}

    def put(self, item: object, at: float) -> None:
        self._times.setdefault(id(item), deque()).append(at)

    def get(self, item: object) -> float | None:
        times = self._times.get(id(item))
        if times is None:
            return None
        at = times.popleft()
        if not times:
            del self._times[id(item)]
        return at

    def oldest(self) -> float | None:
        return min((times[0] for times in list(self._times.values()) if times), default=None)


class QueueClock:
    """Counts and times the items of an ``asyncio.Queue`` or ``queue.Queue`` from now on.

    It stands in the methods that these classes have for subclasses, which run under the queue's
    own lock, until it is stopped.

    Args:
        name: The queue's name in metrics.
        target: The queue.
    """

    def __init__(self, name: str, target: Any) -> None:
        self._in = registry.number("bot_queue_items_total", name, "in")
        self._out = registry.number("bot_queue_items_total", name, "out")
        self._wait = registry.histogram("bot_queue_wait_seconds", name)
        self._times: _Times = (
            _ByItem()
            if isinstance(target, _BY_PRIORITY)
            else _InOrder(last_first=isinstance(target, _LAST_FIRST))
        )
        self.put_count = 0
        self.taken_count = 0
        self.waited_ms = 0.0
        # What waits already is taken for new.
        for item in list(target.queue if isinstance(target, _SYNC) else target._queue):
            self._times.put(item, time.monotonic())
        self._is_stopped = False
        self._leave = self._wrap(target)

    def stop(self) -> None:
        """Count and time no more."""
        self._is_stopped = True
        self._leave()

    def oldest_ms(self) -> float | None:
        """Return for how long the oldest item has waited, ``None`` where none waits."""
        at = self._times.oldest()
        return None if at is None else round((time.monotonic() - at) * 1_000, 3)

    def _wrap(self, target: Any) -> Callable[[], None]:
        """Stand in the queue's methods, and return what undoes that."""
        put, get = target._put, target._get

        def timed_put(item: object) -> None:
            put(item)
            if not self._is_stopped:
                self._note_put(item)

        def timed_get() -> object:
            item = get()
            if not self._is_stopped:
                self._note_taken(item)
            return item

        def leave() -> None:
            if target._put is timed_put and target._get is timed_get:  # nobody stands before us
                target._put, target._get = put, get

        target._put, target._get = timed_put, timed_get
        return leave

    def _note_put(self, item: object) -> None:
        self._times.put(item, time.monotonic())
        self.put_count += 1
        self._in.add(1)

    def _note_taken(self, item: object) -> None:
        at = self._times.get(item)
        if at is not None:
            wait_ms = (time.monotonic() - at) * 1_000
            self.waited_ms += wait_ms
            self._wait.add(wait_ms)
        self.taken_count += 1
        self._out.add(1)


def clock_of(name: str, target: object) -> QueueClock | None:
    """Return a clock in *target*, or ``None`` if it is no queue that can have one."""
    if not isinstance(target, _ASYNC | _SYNC):
        return None
    try:
        return QueueClock(name, target)
    except AttributeError:  # a subclass with slots, or without the methods
        return None
