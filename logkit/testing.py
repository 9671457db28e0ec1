"""For bots' own tests: capture the events that code logs, and check them against the schema."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import orjson

from logkit import schema
from logkit.pipeline import pipeline
from logkit.renderers import JsonRenderer

if TYPE_CHECKING:
    from collections.abc import Iterator

_TYPES: dict[str, tuple[type, ...]] = {"string": (str,), "integer": (int,), "number": (int, float)}


class SchemaViolationError(AssertionError):
    """A captured event does not fit the event schema."""


@contextmanager
def capture_events() -> Iterator[list[dict[str, Any]]]:
    """Collect every event logged inside the block into the list it returns; none is written.

    The events are what the lines would have held. They are checked at the end of the block.

    Raises:
        SchemaViolationError: An event does not fit ``logkit.schema.json_schema()``.
    """
    events: list[dict[str, Any]] = []
    former = pipeline.sink, pipeline.renderer
    pipeline.sink, pipeline.renderer = _ListSink(events), JsonRenderer(pipeline.identity)
    try:
        yield events
    finally:
        pipeline.sink, pipeline.renderer = former
    for event in events:
        if problems := violations(event):
            raise SchemaViolationError(f"event {event['event']!r}: {'; '.join(problems)}")


def violations(event: dict[str, Any]) -> list[str]:
    """Return what keeps *event* from fitting the event schema, one text a problem."""
    missing = [f.name for f in schema.FIELDS if f.is_required and f.name not in event]
    problems = [f"{name} is missing" for name in missing]
    for name, value in event.items():
        if field := schema.FIELDS_BY_NAME.get(name):
            problems += _problems(field, value)
    return problems


def _problems(field: schema.Field, value: Any) -> Iterator[str]:
    if isinstance(value, bool) or not _fits_type(field.type, value):
        yield f"{field.name} is {value!r}, not of type {field.type}"
        return
    if field.enum and value not in field.enum:
        yield f"{field.name} is {value!r}, not one of {', '.join(field.enum)}"
    if field.pattern is not None and not re.search(field.pattern, value):
        yield f"{field.name} is {value!r}, which does not match {field.pattern}"
    if field.minimum is not None and value < field.minimum:
        yield f"{field.name} is {value!r}, below {field.minimum}"


def _fits_type(json_type: str, value: Any) -> bool:
    # JSON Schema counts 1.0 as an integer.
    if json_type == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, _TYPES[json_type])


class _ListSink:
    def __init__(self, events: list[dict[str, Any]]) -> None:
        self._events = events

    def write(self, line: bytes, level: str) -> None:  # noqa: ARG002 - part of the protocol
        self._events.append(orjson.loads(line))

    def flush(self, timeout: float) -> bool:  # noqa: ARG002 - part of the protocol
        return True

    def close(self) -> None:
        pass
