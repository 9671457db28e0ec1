"""Circuit breakers: calls to what is down are not made."""

from __future__ import annotations

from logkit.breaker.breaker import CircuitBreaker

__all__ = ["CircuitBreaker"]
