"""For bots' own tests: capture the events that code logs, and check them against the schema."""

from __future__ import annotations

import logging
import re
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import orjson
import structlog

from logkit import schema
from logkit.config import take_over_structlog
from logkit.counters import Counters
from logkit.gates import is_gate
from logkit.levels import STDLIB_NUMBERS, parse_level
from logkit.logger import get_threshold, set_threshold
from logkit.pipeline import pipeline
from logkit.redaction import redact
from logkit.renderers import JsonRenderer
from logkit.stdlib import PipelineHandler

if TYPE_CHECKING:
    from collections.abc import Iterator

_TYPES: dict[str, tuple[type, ...]] = {"string": (str,), "integer": (int,), "number": (int, float)}


class SchemaViolationError(AssertionError):
    """A captured event does not fit the event schema."""


class Events(list[dict[str, Any]]):
    """Captured events in the order in which they were logged."""

    def assert_event(self, event: str, /, **fields: Any) -> dict[str, Any]:
        """Return the first event of that name with these fields.

        Raises:
            AssertionError: There is none; the text lists what was logged instead.
        """
        for captured in self:
            if captured["event"] == event and fields.items() <= captured.items():
                return captured
        logged = "\n".join(f"  {_without_envelope(captured)}" for captured in self)
        wanted = {"event": event, **fields}
        raise AssertionError(f"no event {wanted}; logged were:\n{logged or '  none'}")


@contextmanager
def capture_events(level: str = "info") -> Iterator[Events]:
    """Collect every event logged inside the block into the list it returns; none is written.

    Calls to logkit, structlog and logging are captured from *level* up, whether or not
    ``configure()`` was called. The events are what the lines would have held. They are checked at
    the end of the block.

    Raises:
        SchemaViolationError: An event does not fit ``logkit.schema.json_schema()``.
    """
    events = Events()
    with ExitStack() as stack:
        stack.enter_context(_pipeline_into(events))
        stack.enter_context(_threshold(parse_level(level)))
        stack.enter_context(_structlog_taken_over())
        yield events
    for event in events:
        if problems := violations(event):
            raise SchemaViolationError(f"event {event['event']!r}: {'; '.join(problems)}")


def violations(event: dict[str, Any]) -> list[str]:
    """Return what keeps *event* from fitting the event schema, one text a problem.

    The rules are those of ``logkit.schema.json_schema()``, without a need for a validator.
    """
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


def _without_envelope(event: dict[str, Any]) -> dict[str, Any]:
    shown = schema.ENVELOPE - {"level", "event"}
    return {name: value for name, value in event.items() if name not in shown}


@contextmanager
def _pipeline_into(events: Events) -> Iterator[None]:
    former, processors = (pipeline.sink, pipeline.renderer), list(pipeline.processors)
    pipeline.processors[:] = [p for p in processors if not is_gate(p)]
    pipeline.sink, pipeline.renderer = (
        _ListSink(events),
        JsonRenderer(pipeline.identity, Counters()),
    )
    try:
        yield
    finally:
        pipeline.sink, pipeline.renderer = former
        pipeline.processors[:] = processors


@contextmanager
def _threshold(level: str) -> Iterator[None]:
    root, former = logging.getLogger(), get_threshold()
    former_number, former_handlers = root.level, list(root.handlers)
    set_threshold(level)
    root.setLevel(STDLIB_NUMBERS[level])
    if not any(isinstance(handler, PipelineHandler) for handler in root.handlers):
        root.addHandler(PipelineHandler())
    try:
        yield
    finally:
        root.handlers[:] = former_handlers
        root.setLevel(former_number)
        set_threshold(former)


@contextmanager
def _structlog_taken_over() -> Iterator[None]:
    former = structlog.get_config()
    take_over_structlog()
    try:
        yield
    finally:
        structlog.configure(**former)


class _ListSink:
    def __init__(self, events: Events) -> None:
        self._events = events

    def write(self, line: bytes, level: str) -> None:  # noqa: ARG002 - part of the protocol
        self._events.append(orjson.loads(redact(line)[0]))

    def flush(self, timeout: float) -> bool:  # noqa: ARG002 - part of the protocol
        return True

    def close(self) -> None:
        pass

    def become_child(self) -> None:
        pass
