"""OpenTelemetry: spans to a collector over OTLP, or to the TracerProvider that the bot has set."""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import orjson
from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY as _SUPPRESSED
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import (
    INVALID_SPAN,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
)
from opentelemetry.trace import TraceFlags as OtelFlags
from opentelemetry.trace.span import TraceState

from logkit.encoding import text_of
from logkit.exceptions import error_fields
from logkit.exporters.batches import Batches
from logkit.processors import prepare
from logkit.redaction import redact
from logkit.schema import FIELDS_BY_NAME
from logkit.spans import TRACE_FIELDS, TraceFlags, as_trace_id, trace_flags

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import ReadableSpan

    from logkit.identity import Identity
    from logkit.spans import Kind

_MAX_TEXT = 8_192
_EXIT_S = 2.0
_KINDS = {
    "internal": SpanKind.INTERNAL,
    "client": SpanKind.CLIENT,
    "server": SpanKind.SERVER,
    "consumer": SpanKind.CONSUMER,
}
_LEAST_FAILED_STATUS = {SpanKind.CLIENT: 400, SpanKind.SERVER: 500}
_OWN_SPAN = otel_context.create_key("logkit-span")
_wanted_trace_id: ContextVar[str | None] = ContextVar("logkit_wanted_trace_id", default=None)

# What they say of a dead collector, again and again, is told once by an event of ours.
_TALKATIVE = ("opentelemetry.exporter.otlp.proto.http.trace_exporter",)


class OtelRecorder:
    """Makes each span one of OpenTelemetry's.

    Args:
        tracer: Makes the spans.
    """

    def __init__(self, tracer: trace.Tracer) -> None:
        self._tracer = tracer

    def start(self, name: str, kind: Kind, parent: Mapping[str, Any]) -> OtelRecording | None:
        """Return a span below that of the ids in *parent*, or ``None`` if it cannot be made."""
        try:
            above = _context_of(parent, is_entry=kind in {"server", "consumer"})
            wanted = _wanted_trace_id.set(as_trace_id(parent.get("correlation_id")))
            try:
                span = self._tracer.start_span(name, above, _KINDS[kind])
            finally:
                _wanted_trace_id.reset(wanted)
            return OtelRecording(span, above, _KINDS[kind])
        except Exception:  # noqa: BLE001 - samplers and processors are the bot's, and may fail
            return None

    def current(
        self, fields: Mapping[str, Any]
    ) -> tuple[Mapping[str, Any], TraceFlags | None] | None:
        """Return *fields* with the ids of a span that the bot opened by other means, if any."""
        span = trace.get_current_span()
        if not _is_foreign(span.get_span_context()):
            return None
        ids = _ids(span.get_span_context(), getattr(span, "parent", None))
        kept = {name: value for name, value in fields.items() if name not in TRACE_FIELDS}
        return {**kept, **ids}, _flags(span.get_span_context())

    def is_suppressed(self) -> bool:
        """Return whether OpenTelemetry is at work itself, and its calls are not to be recorded."""
        return bool(otel_context.get_value(_SUPPRESSED))


class OtelRecording:
    """One span of OpenTelemetry under way."""

    def __init__(self, span: trace.Span, above: Context, kind: SpanKind) -> None:
        self._span = span
        self._above = above
        self._kind = kind
        self._outer: Context | None = None
        context = span.get_span_context()
        self.ids = _ids(context, trace.get_current_span(above).get_span_context())
        self.flags = _flags(context)

    def enter(self) -> None:
        """Make the span the current one of OpenTelemetry."""
        self._outer = otel_context.get_current()
        marked = otel_context.set_value(
            _OWN_SPAN, self._span.get_span_context().span_id, self._above
        )
        self._inner = trace.set_span_in_context(self._span, marked)
        otel_context.attach(self._inner)

    def leave(self) -> None:
        """Undo ``enter``."""
        # Not by detach(): in another task than the block began in it would log an error.
        if self._outer is not None and otel_context.get_current() is self._inner:
            otel_context.attach(self._outer)

    def end(self, name: str, fields: Mapping[str, Any], error: BaseException | None) -> None:
        """Hand the span over, with the fields of its event and how it failed."""
        with suppress(Exception):  # processors are the bot's, and may fail
            try:
                if self._span.is_recording():
                    self._describe(name, fields, error)
            finally:
                self._span.end()

    def _describe(self, name: str, fields: Mapping[str, Any], error: BaseException | None) -> None:
        if error is not None:
            fields = {**error_fields(error), **fields}
        attributes = _attributes(fields)
        self._span.update_name(name)
        self._span.set_attributes(attributes)
        if _is_failure(self._kind, fields.get("status_code"), error):
            self._span.set_status(Status(StatusCode.ERROR, attributes.get("exception.message")))


def _is_failure(kind: SpanKind, status: object, error: BaseException | None) -> bool:
    if isinstance(status, int) and status >= _LEAST_FAILED_STATUS.get(kind, status + 1):
        return True
    # aiohttp's handlers raise what the caller did wrong; that is an answer, and no failure.
    is_refusal = kind is SpanKind.SERVER and isinstance(status, int) and status >= 400
    return isinstance(error, Exception) and not is_refusal


class _Ids(RandomIdGenerator):
    """Ids of spans; a trace has the id of its action where that can be one."""

    def generate_trace_id(self) -> int:
        wanted = _wanted_trace_id.get()
        return int(wanted, 16) if wanted else super().generate_trace_id()


class _Queue(SpanProcessor):
    """Hands finished spans to the thread that sends them."""

    def __init__(self, put: Callable[[ReadableSpan], None]) -> None:
        self._put = put

    def on_end(self, span: ReadableSpan) -> None:
        if span.context is not None and span.context.trace_flags.sampled:
            self._put(span)


class Export:
    """Our own way of spans to a collector.

    Args:
        identity: Who sends.
        url: Base URL of the collector; ``""`` for what OpenTelemetry's own variables say.
        write: Logs an event, given its level, name and fields.
    """

    def __init__(
        self, identity: Identity, url: str, write: Callable[[str, str, dict[str, Any]], None]
    ) -> None:
        self._write = write
        endpoint = f"{url.rstrip('/')}/v1/traces" if url else None
        self._exporter = OTLPSpanExporter(endpoint=endpoint)
        self._batches: Batches[ReadableSpan] = Batches(
            self._send,
            self._tell,
            delay_s=_setting("OTEL_BSP_SCHEDULE_DELAY", 5_000) / 1_000,
            batch_size=_setting("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", 512),
            limit=_setting("OTEL_BSP_MAX_QUEUE_SIZE", 2_048),
        )
        self.provider = _Provider(
            resource=_resource(identity), id_generator=_Ids(), shutdown_on_exit=False
        )
        self.provider.add_span_processor(_Queue(self._batches.put))
        for name in _TALKATIVE:
            logging.getLogger(name).addFilter(_silence)

    def become_child(self) -> None:
        """In a forked child: leave the parent's spans to the parent."""
        self._batches.become_child()

    @property
    def lost_count(self) -> int:
        """Spans that were dropped or did not arrive."""
        return self._batches.lost_count

    def flush(self, timeout: float) -> bool:
        """Send what waits, for *timeout* seconds at most; return whether all of it was tried."""
        return self._batches.flush(timeout)

    def close(self) -> None:
        """Send what waits, for 2 seconds at most; no wait for a collector that is dead."""
        self._batches.close(0 if self._batches.is_failing else _EXIT_S / 2)
        self._exporter.shutdown()  # type: ignore[no-untyped-call]  # it waits to try again no more
        self._batches.close(_EXIT_S / 2)
        for name in _TALKATIVE:
            logging.getLogger(name).removeFilter(_silence)

    def _send(self, spans: Sequence[ReadableSpan]) -> bool:
        otel_context.attach(otel_context.set_value(_SUPPRESSED, True))
        return self._exporter.export(spans) is SpanExportResult.SUCCESS

    def _tell(self, level: str, event: str, lost: int) -> None:
        self._write(level, event, {"collector": self._exporter._endpoint, "spans_lost": lost})


def begin(
    identity: Identity, url: str, write: Callable[[str, str, dict[str, Any]], None]
) -> tuple[OtelRecorder, Export | None]:
    """Return a recorder, and the export where the bot has set no TracerProvider of its own.

    Args:
        identity: Who sends.
        url: Base URL of the collector; ``""`` for what OpenTelemetry's own variables say.
        write: Logs an event, given its level, name and fields.
    """
    provider, export = _provider_of_bot(), None
    if provider is None:
        export = Export(identity, url, write)
        provider = export.provider
        if isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
            trace.set_tracer_provider(provider)
    return OtelRecorder(provider.get_tracer("logkit")), export


def _provider_of_bot() -> trace.TracerProvider | None:
    provider = trace.get_tracer_provider()
    is_ours = isinstance(provider, trace.ProxyTracerProvider | _Provider)
    return None if is_ours else provider


class _Provider(TracerProvider):
    """A provider that logkit has made."""


def _setting(variable: str, default: int) -> int:
    text = os.environ.get(variable, "")
    return max(int(text), 1) if text.isdecimal() else default


def _resource(identity: Identity) -> Resource:
    known = {
        "service.name": identity.service,
        "service.version": identity.version,
        "deployment.environment.name": identity.env,
        "host.name": identity.host,
    }
    return Resource.create({name: value for name, value in known.items() if value})


def _silence(record: logging.LogRecord) -> bool:  # noqa: ARG001 - a filter of logging
    return False


def _context_of(parent: Mapping[str, Any], *, is_entry: bool) -> Context:
    """Return the context in which a span below *parent* begins."""
    current = otel_context.get_current()
    here = trace.get_current_span(current).get_span_context()
    given = _span_context(parent)
    if _is_foreign(here):
        # A server span of another instrumentation continues the same caller as ours.
        if not is_entry or given is None or given.trace_id == here.trace_id:
            return current
    elif here.is_valid and given is not None and here.span_id == given.span_id:
        return current
    above = INVALID_SPAN if given is None else NonRecordingSpan(given)
    return trace.set_span_in_context(above, current)


def _is_foreign(context: SpanContext) -> bool:
    """Return whether that is a span which was not opened by logkit."""
    return context.is_valid and otel_context.get_value(_OWN_SPAN) != context.span_id


def _span_context(fields: Mapping[str, Any]) -> SpanContext | None:
    try:
        trace_id, span_id = int(fields["trace_id"], 16), int(fields["span_id"], 16)
    except (KeyError, TypeError, ValueError):
        return None
    flags = trace_flags.get()
    if flags is None or flags.trace_id != fields["trace_id"]:
        flags = TraceFlags(fields["trace_id"], True, "")
    context = SpanContext(
        trace_id,
        span_id,
        is_remote=True,
        trace_flags=OtelFlags(OtelFlags.SAMPLED if flags.is_sampled else OtelFlags.DEFAULT),
        trace_state=TraceState.from_header([flags.state]) if flags.state else None,
    )
    return context if context.is_valid else None


def _ids(context: SpanContext, parent: SpanContext | None) -> dict[str, str]:
    ids = {"trace_id": f"{context.trace_id:032x}", "span_id": f"{context.span_id:016x}"}
    if parent is not None and parent.is_valid:
        ids["parent_span_id"] = f"{parent.span_id:016x}"
    return ids


def _flags(context: SpanContext) -> TraceFlags | None:
    is_sampled, state = context.trace_flags.sampled, context.trace_state.to_header()
    if is_sampled and not state:
        return None
    return TraceFlags(f"{context.trace_id:032x}", is_sampled, state)


def _attributes(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return *fields* under OpenTelemetry's names, redacted as lines are."""
    plain = {
        name: _plain(value)
        for name, value in prepare(dict(fields)).items()
        if value is not None and name not in TRACE_FIELDS
    }
    line = orjson.dumps(plain) + b"\n"
    redacted, count = redact(line)
    clean = orjson.loads(redacted) if count else plain
    return {_otel_name(name): value for name, value in clean.items()}


def _plain(value: object) -> bool | int | float | str:
    if isinstance(value, bool | float) or (isinstance(value, int) and abs(value) < 2**63):
        return value
    # One lone surrogate, and no span of the batch could be encoded.
    return text_of(value)[:_MAX_TEXT].encode("utf-8", "backslashreplace").decode()


def _otel_name(name: str) -> str:
    field = FIELDS_BY_NAME.get(name)
    otel = None if field is None else field.otel
    return otel if otel is not None and otel.islower() else name
