"""Levels that change while the bot runs: a file, looked at each second."""

from __future__ import annotations

import re
import threading
import time
from typing import TYPE_CHECKING

from logkit.errors import ConfigurationError
from logkit.levels import parse_level

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

_LOOK_S = 1.0
_UNIT_S = {"s": 1, "m": 60, "h": 3_600}
_DEFAULT_S = 900
_LINE = re.compile(r"(\S+)\s+(\w+)(?:\s+(\d{1,6})([smh]))?\s*(?:#.*)?")
_MAX_BYTES = 65_536


class LevelFile:
    """Tells when the levels that a file asks for begin and end.

    Each line names a logger (``*`` for all), a level, and how long after the last change of the
    file it holds: ``bot.player debug 10m``. Without a time it holds for 15 minutes; ``#`` begins
    a comment. A file that is not there asks for nothing.

    Args:
        path: The file.
        change: Called with the levels in force, by logger, whenever they are others.
        complain: Called with each line that cannot be understood.
    """

    def __init__(
        self,
        path: Path,
        change: Callable[[Mapping[str, str]], None],
        complain: Callable[[str], None],
    ) -> None:
        self._path = path
        self._change = change
        self._complain = complain
        self._changed_at: float | None = None
        self._entries: list[tuple[str, str, float]] = []
        self._in_force: dict[str, str] = {}
        self._is_over = threading.Event()

    def start(self) -> None:
        """Look at the file now, and from now on from a thread of its own."""
        self.look(time.time())
        threading.Thread(target=self._run, name="logkit-levels", daemon=True).start()

    def stop(self) -> None:
        """Look no more."""
        self._is_over.set()

    def look(self, now: float) -> None:
        """Read the file if it has changed, and put in force what holds at *now* (Unix time)."""
        try:
            changed_at = self._path.stat().st_mtime
        except OSError:
            changed_at, self._entries = None, []
        if changed_at is not None and changed_at != self._changed_at:
            self._entries = self._read(changed_at)
        self._changed_at = changed_at
        levels = {name: level for name, level, until in self._entries if now < until}
        if levels != self._in_force:
            self._in_force = levels
            self._change(levels)

    def _read(self, changed_at: float) -> list[tuple[str, str, float]]:
        try:
            with self._path.open(encoding="utf-8", errors="replace") as file:
                lines = file.read(_MAX_BYTES).splitlines()
        except OSError as error:
            self._complain(f"{self._path}: {error.strerror}")
            return []
        entries = []
        for line in map(str.strip, lines):
            if not line or line.startswith("#"):
                continue
            try:
                entries.append(_entry(line, changed_at))
            except ConfigurationError as error:
                self._complain(str(error))
        return entries

    def _run(self) -> None:
        while not self._is_over.wait(_LOOK_S):
            self.look(time.time())


def _entry(line: str, changed_at: float) -> tuple[str, str, float]:
    """Return logger, level and end of a line.

    Raises:
        ConfigurationError: The line says something else.
    """
    found = _LINE.fullmatch(line)
    if found is None:
        raise ConfigurationError(f"{line!r} is not a logger, a level and a time such as 10m")
    name, level, number, unit = found.groups()
    lasts_s = int(number) * _UNIT_S[unit] if number else _DEFAULT_S
    return name, parse_level(level), changed_at + lasts_s
