"""Levels by name and by number."""

from __future__ import annotations

from logkit.errors import ConfigurationError

STDLIB_NUMBERS = {"debug": 10, "info": 20, "warning": 30, "error": 40, "critical": 50}
"""Level names, mildest first, with the numbers of the logging module."""

_ALIASES = {"warn": "warning", "fatal": "critical", "exception": "error", "notset": "debug"}


def level_of(number: int) -> str:
    """Return the level name for a number of the logging module; numbers between round down."""
    if number >= 40:
        return "critical" if number >= 50 else "error"
    if number >= 20:
        return "warning" if number >= 30 else "info"
    return "debug"


def parse_level(level: str | int) -> str:
    """Return the level name for a name in any case, an alias (``warn``) or a number.

    Raises:
        ConfigurationError: There is no such level.
    """
    if isinstance(level, int):
        return level_of(level)
    name = level.strip().lower()
    name = _ALIASES.get(name, name)
    if name not in STDLIB_NUMBERS:
        raise ConfigurationError(f"no level named {level!r}; levels: {', '.join(STDLIB_NUMBERS)}")
    return name
