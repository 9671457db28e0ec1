"""Level names and numbers of other loggers as our five levels."""

from __future__ import annotations

_NAMES = {
    "debug": ("debug", "trace", "verbose", "fine", "finer", "finest", "silly", "dbg", "d"),
    "info": ("info", "information", "informational", "notice", "success", "log", "i"),
    "warning": ("warning", "warn", "w"),
    "error": ("error", "err", "severe", "e"),
    "critical": (
        "critical",
        "crit",
        "fatal",
        "panic",
        "dpanic",
        "emergency",
        "emerg",
        "alert",
        "c",
    ),
}
LEVEL_BY_NAME: dict[str, str] = {name: level for level, names in _NAMES.items() for name in names}

PYTHON_NUMBERS: dict[int, str] = {
    5: "debug",
    10: "debug",
    20: "info",
    25: "info",
    30: "warning",
    40: "error",
    50: "critical",
}
"""Standard logging, with loguru's TRACE (5) and SUCCESS (25)."""

PINO_NUMBERS: dict[int, str] = {
    10: "debug",
    20: "debug",
    30: "info",
    40: "warning",
    50: "error",
    60: "critical",
}
"""pino and bunyan: trace, debug, info, warn, error, fatal."""


_LONGEST_NUMBER = 3


def level_of(value: object, numbers: dict[int, str]) -> str | None:
    """Return our level for a name in any case or a number of *numbers*, or ``None``."""
    if isinstance(value, str):
        name = value.strip().lower()
        return LEVEL_BY_NAME.get(name) or (numbers.get(int(name)) if _is_number(name) else None)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return numbers.get(int(value)) if value == int(value) else None


def _is_number(name: str) -> bool:
    return len(name) <= _LONGEST_NUMBER and name.isascii() and name.isdecimal()
