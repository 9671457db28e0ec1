"""What other JSON loggers call our fields.

Every dialect is two things: an optional *unwrap* step, which lifts what it keeps in nested objects
to the top under the dotted names used below, and a table of the keys that may fill a column, best
first. The dialect is told anew for each line, so a file may mix them.

Sources of the formats: structlog and python-json-logger key names; loguru ``serialize=True``;
pino and bunyan core fields with pino-http's ``req``/``res``; zap's production encoder; logrus'
JSONFormatter; Elastic Common Schema 8; Serilog's compact and its older JSON, with the properties of
its request logging; Datadog's standard attributes; docker's json-file driver; log services as in
`cloud`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from logkit.schema import FIELDS, FIELDS_BY_NAME
from logkit_analysis.parsers import cloud, levels
from logkit_analysis.parsers.unwrap import (
    unwrap_datadog,
    unwrap_ecs,
    unwrap_loguru,
    unwrap_node,
    unwrap_serilog,
)
from logkit_analysis.parsers.values import (
    COLUMN_CONVERTERS,
    Converter,
    as_text,
    milliseconds_from,
    milliseconds_from_text,
    whole_milliseconds_from_seconds,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    Unwrap = Callable[[dict[str, Any]], dict[str, Any]]

Source = tuple[str, Converter | None]
"""A key that may fill a column, and its converter where the column's own does not fit."""

_MS = milliseconds_from("ms")
_SECONDS = milliseconds_from("s")


def _plain(*keys: str) -> tuple[Source, ...]:
    return tuple((key, None) for key in keys)


_COMMON: dict[str, tuple[Source, ...]] = {
    "timestamp": _plain("@timestamp", "time", "ts", "asctime", "datetime"),
    "level": _plain("levelname", "severity", "lvl", "log_level", "log.level"),
    "service": _plain("service_name", "service.name", "app"),
    "message": _plain("msg"),
    "logger": _plain("logger_name", "log.logger"),
    "host": _plain("hostname", "host.name"),
    "env": _plain("environment", "service.environment"),
    "version": _plain("service.version", "app_version"),
    "instance": _plain("service.node.name", "service.instance.id"),
    "pid": _plain("process.pid"),
    "correlation_id": _plain("request_id", "requestId", "correlationId", "req_id", "reqId"),
    "trace_id": _plain("traceId", "trace.id"),
    "span_id": _plain("spanId", "span.id"),
    "parent_span_id": _plain("parent_id", "parent.id"),
    "endpoint": _plain("http.route", "route", "path", "url", "url.path", "req.url", "uri"),
    "method": _plain("http_method", "http.request.method", "req.method"),
    "status_code": _plain(
        "status", "statusCode", "http_status", "http.response.status_code", "res.statusCode"
    ),
    "duration_ms": (
        *((key, _MS) for key in ("latency_ms", "elapsed_ms", "response_time_ms", "responseTime")),
        *((key, milliseconds_from_text) for key in ("duration", "elapsed", "latency")),
        *((key, _SECONDS) for key in ("duration_s", "duration_seconds", "latency_s")),
        *((key, _SECONDS) for key in ("elapsed_s", "elapsed_seconds", "latency_seconds")),
        *((key, milliseconds_from("us")) for key in ("duration_us", "latency_us", "elapsed_us")),
        *((key, milliseconds_from("ns")) for key in ("duration_ns", "event.duration")),
    ),
    "retry_after_ms": (("retry_after", whole_milliseconds_from_seconds),),
    "attempt": _plain("retry_count"),
    "error_type": _plain("error.type", "err.type", "err.name", "exc_type", "exception.type"),
    "error_message": _plain("error.message", "err.message", "error", "err", "exception.message"),
    "error_stack": _plain(
        "error.stack_trace",
        "exception.stacktrace",
        "err.stack",
        "exc_info",
        "exception",
        "stacktrace",
        "stack_trace",
        "traceback",
        "stack",
    ),
    "user_id": _plain("user.id", "userId"),
    "rss_bytes": _plain("memory_rss_bytes"),
}


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one logger's lines are read.

    Attributes:
        name: What people call it.
        level_numbers: Its numeric levels as ours.
        extra: Keys that mean a column in this dialect alone; they come before the common ones.
        unwrap: Lifts nested values to the top, or ``None``.
    """

    name: str
    level_numbers: dict[int, str]
    extra: dict[str, tuple[Source, ...]]
    unwrap: Unwrap | None = None

    def sources(self, column: str) -> tuple[Source, ...]:
        """Return the keys that may fill *column*, best first."""
        return ((column, None), *self.extra.get(column, ()), *_COMMON.get(column, ()))


_DATADOG_MARKS = frozenset(("ddsource", "dd", "dd.trace_id"))
_PYTHON = levels.PYTHON_NUMBERS
_NODE = levels.PINO_NUMBERS

NATIVE = Dialect("json", _PYTHON, {})
PYTHON = Dialect(
    "python",
    _PYTHON,
    {"logger": _plain("name"), "pid": _plain("process"), "level": _plain("levelname", "levelno")},
)
LOGURU = Dialect("loguru", _PYTHON, {}, unwrap_loguru)
NODE = Dialect("pino", _NODE, {"service": _plain("name")}, unwrap_node)
ZAP = Dialect(
    "zap",
    _PYTHON,
    {"duration_ms": tuple((key, _SECONDS) for key in ("duration", "elapsed", "latency"))},
)
LOGRUS = Dialect("logrus", _PYTHON, {"duration_ms": (("duration", milliseconds_from("ns")),)})
ECS = Dialect("ecs", _PYTHON, {"event": (("event.action", as_text),)}, unwrap_ecs)
SERILOG = Dialect(
    "serilog",
    _PYTHON,
    {
        "timestamp": _plain("@t", "Timestamp"),
        "level": _plain("@l", "Level"),
        "message": _plain("@m", "RenderedMessage", "@mt", "MessageTemplate"),
        "service": _plain("Application", "ApplicationName"),
        "logger": _plain("SourceContext"),
        "host": _plain("MachineName"),
        "pid": _plain("ProcessId"),
        "correlation_id": _plain("CorrelationId", "RequestId"),
        "trace_id": _plain("@tr", "TraceId"),
        "span_id": _plain("@sp", "SpanId"),
        "endpoint": _plain("RequestPath"),
        "method": _plain("RequestMethod"),
        "status_code": _plain("StatusCode"),
        "duration_ms": (("Elapsed", _MS), ("ElapsedMilliseconds", _MS)),
        "error_stack": _plain("@x", "Exception"),
    },
    unwrap_serilog,
)
DATADOG = Dialect(
    "datadog",
    _PYTHON,
    {
        "level": _plain("status"),
        "logger": _plain("logger.name"),
        "endpoint": _plain("http.url"),
        "method": _plain("http.method"),
        "status_code": _plain("http.status_code"),
        "duration_ms": (("duration", milliseconds_from("ns")),),
        "error_type": _plain("error.kind"),
        "error_stack": _plain("error.stack"),
    },
    unwrap_datadog,
)
DOCKER = Dialect("docker", _PYTHON, {})
JOURNALD = Dialect("journald", _PYTHON, {}, cloud.unwrap_journald)
GCP = Dialect(
    "gcp",
    _PYTHON,
    {
        "span_id": _plain("logging.googleapis.com/spanId"),
        "event": _plain("event.name"),
    },
    cloud.unwrap_gcp,
)
CLOUDWATCH = Dialect("cloudwatch", _PYTHON, {}, cloud.unwrap_cloudwatch)
OTLP = Dialect("otlp", _PYTHON, {"event": _plain("event.name")}, cloud.unwrap_otlp)


_DIALECTS = (
    *(NATIVE, PYTHON, LOGURU, NODE, ZAP, LOGRUS, ECS),
    *(SERILOG, DATADOG, DOCKER, JOURNALD, GCP, CLOUDWATCH, OTLP),
)

KNOWN_KEYS: frozenset[str] = frozenset(
    key for dialect in _DIALECTS for field in FIELDS for key, _ in dialect.sources(field.name)
)
"""Every key that may fill a column in any dialect."""


FOREIGN_KEYS: frozenset[str] = KNOWN_KEYS - FIELDS_BY_NAME.keys() | {
    "log",
    "stream",
    "text",
    "record",
    *_DATADOG_MARKS,
    *cloud.MARKS,
}
"""Keys that mark another dialect, or that stand for another name of a column."""


def dialect_of(line: dict[str, Any]) -> Dialect:
    """Return the dialect of a parsed line, told by its keys and, between two, a value's type."""
    keys = line.keys()
    if "log" in keys and "stream" in keys and "time" in keys and isinstance(line["log"], str):
        return DOCKER
    if "text" in keys and "record" in keys and isinstance(line["record"], dict):
        return LOGURU
    if not cloud.MARKS.isdisjoint(keys):
        return _service_dialect(line)
    if "@timestamp" in keys:
        return ECS
    if "@t" in keys or ("MessageTemplate" in keys and "Timestamp" in keys):
        return SERILOG
    if not _DATADOG_MARKS.isdisjoint(keys):
        return DATADOG
    if "level" in keys and "time" in keys:
        if "pid" in keys and "hostname" in keys:
            return NODE
        if "msg" in keys:
            # logrus writes names; pino and bunyan write numbers, pino often without its pid.
            return LOGRUS if isinstance(line["level"], str) else NODE
    if "ts" in keys and "msg" in keys:
        return ZAP
    if "levelname" in keys or "levelno" in keys or ("name" in keys and "asctime" in keys):
        return PYTHON
    return NATIVE


def _service_dialect(line: dict[str, Any]) -> Dialect:
    if cloud.JOURNALD_MARK in line:
        return JOURNALD
    if not cloud.OTLP_MARKS.isdisjoint(line):
        return OTLP
    return GCP if cloud.GCP_MARKS.intersection(line) else CLOUDWATCH


def column_converter(column: str, converter: Converter | None) -> Converter:
    """Return *converter*, or where it is ``None`` the one of the column's type."""
    return converter or COLUMN_CONVERTERS[column]
