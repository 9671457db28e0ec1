"""A source of live events that gives what a test puts into it."""

from __future__ import annotations

import queue
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from logkit_analysis.live.event import LiveEvent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logkit_analysis.stopping import StopSignal

_BEGUN = datetime(2026, 3, 1, 14, 0, tzinfo=UTC)


def event(number: int, *, file: str = "bot.log", **columns: Any) -> LiveEvent:
    """Return an event that can be told from others, *number* seconds after two o'clock."""
    at = _BEGUN + timedelta(seconds=number)
    given = {"level": "info", "event": "told", "message": f"line {number}", **columns}
    return LiveEvent(file, number, at, {k: v for k, v in given.items() if v is not None})


class Sent:
    """A source that gives what is put into its queue, or fails with it.

    Args:
        first: What is there already.
    """

    def __init__(self, first: Sequence[LiveEvent] = ()) -> None:
        self.queue: queue.Queue[Sequence[LiveEvent] | Exception] = queue.Queue()
        self.asked = threading.Event()
        self._first = list(first)

    def first(self) -> list[LiveEvent]:
        """Return what is there already."""
        return self._first

    def next(self) -> Sequence[LiveEvent]:
        """Return the next piece, or nothing."""
        self.asked.set()
        try:
            piece = self.queue.get_nowait()
        except queue.Empty:
            return []
        if isinstance(piece, Exception):
            raise piece
        return piece

    def wait(self, wake: StopSignal) -> None:
        """Wait for a moment."""
        wake.wait(0.01)
