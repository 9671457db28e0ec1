"""Lines -> outputs; what is accepted is counted as written, pending or dropped."""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from logkit.outputs import Output


class Sink(Protocol):
    """What takes the lines of all threads. No method raises."""

    def write(self, line: bytes, level: str) -> None:
        """Accept *line*, which ends with a newline, or count it as dropped."""

    def flush(self, timeout: float) -> bool:
        """Wait up to *timeout* seconds; return whether nothing is pending."""

    def close(self) -> None:
        """Write what is pending and release the output."""


class Counters:
    """Events since the process started; a forked child starts from zero."""

    def __init__(self) -> None:
        # Reentrant, because a signal handler may log while its own thread is inside.
        self.lock = threading.RLock()
        self.accepted = 0
        self.written = 0
        self.dropped_by_level: Counter[str] = Counter()

    def snapshot(self) -> dict[str, Any]:
        """Return the counts; ``accepted`` is the sum of written, pending and dropped."""
        with self.lock:
            dropped = self.dropped_by_level.total()
            return {
                "accepted": self.accepted,
                "written": self.written,
                "pending": self.accepted - self.written - dropped,
                "dropped": dropped,
                "dropped_by_level": dict(self.dropped_by_level),
            }


class DirectSink:
    """Each line goes to the output in the call that logs it."""

    def __init__(self, output: Output, counters: Counters) -> None:
        self._output = output
        self._counters = counters

    def write(self, line: bytes, level: str) -> None:
        """Write *line* now; if the output refuses it, count it as dropped."""
        counters = self._counters
        with counters.lock:
            counters.accepted += 1
            try:
                self._output.append(line)
            except (OSError, ValueError):
                counters.dropped_by_level[level] += 1
            else:
                counters.written += 1

    def flush(self, timeout: float) -> bool:  # noqa: ARG002 - part of the protocol
        """Return ``True``: nothing is ever pending."""
        return True

    def close(self) -> None:
        """Close the output."""
        with self._counters.lock:
            self._output.close()
