"""What the parts of the signals say: an event, and figures also where events are switched off."""

from __future__ import annotations

from typing import Any

from logkit.exceptions import error_fields
from logkit.forks import new_lock
from logkit.levels import STDLIB_NUMBERS
from logkit.logger import Logger
from logkit.pipeline import pipeline

_log = Logger("logkit.signals")
_lock = new_lock()
_told: set[tuple[str, str]] = set()


def report(level: str, event: str, /, **fields: Any) -> None:
    """Log an event; metrics are derived from it even if the bot's level leaves it out."""
    if _log.is_enabled_for(STDLIB_NUMBERS[level]):
        getattr(_log, level)(event, **fields)
    elif pipeline.observe is not None:
        pipeline.observe(event, level, fields)


def report_failure(part: str, error: Exception) -> None:
    """Log that a part of the signals failed, once for each part and kind of error."""
    with _lock:
        key = part, type(error).__name__
        if key in _told:
            return
        _told.add(key)
    report("warning", "signal_failed", part=part, **error_fields(error))
