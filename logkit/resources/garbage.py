"""How often and for how long the garbage collector stops the bot."""

from __future__ import annotations

import gc
from time import perf_counter_ns
from typing import Any


class GarbageClock:
    """Times the collections from ``start`` to ``stop``."""

    def __init__(self) -> None:
        self._started_ns = 0
        self._collections = 0
        self._paused_ns = 0
        self._longest_ns = 0

    def start(self) -> None:
        """Time each collection from now on."""
        gc.callbacks.append(self._note)

    def stop(self) -> None:
        """Time no more."""
        if self._note in gc.callbacks:
            gc.callbacks.remove(self._note)

    def take(self) -> dict[str, Any]:
        """Return count, total and longest pause since the last call."""
        told = {
            "gc_collections": self._collections,
            "gc_pause_ms": round(self._paused_ns / 1e6, 3),
            "gc_longest_pause_ms": round(self._longest_ns / 1e6, 3),
        }
        self._collections = self._paused_ns = self._longest_ns = 0
        return told

    def _note(self, phase: str, info: dict[str, int]) -> None:  # noqa: ARG002 - gc's protocol
        if phase == "start":
            self._started_ns = perf_counter_ns()
            return
        pause_ns = perf_counter_ns() - self._started_ns
        self._collections += 1
        self._paused_ns += pause_ns
        self._longest_ns = max(self._longest_ns, pause_ns)
