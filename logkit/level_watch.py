"""Levels that change while the bot runs, looked at each second."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_LOOK_S = 1.0

LevelWish = tuple[str, str, float]
"""A logger (``*`` for all), its level, and the Unix time until which it holds."""


class LevelSource(Protocol):
    """Who may ask for levels."""

    def wishes(self) -> Sequence[LevelWish]:
        """Return what is asked for now, also what has run out."""


class LevelWatch:
    """Tells when the levels that somebody asks for begin and end.

    Args:
        sources: Who may ask; of two that ask for the same logger, the later one wins.
        change: Called with the levels in force, by logger, whenever they are others.
    """

    def __init__(
        self, sources: Sequence[LevelSource], change: Callable[[Mapping[str, str]], None]
    ) -> None:
        self._sources = sources
        self._change = change
        self._in_force: dict[str, str] = {}
        self._is_over = threading.Event()

    def start(self) -> None:
        """Look now, and from now on from a thread of its own."""
        self.look(time.time())
        threading.Thread(target=self._run, name="logkit-levels", daemon=True).start()

    def stop(self) -> None:
        """Look no more."""
        self._is_over.set()

    def look(self, now: float) -> None:
        """Put in force what holds at *now* (Unix time)."""
        wishes = [wish for source in self._sources for wish in source.wishes()]
        levels = {name: level for name, level, until in wishes if now < until}
        if levels != self._in_force:
            self._in_force = levels
            self._change(levels)

    def _run(self) -> None:
        while not self._is_over.wait(_LOOK_S):
            self.look(time.time())
