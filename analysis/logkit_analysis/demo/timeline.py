"""When each part of the sample incident happens."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open stretch of time in milliseconds since 1970."""

    start: int
    end: int

    def holds(self, at: float) -> bool:
        """Say whether *at* lies inside; the end does not."""
        return self.start <= at < self.end


@dataclass(frozen=True, slots=True)
class Timeline:
    """The story in milliseconds since 1970.

    Attributes:
        window: All that the logs cover.
        blip_at: A few 429s that the bot obeys: no storm.
        deploy: The worker is down, from ``service_stopped`` to ``service_started``; the new
            version leaks memory and no longer waits for ``retry_after``.
        degradation: Sending a message is slow; the worker's queue backs up.
        storms: Progress edits for the waiting users run into the rate limit.
        crash: The gateway is down after a crash.
    """

    window: Span
    blip_at: int
    deploy: Span
    degradation: Span
    storms: tuple[Span, ...]
    crash: Span


def draw_timeline(start: datetime, rng: Random) -> Timeline:
    """Return six hours of story from *start*; each turn moves by up to a minute with *rng*."""
    zero = epoch_ms(start)

    def around(minutes: int) -> int:
        return zero + minutes * MINUTE + rng.randrange(MINUTE)

    deploy_at, crash_at = around(120), around(310)
    return Timeline(
        window=Span(zero, zero + 6 * HOUR),
        blip_at=around(65),
        deploy=Span(deploy_at, deploy_at + 4 * SECOND),
        degradation=Span(around(187), around(246)),
        storms=(Span(around(205), around(217)), Span(around(224), around(226))),
        crash=Span(crash_at, crash_at + 8 * SECOND),
    )


def epoch_ms(moment: datetime) -> int:
    """Return *moment* in whole milliseconds since 1970."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def as_datetime(milliseconds: float) -> datetime:
    """Return milliseconds since 1970 as a time in UTC, exact to the microsecond."""
    return _EPOCH + timedelta(microseconds=round(milliseconds * 1_000))
