"""Health checks: whether what the bot depends on is really there."""

from __future__ import annotations

from logkit.health.checks import CheckFailedError
from logkit.health.registry import check, readiness, remove

__all__ = ["CheckFailedError", "check", "readiness", "remove"]
