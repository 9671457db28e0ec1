"""Three hours of a bot whose names are as hostile as names can be, with a slow hour in them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

START = datetime(2026, 3, 1, 9, tzinfo=UTC)
SLOW_FROM = START + timedelta(minutes=90)
SLOW_UNTIL = START + timedelta(minutes=130)
CALLS_PER_MINUTE = 8

ENDPOINT = "/x/<script>window.hacked=1</script>"
SERVICE = "bot\"'><img src=x onerror=window.hacked=1>"
COMMAND = "</script><script>window.hacked=1</script>"
EVENT = "e" * 10_000
MESSAGE = "pay \u202e0001\u202c \x1b[31mnow\x07, {{ 7*7 }} `rm` | [x](javascript:alert(1))\u2028"
GUILD, CHANNEL = "80351110224678912", "80351110224678913"


def user(number: int) -> str:
    """Return the id of a user."""
    return str(90000000000000000 + number)


def write_slow_hour(path: Path) -> int:
    """Write the log; return its number of lines."""
    lines = [orjson.dumps(event) for event in sorted(_events(), key=lambda one: one["timestamp"])]
    path.write_bytes(b"\n".join(lines) + b"\n")
    return len(lines)


def _events() -> Iterator[dict[str, Any]]:
    rng = Random(7)
    for number in range(180 * CALLS_PER_MINUTE):
        at = START + timedelta(seconds=number * 60 / CALLS_PER_MINUTE)
        is_slow = SLOW_FROM <= at < SLOW_UNTIL
        yield _call(number, at, rng, is_slow=is_slow)
        if is_slow and number % (10 * CALLS_PER_MINUTE) == 0:
            yield _event(at, event=EVENT, level="error", message=f"{MESSAGE} <@{user(number)}>")
        if number % CALLS_PER_MINUTE == 0:
            yield _sample(at, 40 if is_slow else 0)
    yield _event(SLOW_FROM + timedelta(minutes=5), event="breaker_opened", breaker=ENDPOINT)
    yield _event(SLOW_UNTIL, event="breaker_closed", breaker=ENDPOINT)
    yield _event(SLOW_FROM + timedelta(minutes=4), event="alert_fired", alert="slow")


def _call(number: int, at: datetime, rng: Random, *, is_slow: bool) -> dict[str, Any]:
    duration_ms = round(rng.lognormvariate(4.5, 0.2) * (20 if is_slow else 1), 1)
    status = 500 if is_slow and number % 10 == 0 else 200
    return _event(
        at + timedelta(milliseconds=duration_ms),
        event="api_call",
        level="info" if status == 200 else "error",
        endpoint=ENDPOINT,
        method="POST",
        status_code=status,
        duration_ms=duration_ms,
        command=COMMAND,
        correlation_id=f"act-{number}",
        user_id=user(number % 50),
        guild_id=GUILD,
        channel_id=CHANNEL,
    )


def _sample(at: datetime, depth: int) -> dict[str, Any]:
    figures = {"rss_bytes": 2**27, "cpu_percent": 12.0, "open_connections": 9}
    return _event(at, event="sample", queue=COMMAND, queue_depth=depth, queue_limit=100, **figures)


def _event(at: datetime, **fields: Any) -> dict[str, Any]:
    return {
        "timestamp": f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z",
        "level": "info",
        "service": SERVICE,
        "version": "1.0<b>",
        "instance": "i1",
        **fields,
    }
