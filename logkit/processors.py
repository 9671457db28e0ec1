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

_EXCEPTION_KEYS = frozenset({"exc_info", "stack_info"})
_SPECIAL_KEYS = ENVELOPE | TEXT_IDS | _EXCEPTION_KEYS


def prepare(fields: EventDict) -> EventDict:
    """Return the fields of one log call as they are written.

    An envelope name becomes ``field_<name>``, a numeric id text, and an exception error fields.
    """
    # One set operation for the usual call, which has nothing to prepare.
    special = _SPECIAL_KEYS.intersection(fields)
    if not special:
        return fields
    if not special <= TEXT_IDS:
        fields = rename_clashes(expand_exception(fields))
    return ids_as_text(fields)


def rename_clashes(fields: EventDict) -> EventDict:
    """Return *fields* with the names of the envelope as ``field_<name>``."""
    if ENVELOPE.isdisjoint(fields):
        return fields
    return {
        _free_name(name, fields) if name in ENVELOPE else name: value
        for name, value in fields.items()
    }


def ids_as_text(fields: EventDict) -> EventDict:
    """Return *fields* with numeric ids as text."""
    for name in TEXT_IDS.intersection(fields):
        if isinstance(fields[name], int):
            fields = {**fields, name: text_of(fields[name])}
    return fields


def _free_name(name: str, taken: EventDict) -> str:
    name = f"field_{name}"
    while name in taken:
        name = f"field_{name}"
    return name


def expand_exception(fields: EventDict) -> EventDict:
    """Return *fields* with ``exc_info`` as error fields and ``stack_info`` as ``stack``.

    Error fields that the caller gave win over those of the exception.
    """
    if _EXCEPTION_KEYS.isdisjoint(fields):
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
