"""Event loops that are watched: how late they run, and which code keeps them from running."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from typing import TYPE_CHECKING

from logkit import forks
from logkit.exceptions import stack_of
from logkit.periodic import Periodic
from logkit.reports import report, report_failure

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

BEAT_S = 0.25
"""How often a watched loop shows that it runs."""

_LOOK_S = 0.1


class LoopWatch:
    """A loop that beats 4 times a second, and the delay of its beats.

    Args:
        loop: The running loop; made and used in its own thread.
        threshold_s: Delay from which a blocked loop is reported, with the code it is in.
    """

    def __init__(self, loop: AbstractEventLoop, threshold_s: float) -> None:
        self.loop = loop
        self.threshold_s = threshold_s
        self._thread_id = threading.get_ident()
        self._beat_at = time.monotonic()
        self._worst_s = 0.0
        self._is_reported = False
        loop.call_later(BEAT_S, self._beat)

    @property
    def is_alive(self) -> bool:
        """Whether the loop can run again."""
        return not self.loop.is_closed()

    def delay_s(self) -> float:
        """Return for how many seconds the loop has been due to beat."""
        if not self.loop.is_running():
            return 0.0
        return max(0.0, time.monotonic() - self._beat_at - BEAT_S)

    def take_worst_s(self) -> float:
        """Return the longest delay since the last call, that of this moment included."""
        worst, self._worst_s = max(self._worst_s, self.delay_s()), 0.0
        return worst

    def look(self) -> None:
        """Report a loop that is blocked, once, while it is."""
        if not self.loop.is_running():
            self._beat_at = time.monotonic()  # when it runs again, it has missed nothing
        delay_s = self.delay_s()
        if self._is_reported or delay_s < self.threshold_s:
            return
        self._is_reported = True
        report(
            "warning",
            "event_loop_blocked",
            loop_lag_ms=round(delay_s * 1_000, 3),
            error_stack=stack_of(sys._current_frames().get(self._thread_id)),
        )

    def _beat(self) -> None:
        delay_s = self.delay_s()
        self._worst_s = max(self._worst_s, delay_s)
        self._beat_at = time.monotonic()
        self._thread_id = threading.get_ident()
        self.loop.call_later(BEAT_S, self._beat)
        if self._is_reported:
            self._is_reported = False
            report("warning", "event_loop_resumed", loop_lag_ms=round(delay_s * 1_000, 3))


class LoopWatches:
    """The watched loops of this process."""

    def __init__(self) -> None:
        self._lock = forks.new_lock()
        self._watches: list[LoopWatch] = []
        self._looker = Periodic(
            "logkit-loops", _LOOK_S, self._look, lambda error: report_failure("loops", error)
        )

    def watch(self, threshold_s: float = 0.5) -> bool:
        """Watch the running event loop, if the caller is inside one; return whether it is.

        Args:
            threshold_s: Delay from which a blocked loop is reported; the smallest asked for wins.
        """
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return False
        with self._lock:
            for watch in self._living():
                if watch.loop is loop:
                    watch.threshold_s = min(watch.threshold_s, threshold_s)
                    return True
            self._watches.append(LoopWatch(loop, threshold_s))
            self._looker.start()
        return True

    def delay_s(self) -> float:
        """Return for how many seconds the worst loop has not answered, 0 without a loop."""
        return max((watch.delay_s() for watch in self._living()), default=0.0)

    def take_worst_ms(self) -> float | None:
        """Return the longest delay since the last call, or ``None`` without a loop."""
        delays = [watch.take_worst_s() for watch in self._living()]
        return round(max(delays) * 1_000, 3) if delays else None

    def become_child(self) -> None:
        """In a forked child: the loops are the parent's."""
        self._watches = []

    def _living(self) -> list[LoopWatch]:
        with self._lock:
            self._watches = [watch for watch in self._watches if watch.is_alive]
            return self._watches

    def _look(self) -> None:
        for watch in self._living():
            watch.look()
        with self._lock:
            if not self._watches:
                self._looker.stop()


loops = LoopWatches()
"""The watched loops of this process."""

forks.in_child(loops.become_child)
