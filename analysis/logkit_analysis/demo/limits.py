"""The 429s of the sample incident: storms in which the wait is ignored, and an obeyed blip."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any

from logkit_analysis.demo import cast
from logkit_analysis.demo.timeline import SECOND
from logkit_analysis.demo.traffic import hex_id, latency, quota_fields

if TYPE_CHECKING:
    from random import Random

    from logkit_analysis.demo.tape import Tape
    from logkit_analysis.demo.timeline import Span

BLIP_HITS = 4
"""429s of the blip: one too few for a storm."""

_EDITS_PER_SECOND = 1.3
_LAST_ATTEMPT = 5


class _FixedWindow:
    """Discord's budget: so many requests, all given back at once when the window ends."""

    def __init__(self, limit: int, window_ms: int) -> None:
        self._limit = limit
        self._window_ms = window_ms
        self._ends_at = 0.0
        self._left = limit

    def take(self, now: float) -> int | None:
        """Use one request; return ``None``, or the milliseconds to wait when none is left."""
        if now >= self._ends_at:
            self._ends_at, self._left = now + self._window_ms, self._limit
        if self._left == 0:
            return int(self._ends_at - now) + 1
        self._left -= 1
        return None


def storm(span: Span, worker: Tape, rng: Random) -> None:
    """Log edits that start within *span* and are retried long before their wait is over."""
    budget = _FixedWindow(cast.EDIT.limit, cast.EDIT.window_ms)
    tries: list[tuple[float, int, str]] = []
    at = float(span.start)
    while at < span.end:
        heappush(tries, (at, 0, hex_id(64, rng)))
        at += rng.expovariate(_EDITS_PER_SECOND / SECOND)
    while tries:
        at, attempt, correlation_id = heappop(tries)
        fields = {"correlation_id": correlation_id, "attempt": attempt}
        wait_ms = budget.take(at)
        if wait_ms is None:
            duration = latency(cast.EDIT.median_ms, cast.EDIT.sigma, rng)
            _allowed(worker, cast.EDIT, at + duration, duration, fields, rng)
            continue
        duration = latency(18, 0.2, rng)
        _denied(worker, cast.EDIT, at + duration, duration, wait_ms, fields)
        if attempt < _LAST_ATTEMPT:
            retry_at = at + duration + rng.uniform(80, 400)
            heappush(tries, (retry_at, attempt + 1, correlation_id))
        else:
            _gave_up(worker, at + duration + 1, correlation_id)


def blip(at: float, worker: Tape, rng: Random) -> None:
    """Log a handful of 429s from *at* on, each retried after its whole wait."""
    for _ in range(BLIP_HITS):
        correlation_id = hex_id(64, rng)
        wait_ms = rng.randrange(700, 1_400)
        fields = {"correlation_id": correlation_id, "attempt": 0}
        _denied(worker, cast.MEMBER, at, 19.5, wait_ms, fields)
        duration = latency(cast.MEMBER.median_ms, cast.MEMBER.sigma, rng)
        ended_at = at + wait_ms + 50 + duration
        _allowed(worker, cast.MEMBER, ended_at, duration, fields | {"attempt": 1}, rng)
        at = ended_at + rng.uniform(2, 9) * SECOND


def _allowed(
    tape: Tape,
    endpoint: cast.Endpoint,
    at: float,
    duration_ms: float,
    fields: dict[str, Any],
    rng: Random,
) -> None:
    tape.log(
        at,
        "api_call",
        logger="bot.board",
        **fields,
        **endpoint.fields(),
        status_code=200,
        duration_ms=duration_ms,
        **quota_fields(endpoint, rng),
    )


def _denied(
    tape: Tape,
    endpoint: cast.Endpoint,
    at: float,
    duration_ms: float,
    wait_ms: int,
    fields: dict[str, Any],
) -> None:
    tape.log(
        at,
        "api_call_failed",
        "warning",
        logger="bot.board",
        message=f"429 on {endpoint.route}, told to wait {wait_ms} ms",
        **fields,
        **endpoint.fields(),
        status_code=429,
        duration_ms=duration_ms,
        retry_after_ms=wait_ms,
        rate_limit_bucket=endpoint.bucket,
        rate_limit_scope="user",
        rate_limit_kind="rate_limited",
        rate_limit_limit=endpoint.limit,
        rate_limit_remaining=0,
        rate_limit_reset_after_ms=wait_ms,
        **cast.error_fields("RateLimited", "429 Too Many Requests", "request"),
    )


def _gave_up(tape: Tape, at: float, correlation_id: str) -> None:
    tape.log(
        at,
        "board_refresh_failed",
        "error",
        logger="bot.board",
        correlation_id=correlation_id,
        message=f"gave up after {_LAST_ATTEMPT + 1} tries",
        **cast.error_fields("RateLimited", "429 Too Many Requests", "refresh"),
    )
