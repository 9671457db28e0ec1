"""Pure functions from event dict to event dict.

An event dict holds the event's name, its message and its fields; the renderer adds the envelope.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from operator import itemgetter
from typing import Any

from logkit.encoding import text_of
from logkit.exceptions import error_fields, exception_of, is_set, stack_of
from logkit.redaction import mask, secret_names, secrets
from logkit.schema import ENVELOPE

EventDict = dict[str, Any]
Preparer = Callable[[EventDict], EventDict]
Processor = Callable[[Any, str, MutableMapping[str, Any]], Any]
"""A structlog processor: ``(logger, method_name, event_dict) -> event_dict``."""

TEXT_IDS = frozenset(
    {"correlation_id", "guild_id", "chat_id", "channel_id", "user_id", "trace_id", "span_id"}
)
"""Ids that libraries hand out as numbers and that exceed 2^53, where JSON readers lose digits."""

_EXCEPTION_KEYS = frozenset({"exc_info", "stack_info"})
_SPECIAL_KEYS = ENVELOPE | TEXT_IDS | _EXCEPTION_KEYS
_MAX_CACHED = 2_048
_MAX_CACHED_NAMES = 64
_MAX_CACHED_LENGTH = 2_048

preparers: dict[tuple[str, ...], Preparer | None] = {}
"""For the names of a call's fields, what has to be done with them: ``None`` if nothing."""


class LoggerName(str):
    """The name of a logger, with what structlog's processors ask of a logger of ``logging``."""

    __slots__ = ()

    disabled = False

    @property
    def name(self) -> str:
        """The name as plain text."""
        return str.__str__(self)

    def getEffectiveLevel(self) -> int:  # noqa: N802 - the name that logging gave it
        """Return the number of the level that the logging module has for this name."""
        return logging.getLogger(self.name).getEffectiveLevel()


def adapted(processor: Processor) -> Processor:
    """Return a processor of the bot's own as one that leaves an event dict with an event's name.

    One that renders raises ``TypeError``, since the next one could do nothing with its text.
    """

    def process(logger: Any, level: str, event_dict: MutableMapping[str, Any]) -> Any:
        event = event_dict["event"]
        processed = processor(LoggerName(logger), level, event_dict)
        if not isinstance(processed, Mapping):
            name = getattr(processor, "__name__", type(processor).__name__)
            kind = type(processed).__name__
            raise TypeError(f"processor {name} returned {kind}: leave rendering to logkit")
        return processed if "event" in processed else {**processed, "event": event}

    return process


def prepare(fields: EventDict) -> EventDict:
    """Return the fields of one log call as they are written.

    An envelope name becomes ``field_<name>``, a numeric id text, an exception error fields, and
    what the name of a secret labels ``[redacted]``.
    """
    # A call site has the same names each time, and one look-up is cheaper than ten.
    preparer = preparers.get(tuple(fields), find_preparer)
    return fields if preparer is None else preparer(fields)


def find_preparer(fields: EventDict) -> EventDict:
    """Prepare *fields*, and remember how it is done for fields of the same names."""
    names = tuple(fields)
    special = _SPECIAL_KEYS.intersection(names)
    preparer: Preparer | None = None
    if special:
        preparer = _id_preparer(special) if special <= TEXT_IDS else _prepare_all
    if secret := secret_names(names):
        preparer = _masking(secret, preparer)
    if len(preparers) >= _MAX_CACHED:
        preparers.clear()
    if len(names) <= _MAX_CACHED_NAMES and sum(map(len, names)) <= _MAX_CACHED_LENGTH:
        preparers[names] = preparer
    return fields if preparer is None else preparer(fields)


def _masking(names: frozenset[str], then: Preparer | None) -> Preparer:
    def prepare_secrets(fields: EventDict) -> EventDict:
        masked = mask(fields, names) if secrets.is_on else fields
        return masked if then is None else then(masked)

    return prepare_secrets


def _prepare_all(fields: EventDict) -> EventDict:
    return ids_as_text(rename_clashes(expand_exception(fields)))


def _id_preparer(names: Iterable[str]) -> Preparer:
    ids = itemgetter(*names, *names)

    def prepare_ids(fields: EventDict) -> EventDict:
        try:
            # The cheapest way to see that all of them are text.
            "".join(ids(fields))
        except TypeError:
            return ids_as_text(fields)
        return fields

    return prepare_ids


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
    if is_set(stack_info):
        expanded["stack"] = stack_info if isinstance(stack_info, str) else stack_of(_caller())
    return expanded if error is None else {**expanded, **error_fields(error), **expanded}


def _caller() -> Any:
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("logkit."):
        frame = frame.f_back
    return frame
