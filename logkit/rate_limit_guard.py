"""``RateLimitGuard``: holds requests back while the platform has asked to wait."""

from __future__ import annotations

import asyncio
import time
from operator import itemgetter
from typing import TYPE_CHECKING

from logkit.errors import WaitTooLongError
from logkit.forks import new_lock
from logkit.metrics import registry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from logkit.rate_limits import RateLimit

_GLOBAL = None  # no bucket of the bot's can be called that
_MAX_BUCKETS = 4_096


class RateLimitGuard:
    """Waits out what answers have said, per bucket, so that a bot does not feed a storm.

    Before a request ``guard.wait(bucket)``, or ``await guard.wait_async(bucket)``; after its answer
    ``guard.learn(bucket, logkit.rate_limits.parse(...))``. A bucket is whatever the bot takes for
    one, usually the endpoint. A limit of scope ``global`` holds every bucket back. Safe among
    threads and tasks; held requests are counted by ``bot_rate_limit_waits_total``.

    Args:
        max_wait_s: Seconds beyond which a request is refused instead of held back.
        clock: Returns monotonic seconds.
    """

    def __init__(
        self, *, max_wait_s: float = 60.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._max_wait_s = max_wait_s
        self._clock = clock
        self._lock = new_lock()
        self._free_at: dict[str | None, float] = {}

    def learn(self, bucket: str, limit: RateLimit) -> None:
        """Note the wait that an answer has asked for, if it has."""
        if not limit.retry_after_ms:
            return
        scope = None if limit.rate_limit is None else limit.rate_limit.scope
        name = _GLOBAL if scope == "global" else bucket
        now = self._clock()
        with self._lock:
            free_at = now + limit.retry_after_ms / 1_000
            self._free_at[name] = max(free_at, self._free_at.get(name, free_at))
            if len(self._free_at) > _MAX_BUCKETS:
                self._forget_half()

    def _forget_half(self) -> None:
        """Forget the waits that are over, or over first."""
        latest = sorted(self._free_at.items(), key=itemgetter(1))[-_MAX_BUCKETS // 2 :]
        self._free_at = dict(latest)

    def wait_s(self, bucket: str) -> float:
        """Return the seconds for which a request of *bucket* has to wait, 0 if it may go."""
        with self._lock:
            free_at = max(self._free_at.get(name, 0.0) for name in (bucket, _GLOBAL))
        return max(0.0, free_at - self._clock())

    def wait(self, bucket: str) -> None:
        """Wait in this thread until a request of *bucket* may go.

        Raises:
            WaitTooLongError: That takes longer than ``max_wait_s``.
        """
        for wait_s in self._waits(bucket):
            time.sleep(wait_s)

    async def wait_async(self, bucket: str) -> None:
        """Wait in this task until a request of *bucket* may go.

        Raises:
            WaitTooLongError: That takes longer than ``max_wait_s``.
        """
        for wait_s in self._waits(bucket):
            await asyncio.sleep(wait_s)

    def _waits(self, bucket: str) -> Iterator[float]:
        """Yield how long to sleep, as long as there is a wait; count the request once."""
        is_counted = False
        while wait_s := self.wait_s(bucket):
            if wait_s > self._max_wait_s:
                raise WaitTooLongError(bucket, wait_s)
            if not is_counted:
                registry.number("bot_rate_limit_waits_total", bucket).add(1)
            is_counted = True
            started_at = self._clock()
            yield wait_s
            slept_ms = (self._clock() - started_at) * 1_000
            registry.number("bot_rate_limit_wait_seconds_total", bucket).add(slept_ms)
