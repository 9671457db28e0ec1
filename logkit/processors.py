"""Pure functions from event dict to event dict.

An event dict holds the event's name, its message and its fields; the renderer adds the envelope.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, MutableMapping
from typing import Any

from logkit.encoding import text_of
from logkit.exceptions import error_fields, exception_of, stack_of
from logkit.schema import ENVELOPE

EventDict = dict[str, Any]
Processor = Callable[[Any, str, MutableMapping[str, Any]], Any]
"""A structlog processor: ``(logger, method_name, event_dict) -> event_dict``."""

TEXT_IDS = frozenset(
    {"correlation_id", "guild_id", "chat_id", "channel_id", "user_id", "trace_id", "span_id"}
)
"""Ids that libraries hand out as numbers and that exceed 2^53, where JSON readers lose digits."""

SPECIAL = ENVELOPE | TEXT_IDS | {"exc_info", "stack_info"}
"""Keys that need more than being written as they are."""


def tidy(fields: EventDict) -> EventDict:
    """Return *fields* with envelope names as ``field_<name>`` and numeric ids as text."""
    if SPECIAL.isdisjoint(fields):
        return fields
    tidied: EventDict = {}
    for name, value in fields.items():
        if name in ENVELOPE:
            tidied[_free_name(name, fields)] = value
        elif name in TEXT_IDS and isinstance(value, int):
            tidied[name] = text_of(value)
        else:
            tidied[name] = value
    return tidied


def _free_name(name: str, taken: EventDict) -> str:
    name = f"field_{name}"
    while name in taken:
        name = f"field_{name}"
    return name


def expand_exception(fields: EventDict) -> EventDict:
    """Return *fields* with ``exc_info`` as error fields and ``stack_info`` as ``stack``.

    Error fields that the caller gave win over those of the exception.
    """
    if "exc_info" not in fields and "stack_info" not in fields:
        return fields
    expanded = dict(fields)
    error = exception_of(expanded.pop("exc_info", None))
    stack_info = expanded.pop("stack_info", None)
    if stack_info:
        expanded["stack"] = stack_info if isinstance(stack_info, str) else stack_of(_caller())
    return expanded if error is None else {**expanded, **error_fields(error), **expanded}


def _caller() -> Any:
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("logkit."):
        frame = frame.f_back
    return frame
