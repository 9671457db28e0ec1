"""Which try of a call this is: told by the library, or found by the same call having failed."""

from __future__ import annotations

import time
from collections import OrderedDict
from typing import TYPE_CHECKING

from logkit.forks import new_lock

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

_MAX_CALLS = 4_096
_FORGET_AFTER_S = 900.0


class Attempts:
    """Remembers the calls whose last attempt failed.

    Libraries retry in loops of their own and do not say so. The same call of the same correlation
    (or of the same task, without one) within 15 minutes of its failure is its next attempt.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = new_lock()
        self._failed: OrderedDict[Hashable, tuple[int, float]] = OrderedDict()

    def next(self, call: Hashable) -> int:
        """Return the number of the attempt that begins now, 0 for the first."""
        attempt, failed_at = self._failed.get(call, (-1, 0.0))
        return attempt + 1 if self._clock() - failed_at <= _FORGET_AFTER_S else 0

    def record(self, call: Hashable, attempt: int, *, may_be_retried: bool) -> None:
        """Note how an attempt ended; a success, or a failure for good, ends the count."""
        with self._lock:
            self._failed.pop(call, None)
            if may_be_retried:
                self._failed[call] = (attempt, self._clock())
                if len(self._failed) > _MAX_CALLS:
                    self._failed.popitem(last=False)
