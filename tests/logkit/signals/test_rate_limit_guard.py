"""The rate-limit guard: what a platform has asked to wait for is not asked again before."""

from __future__ import annotations

import asyncio
import time

import pytest

import logkit
from logkit.metrics import registry
from logkit.rate_limits import RateLimit


class Clock:
    """A clock that stands still until it is told to go on."""

    now = 100.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


def limit(wait_ms: int, scope: str = "user") -> RateLimit:
    """Return what Discord's answer says that asks for such a wait."""
    return logkit.rate_limits.parse(
        host="discord.com",
        status=429,
        headers={"Retry-After": "1", "X-RateLimit-Scope": scope, "Via": "1.1 google"},
        body={"retry_after": wait_ms / 1_000, "global": scope == "global"},
    )


def test_a_bucket_waits_for_itself_alone() -> None:
    """The wait ends when the platform said; other buckets go on; the longer wait holds."""
    clock = Clock()
    guard = logkit.RateLimitGuard(clock=clock)
    guard.learn("send", limit(5_000))
    guard.learn("send", limit(2_000))
    guard.learn("send", RateLimit())
    assert (guard.wait_s("send"), guard.wait_s("edit")) == (5, 0)
    clock.now += 5
    assert guard.wait_s("send") == 0


def test_a_global_limit_holds_all() -> None:
    """Discord's global limit binds every route."""
    guard = logkit.RateLimitGuard(clock=Clock())
    guard.learn("send", limit(3_000, "global"))
    assert guard.wait_s("edit") == 3


@pytest.mark.parametrize("is_async", [False, True], ids=["thread", "task"])
def test_requests_are_held_back_and_counted(*, is_async: bool) -> None:
    """The wait is real, and metrics tell of it."""
    guard = logkit.RateLimitGuard()
    guard.learn("send", limit(30))
    started = time.monotonic()
    if is_async:
        asyncio.run(guard.wait_async("send"))
    else:
        guard.wait("send")
    assert time.monotonic() - started >= 0.025
    assert guard.wait_s("send") == 0
    assert registry.number("bot_rate_limit_waits_total", "send").value == 1
    assert registry.number("bot_rate_limit_wait_seconds_total", "send").value > 0


def test_a_request_that_is_held_twice_is_counted_once() -> None:
    """A wait that grows while a request is held, or ends a moment late, is one request."""
    clock = Clock()
    guard = logkit.RateLimitGuard(clock=clock)
    guard.learn("send", limit(3_000))
    for wait_s in guard._waits("send"):
        clock.now += wait_s
        if wait_s == 3:
            guard.learn("send", limit(2_000))
    assert registry.number("bot_rate_limit_waits_total", "send").value == 1
    assert registry.number("bot_rate_limit_wait_seconds_total", "send").value == 5_000


def test_buckets_are_bounded() -> None:
    """However many buckets have to wait, those that may go first are forgotten."""
    guard = logkit.RateLimitGuard(clock=Clock())
    waits = {bucket: limit(1_000 * (bucket + 1)) for bucket in range(3)}
    for bucket in range(9_000):
        guard.learn(str(bucket), waits[bucket // 4_000])
    assert (guard.wait_s("0"), guard.wait_s("8999")) == (0, 3)


def test_a_bucket_may_have_any_name() -> None:
    """One that is called like the global limit binds nobody else."""
    guard = logkit.RateLimitGuard(clock=Clock())
    guard.learn("global", limit(3_000))
    assert (guard.wait_s("global"), guard.wait_s("edit")) == (3, 0)


def test_a_wait_without_end_is_refused() -> None:
    """A ban of an hour is the bot's decision, not a task that hangs."""
    guard = logkit.RateLimitGuard(max_wait_s=10, clock=Clock())
    guard.learn("send", limit(3_600_000))
    with pytest.raises(logkit.WaitTooLongError, match=r"'send'.*3600\.0 s"):
        guard.wait("send")
