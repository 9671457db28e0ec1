"""The one way of an event: log call -> processors -> renderer -> sink."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from itertools import count
from time import time_ns
from typing import TYPE_CHECKING, Any

from logkit import forks
from logkit.context import bound_fields
from logkit.counters import Counters
from logkit.encoding import text_of
from logkit.identity import UNKNOWN_SERVICE, Identity
from logkit.names import describe, is_name, known_names
from logkit.processors import find_preparer, prepare, preparers
from logkit.renderers import ConsoleRenderer, JsonRenderer
from logkit.sinks.direct import DirectSink
from logkit.sinks.outputs import StandardOutput

if TYPE_CHECKING:
    from contextvars import ContextVar

    from logkit.processors import EventDict, Processor
    from logkit.renderers import Renderer
    from logkit.sinks.base import Sink


# Methods of imported objects are looked up at each call; a name of this module is not.
get_bound = bound_fields.get
get_preparer = preparers.get


class Pipeline:
    """The parts that ``configure()`` joins, and the call that runs an event through them.

    Attributes:
        identity: Who writes.
        processors: The bot's own processors, in order; the list is shared with structlog.
        renderer: Event dict to line.
        sink: Where lines go.
        counters: What became of the events.
        foreign_variables: structlog's own registry of bound context variables.
        next_seq: Returns the number of the next event of this instance; atomic.
        observe: Gets name, level and fields of each event, or ``None``; never raises.
    """

    def __init__(self) -> None:
        self.identity = Identity(os.environ.get("LOGKIT_SERVICE") or UNKNOWN_SERVICE)
        self.counters = Counters()
        self.processors: list[Processor] = []
        self.renderer: Renderer = choose_renderer(self.identity, self.counters, is_file=False)
        self.sink: Sink = DirectSink(StandardOutput(), self.counters)
        self.foreign_variables: Mapping[str, ContextVar[Any]] = {}
        self.next_seq = count(1).__next__
        self.observe: Callable[[str, str, EventDict], None] | None = None

    def emit(
        self,
        level: str,
        logger: str,
        template: object,
        args: Any,
        context: EventDict,
        fields: EventDict,
        created_ns: int | None,
    ) -> None:
        """Run one log call through processors, renderer and sink. Never raises.

        Args:
            level: Level name.
            logger: Name of the logger.
            template: Event name, or text with ``%`` placeholders.
            args: Values for the placeholders.
            context: Fields bound to the logger, tidied when they were bound.
            fields: Fields of this call.
            created_ns: Nanoseconds since 1970 of the call, or ``None`` for now.
        """
        try:
            # The usual call, with no function call that can be done without.
            if (
                type(template) is str
                and template in known_names
                and not (args or self.processors or self.foreign_variables)
            ):
                preparer = get_preparer(tuple(fields), find_preparer)
                if preparer is not None:
                    fields = preparer(fields)
                bound = get_bound()
                if bound or context:
                    fields = {**bound, **context, **fields}
                now = time_ns() if created_ns is None else created_ns
                line = self.renderer.render(template, fields, level, logger, now, self.next_seq())
                self.sink.write(line, level)
                if self.observe is not None:
                    self.observe(template, level, fields)
            else:
                self._process(level, logger, template, args, context, fields, created_ns)
        except Exception as error:  # noqa: BLE001 - a log call never raises into the bot
            self.rescue(level, logger, template, error)
        except BaseException as error:
            if not _is_drop(error):
                raise

    def event_dict(
        self, logger: str, template: object, args: Any, context: EventDict, fields: EventDict
    ) -> EventDict:
        """Return the event dict of a log call, with all bound fields, before the processors."""
        if type(template) is not str and (template is None or isinstance(template, Mapping)):
            template, fields = _named(template, fields)
        fields = prepare(fields)
        if self.foreign_variables:
            context = {**_values(self.foreign_variables), **context}
        if not args and type(template) is str and is_name(template):
            return {"event": template, **bound_fields.get(), **context, **fields}
        event, message = describe(template, args, logger)
        named = {"event": event} if message is None else {"event": event, "message": message}
        return {**named, **bound_fields.get(), **context, **fields}

    def _process(
        self,
        level: str,
        logger: str,
        template: object,
        args: Any,
        context: EventDict,
        fields: EventDict,
        created_ns: int | None,
    ) -> None:
        event_dict = self.event_dict(logger, template, args, context, fields)
        for processor in self.processors:
            event_dict = processor(logger, level, event_dict)
        event, fields = split(event_dict)
        self.write(level, logger, event, fields, created_ns)

    def write(
        self, level: str, logger: str, event: str, fields: EventDict, created_ns: int | None
    ) -> None:
        """Render an event that has passed the processors and hand it to the sink."""
        now = time_ns() if created_ns is None else created_ns
        self.sink.write(
            self.renderer.render(event, fields, level, logger, now, self.next_seq()), level
        )
        if self.observe is not None:
            self.observe(event, level, fields)

    def rescue(self, level: str, logger: str, template: object, error: Exception) -> None:
        """Write what is left of an event whose processing failed: its name and why.

        The fields are left out, since the processor that failed may be the one that redacts.
        """
        try:
            event = describe(template, (), logger)[0] if type(template) is str else "unreadable"
            self.write(level, logger, event, {"logkit_error": reason_of(error)}, None)
        except Exception:  # noqa: BLE001 - nothing more can be said about this event
            with self.counters.lock:
                self.counters.accepted += 1
                self.counters.dropped_by_level[level] += 1

    def report(self, level: str) -> bytes:
        """Return the event ``logkit_stats``, which tells what became of the events."""
        counts = self.counters.snapshot()
        by_level = counts.pop("dropped_by_level")
        fields = {**counts, **{f"dropped_{level}": count for level, count in by_level.items()}}
        seq = self.next_seq()
        return self.renderer.render("logkit_stats", fields, level, "logkit", time_ns(), seq)

    def become_child(self) -> None:
        """Make a forked child an instance of its own, with its own counters."""
        self.identity = self.identity.forked()
        self.next_seq = count(1).__next__
        self.counters.__init__()  # type: ignore[misc]
        if isinstance(self.renderer, JsonRenderer):
            self.renderer = JsonRenderer(self.identity, self.counters)
        self.sink.become_child()


def choose_renderer(identity: Identity, counters: Counters, *, is_file: bool) -> Renderer:
    """Return the readable form for a terminal and JSON for everything else."""
    if is_file or sys.stdout is None or not sys.stdout.isatty():
        return JsonRenderer(identity, counters)
    return ConsoleRenderer(has_colours=not os.environ.get("NO_COLOR"))


def _named(template: Mapping[Any, Any] | None, fields: EventDict) -> tuple[object, EventDict]:
    """Return event name and fields of ``info(event="x")`` and of ``info({"event": "x"})``."""
    if template is not None:
        fields = {**{text_of(name): value for name, value in template.items()}, **fields}
    name = next((key for key in ("event", "message", "msg") if key in fields), None)
    if name is None:
        return "fields_logged", fields
    return fields[name], {key: value for key, value in fields.items() if key != name}


def split(event_dict: EventDict) -> tuple[str, EventDict]:
    """Return the name of an event and its other fields, also those that processors have added."""
    fields = dict(event_dict)
    event = fields.pop("event", "unnamed")
    return event if type(event) is str else text_of(event), prepare(fields)


def reason_of(error: Exception) -> str:
    """Return why an event could not be made, for its field ``logkit_error``."""
    return f"{type(error).__name__}: {text_of(error)}"


def _values(variables: Mapping[str, ContextVar[Any]]) -> EventDict:
    values = {name: variable.get(...) for name, variable in list(variables.items())}
    prefix = "structlog_"
    return prepare({k.removeprefix(prefix): v for k, v in values.items() if v is not ...})


def _is_drop(error: BaseException) -> bool:
    """Return whether a structlog processor said that the event is not to be logged."""
    # structlog is loaded by configure() at the latest; without it nobody can raise its DropEvent.
    structlog = sys.modules.get("structlog")
    return structlog is not None and isinstance(error, structlog.DropEvent)


pipeline = Pipeline()
"""The pipeline of this process."""

forks.in_child(pipeline.become_child)
