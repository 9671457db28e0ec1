"""The correlation id across process borders: headers of HTTP and of message queues.

``X-Correlation-ID`` is read and written first. W3C Trace Context travels beside it without
OpenTelemetry: trace and span ids are fields like any other.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from logkit.context import is_correlation_id, new_correlation_id
from logkit.headers import header_text, plain_headers
from logkit.spans import (
    SPAN_ID,
    TRACE_FIELDS,
    TRACE_ID,
    Span,
    TraceFlags,
    as_span_id,
    as_trace_id,
    current_trace,
    new_span_id,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping
    from types import TracebackType

    from logkit.spans import Kind

CORRELATION_HEADER = "X-Correlation-ID"

# Versions after 00 may append members; ff is never valid (W3C Trace Context, section 3.2.2).
_TRACEPARENT = re.compile(
    rf"(?P<version>(?!ff)[0-9a-f]{{2}})-(?P<trace>{TRACE_ID.pattern})-(?P<span>{SPAN_ID.pattern})"
    r"-(?P<flags>[0-9a-f]{2})(?P<more>-.*)?"
)
_SAMPLED = 1
_MAX_STATE = 512


def inject(headers: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Write the current correlation into *headers*, a mapping, and return it.

    Sets ``X-Correlation-ID``, and ``traceparent`` where the current work belongs to a trace or its
    correlation id can serve as a trace id; with it go ``tracestate`` and the sampling flag as they
    came. What the caller has set in any letter case stays. Without a correlation or a trace
    nothing is set.
    """
    return write_headers(headers, *current_trace())


def write_headers(
    headers: MutableMapping[str, Any], fields: Mapping[str, Any], flags: TraceFlags | None
) -> MutableMapping[str, Any]:
    """Write the correlation id and the span that *fields* hold into *headers*, and return it."""
    present = {(header_text(name) or "").lower() for name in headers}
    correlation_id = fields.get("correlation_id")
    if not isinstance(correlation_id, str) or not is_correlation_id(correlation_id):
        correlation_id = None  # bound by hand; a header of it might cost the bot its request
    trace_id = as_trace_id(fields.get("trace_id")) or as_trace_id(fields.get("correlation_id"))
    if flags is not None and flags.trace_id != trace_id:
        flags = None
    for name, value in (
        (CORRELATION_HEADER, correlation_id),
        ("traceparent", _traceparent(trace_id, fields.get("span_id"), flags)),
        ("tracestate", flags.state or None if flags else None),
    ):
        if value is not None and name.lower() not in present:
            headers[name] = value
    return headers


class extract(Span):  # noqa: N801 - a context manager that reads like a verb
    """Continue, inside the ``with`` block, the correlation that *headers* carry; return its id.

    The id is that of ``X-Correlation-ID``, else of ``X-Request-ID``, else the trace id of
    ``traceparent``, else a new one. What is not valid counts as missing. The block is a span: the
    events inside get the trace id, a span id of their own and the caller's as ``parent_span_id``.

    Args:
        headers: Mapping or pairs, text or bytes, in any letter case: headers of HTTP libraries,
            of ASGI scopes and of message queues. ``None`` is none.
        name: Name of the span where spans are exported.
        kind: ``server`` for an answer that somebody waits for, ``consumer`` for a message.
    """

    __slots__ = ("_added", "_inbound_flags", "_parent", "correlation_id")

    def __init__(
        self, headers: object = None, *, name: str = "request", kind: Kind = "server"
    ) -> None:
        super().__init__(name, kind)
        found = _readable(headers)
        self._parent, self._inbound_flags = _parent_of(found)
        trace_id = self._parent.get("trace_id", "")
        candidates = (*found.get("x-correlation-id", ()), *found.get("x-request-id", ()), trace_id)
        self.correlation_id = next(filter(is_correlation_id, candidates), new_correlation_id())
        self._added: dict[str, Any] = {}

    def __enter__(self) -> str:
        self._enter()
        return self.correlation_id

    def add(self, /, **fields: Any) -> None:
        """Add *fields* to the span, where spans are exported."""
        self._added = {**self._added, **fields}

    def rename(self, name: str) -> None:
        """Name the span, once it is known what was asked for."""
        self._name = name

    def _inside(self, outer: dict[str, Any]) -> dict[str, Any]:
        self._flag(self._inbound_flags)
        kept = {name: value for name, value in outer.items() if name not in TRACE_FIELDS}
        own = {"correlation_id": self.correlation_id}
        return {**kept, **own, **self._begin({**own, **self._parent})}

    def __exit__(
        self,
        error_class: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._end(self._added, error)


def _readable(headers: object) -> dict[str, tuple[str, ...]]:
    try:
        return plain_headers(headers)
    except Exception:  # noqa: BLE001 - headers come from outside and may be anything
        return {}


def _parent_of(
    headers: Mapping[str, tuple[str, ...]],
) -> tuple[dict[str, str], TraceFlags | None]:
    """Return the ids of the caller's span and the flags of its trace."""
    values = headers.get("traceparent", ())
    # More than one is as good as none: nobody can say which is meant.
    found = _TRACEPARENT.fullmatch(values[0]) if len(values) == 1 else None
    if found is None or (found["version"] == "00" and found["more"]):
        return {}, None
    is_sampled = bool(int(found["flags"], 16) & _SAMPLED)
    state = ",".join(headers.get("tracestate", ()))
    if not state.isprintable() or not state.isascii() or len(state) > _MAX_STATE:
        state = ""
    flags = None if is_sampled and not state else TraceFlags(found["trace"], is_sampled, state)
    return {"trace_id": found["trace"], "span_id": found["span"]}, flags


def _traceparent(trace_id: str | None, span_id: object, flags: TraceFlags | None) -> str | None:
    if trace_id is None:
        return None
    is_sampled = flags is None or flags.is_sampled
    return f"00-{trace_id}-{as_span_id(span_id) or new_span_id()}-{int(is_sampled):02x}"
