"""Queues: how deep they are, and how long items wait in them."""

from __future__ import annotations

from logkit.queues.watches import oldest_ms, unwatch, watch

__all__ = ["oldest_ms", "unwatch", "watch"]
