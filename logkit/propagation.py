"""The correlation id across process borders: headers of HTTP and of message queues.

``X-Correlation-ID`` is read and written first. W3C Trace Context travels beside it without
OpenTelemetry: trace and span ids are fields like any other.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

from logkit.context import Scope, bound_fields, is_correlation_id, new_correlation_id
from logkit.headers import plain_headers

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping

CORRELATION_HEADER = "X-Correlation-ID"

_TRACE_FIELDS = frozenset({"trace_id", "span_id", "parent_span_id"})
_TRACE_ID = re.compile(r"(?!0{32})[0-9a-f]{32}")
_SPAN_ID = re.compile(r"(?!0{16})[0-9a-f]{16}")
# Versions after 00 may append members; ff is never valid (W3C Trace Context, section 3.2.2).
_TRACEPARENT = re.compile(
    rf"(?P<version>(?!ff)[0-9a-f]{{2}})-(?P<trace>{_TRACE_ID.pattern})-(?P<span>{_SPAN_ID.pattern})"
    r"-[0-9a-f]{2}(?P<more>-.*)?"
)


def inject(headers: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Write the current correlation into *headers*, a mapping, and return it.

    Sets ``X-Correlation-ID``, and ``traceparent`` where the current work belongs to a trace or its
    correlation id can serve as a trace id. What the caller has set in any letter case stays.
    Without a correlation nothing is set.
    """
    fields = bound_fields.get()
    present = {str(name).lower() for name in headers}
    for name, value in (
        (CORRELATION_HEADER, fields.get("correlation_id")),
        ("traceparent", _traceparent(fields)),
    ):
        if value is not None and name.lower() not in present:
            headers[name] = value
    return headers


class extract(Scope):  # noqa: N801 - a context manager that reads like a verb
    """Continue, inside the ``with`` block, the correlation that *headers* carry; return its id.

    The id is that of ``X-Correlation-ID``, else of ``X-Request-ID``, else the trace id of
    ``traceparent``, else a new one. What is not valid counts as missing. The events inside also
    get the trace id, a span id of their own and the caller's as ``parent_span_id``.

    Args:
        headers: Mapping or pairs, text or bytes, in any letter case: headers of HTTP libraries,
            of ASGI scopes and of message queues. ``None`` is none.
    """

    __slots__ = ("correlation_id",)

    def __init__(self, headers: object = None) -> None:
        found = _readable(headers)
        trace_id, parent_span_id = _trace_of(found)
        candidates = (*found.get("x-correlation-id", ()), *found.get("x-request-id", ()), trace_id)
        self.correlation_id = next(filter(is_correlation_id, candidates), new_correlation_id())
        fields = {
            "correlation_id": self.correlation_id,
            "trace_id": trace_id or _as_trace_id(self.correlation_id) or os.urandom(16).hex(),
            "span_id": os.urandom(8).hex(),
        }
        super().__init__(fields | ({"parent_span_id": parent_span_id} if parent_span_id else {}))

    def __enter__(self) -> str:
        self._enter()
        return self.correlation_id

    def _inside(self, outer: dict[str, Any]) -> dict[str, Any]:
        kept = {name: value for name, value in outer.items() if name not in _TRACE_FIELDS}
        return {**kept, **self._fields}


def _readable(headers: object) -> dict[str, tuple[str, ...]]:
    try:
        return plain_headers(headers)
    except Exception:  # noqa: BLE001 - headers come from outside and may be anything
        return {}


def _trace_of(headers: Mapping[str, tuple[str, ...]]) -> tuple[str, str]:
    """Return trace id and span id of the caller, or empty texts."""
    values = headers.get("traceparent", ())
    # More than one is as good as none: nobody can say which is meant.
    found = _TRACEPARENT.fullmatch(values[0]) if len(values) == 1 else None
    if found is None or (found["version"] == "00" and found["more"]):
        return "", ""
    return found["trace"], found["span"]


def _traceparent(fields: Mapping[str, Any]) -> str | None:
    trace_id = _as_trace_id(fields.get("trace_id")) or _as_trace_id(fields.get("correlation_id"))
    if trace_id is None:
        return None
    span_id = fields.get("span_id")
    is_span = isinstance(span_id, str) and _SPAN_ID.fullmatch(span_id)
    return f"00-{trace_id}-{span_id if is_span else os.urandom(8).hex()}-01"


def _as_trace_id(value: object) -> str | None:
    return value if isinstance(value, str) and _TRACE_ID.fullmatch(value) else None
