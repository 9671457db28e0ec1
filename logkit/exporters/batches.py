"""Things that a thread sends away in batches, in bounded memory, whether they arrive or not."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")


class Batches(Generic[T]):
    """A queue whose items a daemon thread sends in batches.

    ``put`` neither waits nor raises: what finds the queue full is dropped and counted, and so is
    a batch that could not be sent. *tell* hears of the first failure, and of the end of it.

    Args:
        send: Sends a batch and returns whether it arrived.
        tell: Is told an event's level and name, and how many items are lost so far.
        delay_s: Longest time that an item waits for others, in seconds.
        batch_size: Items of one batch.
        limit: Items that can wait.
    """

    def __init__(
        self,
        send: Callable[[Sequence[T]], bool],
        tell: Callable[[str, str, int], None],
        *,
        delay_s: float,
        batch_size: int,
        limit: int,
    ) -> None:
        self._send = send
        self._tell = tell
        self._delay_s = delay_s
        self._batch_size = batch_size
        self._limit = limit
        self.is_failing = False
        self.become_child()

    def become_child(self) -> None:
        """Start anew: what a forked child has inherited is the parent's, but for the thread."""
        self._waiting: deque[T] = deque()
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._is_closed = False
        self._flushes: deque[threading.Event] = deque()
        self.lost_count = 0
        self._thread = threading.Thread(target=self._work, name="logkit-spans", daemon=True)
        self._thread.start()

    def put(self, item: T) -> None:
        """Queue *item*, or drop it."""
        if len(self._waiting) >= self._limit or self._is_closed:
            with self._lock:
                self.lost_count += 1
            return
        self._waiting.append(item)
        if len(self._waiting) >= self._batch_size:
            self._wake.set()

    def flush(self, timeout: float) -> bool:
        """Send what waits, for *timeout* seconds at most; return whether all of it was tried."""
        done = threading.Event()
        self._flushes.append(done)
        self._wake.set()
        return done.wait(timeout)

    def close(self, timeout: float) -> None:
        """Send what waits and end the thread; wait for it up to *timeout* seconds."""
        self._is_closed = True
        self._wake.set()
        self._thread.join(timeout)

    def _work(self) -> None:
        while not self._is_closed:
            self._wake.wait(self._delay_s)
            self._wake.clear()
            self._send_waiting()
        self._send_waiting()

    def _send_waiting(self) -> None:
        # Taken before the items: what was put before such a call is then among those sent.
        flushes = [self._flushes.popleft() for _ in range(len(self._flushes))]
        while self._waiting:
            batch = [
                self._waiting.popleft() for _ in range(min(len(self._waiting), self._batch_size))
            ]
            try:
                has_arrived = self._send(batch)
            except Exception:  # noqa: BLE001 - a batch that cannot be encoded is lost like any other
                has_arrived = False
            self._note(has_arrived, len(batch))
        for done in flushes:
            done.set()

    def _note(self, has_arrived: bool, count: int) -> None:
        if not has_arrived:
            with self._lock:
                self.lost_count += count
        if has_arrived is self.is_failing:
            self.is_failing = not has_arrived
            level, event = (
                ("info", "trace_export_resumed")
                if has_arrived
                else ("warning", "trace_export_failed")
            )
            self._tell(level, event, self.lost_count)
