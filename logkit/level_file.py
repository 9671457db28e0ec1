"""A file that asks for levels."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from logkit.errors import ConfigurationError
from logkit.levels import parse_level

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from logkit.level_watch import LevelWish

_UNIT_S = {"s": 1, "m": 60, "h": 3_600}
_DEFAULT_S = 900
_LINE = re.compile(r"(\S+)\s+(\w+)(?:\s+(\d{1,6})([smh]))?\s*(?:#.*)?")
_MAX_BYTES = 65_536


class LevelFile:
    """The levels that a file asks for.

    Each line names a logger (``*`` for all), a level, and how long after the last change of the
    file it holds: ``bot.player debug 10m``. Without a time it holds for 15 minutes; ``#`` begins
    a comment. A file that is not there asks for nothing.

    Args:
        path: The file.
        complain: Called with each line that cannot be understood.
    """

    def __init__(self, path: Path, complain: Callable[[str], None]) -> None:
        self._path = path
        self._complain = complain
        self._changed_at: float | None = None
        self._wishes: list[LevelWish] = []

    def wishes(self) -> Sequence[LevelWish]:
        """Return what the file asks for; it is read again if it has changed."""
        try:
            changed_at = self._path.stat().st_mtime
        except OSError:
            changed_at, self._wishes = None, []
        if changed_at is not None and changed_at != self._changed_at:
            self._wishes = self._read(changed_at)
        self._changed_at = changed_at
        return self._wishes

    def _read(self, changed_at: float) -> list[LevelWish]:
        try:
            with self._path.open(encoding="utf-8", errors="replace") as file:
                lines = file.read(_MAX_BYTES).splitlines()
        except OSError as error:
            self._complain(f"{self._path}: {error.strerror}")
            return []
        wishes = []
        for line in map(str.strip, lines):
            if not line or line.startswith("#"):
                continue
            try:
                wishes.append(_wish(line, changed_at))
            except ConfigurationError as error:
                self._complain(str(error))
        return wishes


def _wish(line: str, changed_at: float) -> LevelWish:
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
