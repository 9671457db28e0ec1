"""Health checks: whether what the bot depends on is really there."""

from __future__ import annotations

from logkit.health.checks import CheckFailedError
from logkit.health.probes import disk_space, http, loop_lag, memory, ping, queue_age, tcp
from logkit.health.registry import check, readiness, remove

__all__ = [
    "CheckFailedError",
    "check",
    "disk_space",
    "http",
    "loop_lag",
    "memory",
    "ping",
    "queue_age",
    "readiness",
    "remove",
    "tcp",
]
