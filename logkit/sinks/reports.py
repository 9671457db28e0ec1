"""When the writer tells in the log what has become of the events."""

from __future__ import annotations

from math import inf
from time import monotonic
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

    from logkit.counters import Counters

_AFTER_LOSSES_S = 10.0


class Reports:
    """Reports: soon after losses, as warnings, and else at an interval while there are events.

    Args:
        counters: What is reported.
        write: Writes a report, given its level.
        interval_s: Seconds between reports without losses; 0 for none.
    """

    def __init__(
        self,
        counters: Counters,
        write: Callable[[Literal["warning", "info"]], None],
        interval_s: float,
    ) -> None:
        self.interval_s = interval_s or inf
        self._counters = counters
        self._write = write
        self._losses_told = self._losses()
        self._accepted_told = counters.accepted
        self._next_warning = 0.0
        self._next_info = monotonic() + self.interval_s

    def hasten(self) -> None:
        """Let the next report of losses not wait: the process ends."""
        self._next_warning = 0.0

    def look(self, now: float) -> None:
        """Write a report if there is something to tell at *now*."""
        losses = self._losses()
        if losses != self._losses_told and now >= self._next_warning:
            self._next_warning = now + _AFTER_LOSSES_S
            self._tell("warning", now)
        elif now >= self._next_info:
            if self._counters.accepted > self._accepted_told:
                self._tell("info", now)
            self._next_info = now + self.interval_s

    def _tell(self, level: Literal["warning", "info"], now: float) -> None:
        self._losses_told = self._losses()
        self._next_info = now + self.interval_s
        self._write(level)
        # The report itself is an event, too, and must not be the reason for another.
        self._accepted_told = self._counters.accepted

    def _losses(self) -> tuple[int, int, int]:
        counters = self._counters
        return counters.dropped_by_level.total(), counters.write_errors, counters.suppressed
