"""Spans: operations with ids of W3C Trace Context, the one inside the other.

Ids are fields like any other and come with every event, so that a trace can be read from logs
alone. A recorder, if there is one, is told of each span as well.
"""

from __future__ import annotations

import re
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any, Literal, Protocol

from logkit import forks
from logkit.context import Scope, bound_fields

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager

Kind = Literal["internal", "client", "server", "consumer"]
"""What an operation is; a server or consumer continues what another process began."""

TRACE_FIELDS = frozenset({"trace_id", "span_id", "parent_span_id"})

TRACE_ID = re.compile(r"(?!0{32})[0-9a-f]{32}")
SPAN_ID = re.compile(r"(?!0{16})[0-9a-f]{16}")
_is_trace_id, _is_span_id = TRACE_ID.fullmatch, SPAN_ID.fullmatch

# Not the random module's own generator: a bot that seeds that one would make the same ids again.
_random = Random()  # noqa: S311 - ids have to be unique, not secret
_bits = _random.getrandbits
forks.in_child(_random.seed)


@dataclass(frozen=True, slots=True)
class TraceFlags:
    """What travels with a trace besides its ids, where it is not the usual.

    Attributes:
        trace_id: The trace that this holds for.
        is_sampled: Whether somebody up the line wants the trace recorded.
        state: ``tracestate``, which is passed on as it came, or ``""``.
    """

    trace_id: str
    is_sampled: bool
    state: str


trace_flags: ContextVar[TraceFlags | None] = ContextVar("logkit_trace_flags", default=None)
"""Flags of the current trace; ``None``, or flags of another trace, is sampled and without state."""


class Recording(Protocol):
    """One span on its way to a collector. No method raises."""

    ids: dict[str, str]
    """``trace_id``, ``span_id`` and, below another span, ``parent_span_id``."""

    flags: TraceFlags | None
    """Flags of the span's trace where they are not the usual."""

    def enter(self) -> None:
        """Make the span the current one for other users of the recorder."""

    def leave(self) -> None:
        """Undo ``enter``."""

    def end(self, name: str, fields: Mapping[str, Any], error: BaseException | None) -> None:
        """Hand the span over, with the fields of its event and how it failed."""


class Recorder(Protocol):
    """Takes spans to a collector. No method raises."""

    def start(self, name: str, kind: Kind, parent: Mapping[str, Any]) -> Recording | None:
        """Return a span below that of the ids in *parent*, or ``None`` if it cannot be made."""

    def current(
        self, fields: Mapping[str, Any]
    ) -> tuple[Mapping[str, Any], TraceFlags | None] | None:
        """Return *fields* with the ids of a span that the bot opened by other means, if any."""

    def is_suppressed(self) -> bool:
        """Return whether the recorder is at work itself, and its calls are not to be recorded."""


@dataclass(slots=True)
class Tracer:
    """Who is told of spans.

    Attributes:
        recorder: The recorder, or ``None``.
        count_lost: Returns how many spans did not reach a collector.
    """

    recorder: Recorder | None = None
    count_lost: Callable[[], int] = int


tracer = Tracer()
"""The tracer of this process."""


def new_trace_id() -> str:
    """Return 32 random hex digits."""
    return (_bits(128) | 1).to_bytes(16, "big").hex()


def new_span_id() -> str:
    """Return 16 random hex digits."""
    return (_bits(64) | 1).to_bytes(8, "big").hex()


def as_trace_id(value: object) -> str | None:
    """Return *value* if it can be the id of a trace."""
    return value if isinstance(value, str) and _is_trace_id(value) else None


def as_span_id(value: object) -> str | None:
    """Return *value* if it can be the id of a span."""
    return value if isinstance(value, str) and _is_span_id(value) else None


def child_ids(parent: Mapping[str, Any]) -> dict[str, str]:
    """Return the ids of a new span below the one whose ids are in *parent*.

    Without a trace there, the correlation id serves as trace id if it can, so that what is done
    for one action is one trace.
    """
    trace_id = as_trace_id(parent.get("trace_id"))
    if trace_id is None:
        trace_id = as_trace_id(parent.get("correlation_id")) or new_trace_id()
        return {"trace_id": trace_id, "span_id": new_span_id()}
    parent_span_id = as_span_id(parent.get("span_id"))
    if parent_span_id is None:
        return {"trace_id": trace_id, "span_id": new_span_id()}
    return {"trace_id": trace_id, "span_id": new_span_id(), "parent_span_id": parent_span_id}


def start(
    name: str, kind: Kind, parent: Mapping[str, Any]
) -> tuple[dict[str, str], Recording | None]:
    """Begin a span below that of the ids in *parent*; return its ids and its recording, if any."""
    recorder = tracer.recorder
    recording = None if recorder is None else recorder.start(name, kind, parent)
    return (child_ids(parent), None) if recording is None else (recording.ids, recording)


def current_trace() -> tuple[Mapping[str, Any], TraceFlags | None]:
    """Return the fields of the current context, with the ids of the current span, and its flags."""
    fields = bound_fields.get()
    found = None if tracer.recorder is None else tracer.recorder.current(fields)
    return (fields, trace_flags.get()) if found is None else found


@contextmanager
def flagged(flags: TraceFlags | None) -> Iterator[None]:
    """Let *flags* hold inside the ``with`` block."""
    token = trace_flags.set(flags)
    try:
        yield
    finally:
        # In another context than it was entered in, what stays holds for its own trace alone.
        with suppress(ValueError, RuntimeError):
            trace_flags.reset(token)


class Span(Scope):
    """A span that is open while a ``with`` block runs; events inside carry its ids.

    Args:
        name: Name of the operation.
        kind: What it is.
    """

    __slots__ = ("_flagged", "_kind", "_name", "_recording")

    _flagged: AbstractContextManager[None] | None
    _recording: Recording | None

    def __init__(self, name: str, kind: Kind = "internal") -> None:
        self._name = name
        self._kind = kind
        self._flagged = None
        self._recording = None

    @property
    def is_recorded(self) -> bool:
        """Whether somebody wants to know more about the span than its ids."""
        return self._recording is not None

    def _inside(self, outer: dict[str, Any]) -> dict[str, Any]:
        ids = self._begin(outer)
        if "parent_span_id" in outer and "parent_span_id" not in ids:
            outer = {name: value for name, value in outer.items() if name not in TRACE_FIELDS}
        return {**outer, **ids}

    def _begin(self, parent: Mapping[str, Any]) -> dict[str, str]:
        if tracer.recorder is None:  # for most bots, and for them at no cost
            return child_ids(parent)
        ids, self._recording = start(self._name, self._kind, parent)
        if self._recording is not None:
            self._recording.enter()
            self._flag(self._recording.flags)
        return ids

    def _flag(self, flags: TraceFlags | None) -> None:
        if flags is None:
            return
        if self._flagged is not None:
            trace_flags.set(flags)
            return
        self._flagged = flagged(flags)
        self._flagged.__enter__()

    def _end(self, fields: Mapping[str, Any], error: BaseException | None) -> None:
        """Tell the recorder how the operation went, and close the block."""
        if self._recording is not None:
            self._recording.end(self._name, {**self._bound, **fields}, error)
            self._recording.leave()
            self._recording = None
        if self._flagged is not None:
            self._flagged.__exit__(None, None, None)
            self._flagged = None
        self._leave(error)
