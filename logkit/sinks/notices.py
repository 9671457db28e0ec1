"""What a person at the console is told about an output that refuses lines."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from time import monotonic

_CALM_S = 5.0


class Notices:
    """Says on standard error that an output refuses lines, and that it takes them again.

    Each trouble is told once: it is over when the output has refused nothing for 5 s, so one that
    comes and goes (a disk with a few bytes left) is still the same trouble.

    Args:
        place: The output, as a person calls it.
    """

    def __init__(self, place: str) -> None:
        self._place = place
        self._since = self._refused_at = 0.0
        self.is_in_trouble = False

    def refused(self, error: Exception) -> None:
        """Take note that the output has refused lines because of *error*."""
        self._refused_at = monotonic()
        if self.is_in_trouble:
            return
        self.is_in_trouble, self._since = True, self._refused_at
        reason = getattr(error, "strerror", None) or f"{type(error).__name__}: {error}"
        say(f"cannot write to {self._place}: {reason}; events wait, as long as the ring has room")

    def taken(self, *, is_last: bool = False) -> None:
        """Take note that nothing waits to be written; *is_last* ends any trouble now."""
        now = monotonic()
        if self.is_in_trouble and (is_last or now - self._refused_at >= _CALM_S):
            self.is_in_trouble = False
            say(f"writing to {self._place} again, after {now - self._since:.0f} s")


def say(text: str) -> None:
    """Tell the person at the console; never raises."""
    line = f"logkit: {text}\n"
    with suppress(Exception):
        try:
            # Not through the stream: a thread that holds its lock while the process ends is fatal.
            os.write(sys.stderr.fileno(), line.encode("utf-8", "backslashreplace"))
        except (OSError, ValueError, AttributeError):
            sys.stderr.write(line)
