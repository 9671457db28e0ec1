"""What became of the events of this process."""

from __future__ import annotations

import threading
from collections import Counter
from typing import Any

from logkit.redaction import masked_count


class Counters:
    """Counts since the process started; a forked child starts from zero.

    Attributes:
        lock: Held while several counts change together; reentrant, because a signal handler may
            log while its own thread is inside.
        accepted: Events that were handed to the sink.
        written: Events that the output has taken.
        dropped_by_level: Events that were given up, by level.
        truncated: Events that were cut to the longest line allowed.
        suppressed: Events that the flood limit held back; they were never accepted.
        sampled_out: Mild events that tail sampling had kept and had no more room for.
        redacted: Values that were taken out of lines as secrets.
        write_errors: Failed attempts to write or to rotate; the lines are tried again.
        slowest_write_ms: Milliseconds of the slowest write so far.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.accepted = 0
        self.written = 0
        self.dropped_by_level: Counter[str] = Counter()
        self.truncated = 0
        self.suppressed = 0
        self.sampled_out = 0
        self.redacted = 0
        self._masked_before = masked_count()
        self.write_errors = 0
        self.slowest_write_ms = 0.0

    def snapshot(self) -> dict[str, Any]:
        """Return the counts; ``accepted`` is the sum of written, pending and dropped."""
        with self.lock:
            # In this order: the writer thread counts without the lock, so what is read first may
            # be too small by the time the rest is read, but never too large.
            written = self.written
            dropped = self.dropped_by_level.total()
            return {
                "accepted": self.accepted,
                "written": written,
                "pending": self.accepted - written - dropped,
                "dropped": dropped,
                "dropped_by_level": dict(self.dropped_by_level),
                "suppressed": self.suppressed,
                "sampled_out": self.sampled_out,
                "truncated": self.truncated,
                "redacted": self.redacted + masked_count() - self._masked_before,
                "write_errors": self.write_errors,
                "slowest_write_ms": self.slowest_write_ms,
            }
