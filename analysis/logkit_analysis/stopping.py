"""Being told to stop, by a signal."""

from __future__ import annotations

import os
import select
from contextlib import suppress


class StopSignal:
    """A flag that a signal handler may raise while the same thread waits for it.

    `threading.Event` may not: its handler would wait for a lock that the waiter holds.
    """

    def __init__(self) -> None:
        self._is_set = False
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._reader, False)
        os.set_blocking(self._writer, False)

    def set(self) -> None:
        """Raise the flag and end every wait, now and later."""
        self._is_set = True
        with suppress(BlockingIOError):
            os.write(self._writer, b"!")

    def clear(self) -> None:
        """Lower the flag, for the next time."""
        self._is_set = False
        with suppress(BlockingIOError):
            while os.read(self._reader, 4096):
                pass

    def is_set(self) -> bool:
        """Return whether the flag is raised."""
        return self._is_set

    def wait(self, timeout_s: float) -> bool:
        """Wait until the flag is raised, at most *timeout_s*; return whether it is."""
        select.select([self._reader], [], [], timeout_s)
        return self._is_set

    def fileno(self) -> int:
        """Return a descriptor that can be read from once the flag is raised."""
        return self._reader
