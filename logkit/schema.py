"""The one table of event fields, and what is derived from it.

A field is named here once: its JSON type, its column in DuckDB and in ClickHouse, its unit and
meaning, and its names in OpenTelemetry and in the Elastic Common Schema (ECS). Everything that
needs a list of fields reads this table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

SCHEMA_VERSION = 1
"""Version of the event schema; it grows when a field is added or changes its meaning."""

LEVELS: dict[str, int] = {"debug": 5, "info": 9, "warning": 13, "error": 17, "critical": 21}
"""Level names, mildest first, with their OpenTelemetry severity numbers."""

MAX_LINE_BYTES = 65_536
"""Longest line of one event, in bytes with its newline."""

JsonType = Literal["string", "integer", "number"]

_DUCKDB_TYPES: dict[JsonType, str] = {"string": "VARCHAR", "integer": "BIGINT", "number": "DOUBLE"}
_CLICKHOUSE_TYPES: dict[JsonType, str] = {
    "string": "Nullable(String)",
    "integer": "Nullable(Int64)",
    "number": "Nullable(Float64)",
}
_HEX_PATTERNS = {"trace_id": "^(?!0{32})[0-9a-f]{32}$", "span_id": "^(?!0{16})[0-9a-f]{16}$"}


@dataclass(frozen=True, slots=True)
class Field:
    """One declared key of an event.

    Attributes:
        name: Key in the JSON line and column in the store.
        type: JSON type of the value.
        meaning: What the value says, with its unit where it has one.
        otel: OpenTelemetry attribute or log-record field of the same meaning, or ``None``.
        ecs: Field of the Elastic Common Schema of the same meaning, or ``None``.
        duckdb: Column type in DuckDB.
        clickhouse: Column type in ClickHouse.
        is_required: Whether every event carries it.
        is_envelope: Whether logkit writes it and a caller's key of that name gives way.
        enum: The only values allowed, or empty.
        pattern: Regular expression that the value matches, or ``None``.
        minimum: Smallest value allowed, or ``None``.
    """

    name: str
    type: JsonType
    meaning: str
    otel: str | None
    duckdb: str
    clickhouse: str
    ecs: str | None = None
    is_required: bool = False
    is_envelope: bool = False
    enum: tuple[str, ...] = ()
    pattern: str | None = None
    minimum: int | None = None


def _field(
    name: str,
    json_type: JsonType,
    meaning: str,
    otel: str | None = None,
    *,
    duckdb: str | None = None,
    clickhouse: str | None = None,
    **rules: Any,
) -> Field:
    return Field(
        name,
        json_type,
        meaning,
        otel,
        duckdb or _DUCKDB_TYPES[json_type],
        clickhouse or _CLICKHOUSE_TYPES[json_type],
        **rules,
    )


def _string(name: str, meaning: str, otel: str | None = None, **rules: Any) -> Field:
    return _field(name, "string", meaning, otel, **rules)


def _count(name: str, meaning: str, otel: str | None = None, **rules: Any) -> Field:
    return _field(name, "integer", meaning, otel, minimum=0, **rules)


def _number(name: str, meaning: str, otel: str | None = None, **rules: Any) -> Field:
    return _field(name, "number", meaning, otel, minimum=0, **rules)


_INT32 = {"duckdb": "INTEGER", "clickhouse": "Nullable(Int32)"}

FIELDS: tuple[Field, ...] = (
    _string(
        "timestamp",
        "when the line was written, RFC 3339 in UTC with Z; the end of a call",
        "Timestamp",
        duckdb="TIMESTAMPTZ",
        clickhouse="Nullable(DateTime64(6, 'UTC'))",
        is_required=True,
        is_envelope=True,
        pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$",
        ecs="@timestamp",
    ),
    _string(
        "level",
        "severity",
        "SeverityText",
        is_required=True,
        is_envelope=True,
        enum=tuple(LEVELS),
        ecs="log.level",
    ),
    _string(
        "service",
        "logical name of the bot or worker",
        "service.name",
        is_required=True,
        is_envelope=True,
        ecs="service.name",
    ),
    _string(
        "event",
        "low-cardinality snake_case name, no values inside",
        "EventName",
        is_required=True,
        is_envelope=True,
        ecs="event.action",
    ),
    _string("message", "text for people", "Body", ecs="message"),
    _string(
        "correlation_id",
        "one user action across tasks, processes and services",
        pattern=r"^[A-Za-z0-9._:-]{1,128}$",
    ),
    _string(
        "trace_id",
        "W3C trace id, 32 hex digits",
        "TraceId",
        pattern=_HEX_PATTERNS["trace_id"],
        ecs="trace.id",
    ),
    _string(
        "span_id",
        "W3C span id, 16 hex digits",
        "SpanId",
        pattern=_HEX_PATTERNS["span_id"],
        ecs="span.id",
    ),
    _string(
        "parent_span_id",
        "span id of the caller, 16 hex digits",
        "ParentSpanId",
        pattern=_HEX_PATTERNS["span_id"],
    ),
    _string(
        "logger", "name of the logger", "InstrumentationScope", is_envelope=True, ecs="log.logger"
    ),
    _string(
        "instance",
        "id of this run of the process, new at each start",
        "service.instance.id",
        is_envelope=True,
        ecs="service.ephemeral_id",
    ),
    _count("pid", "process id", "process.pid", is_envelope=True, ecs="process.pid"),
    _string("host", "machine or container", "host.name", is_envelope=True, ecs="host.name"),
    _string(
        "env", "deployment environment", "deployment.environment.name", ecs="service.environment"
    ),
    _string("version", "deployed version of the service", "service.version", ecs="service.version"),
    _count(
        "seq", "counter per instance; a hole shows loss", is_envelope=True, ecs="event.sequence"
    ),
    _string("endpoint", "route template with ids replaced", "url.template"),
    _string("method", "HTTP method", "http.request.method", ecs="http.request.method"),
    _count(
        "status_code",
        "HTTP status",
        "http.response.status_code",
        **_INT32,
        ecs="http.response.status_code",
    ),
    _number("duration_ms", "milliseconds of the whole operation", ecs="event.duration"),
    _count("attempt", "retry number, 0 for the first try", "http.request.resend_count", **_INT32),
    _count("retry_after_ms", "milliseconds that the server asked to wait"),
    _count("rate_limit_limit", "budget of the window, in rate_limit_unit"),
    _field("rate_limit_remaining", "integer", "budget left, in rate_limit_unit"),
    _count("rate_limit_reset_after_ms", "milliseconds until the budget is whole again"),
    _count("rate_limit_window_ms", "length of the window in milliseconds"),
    _string("rate_limit_bucket", "name of the budget"),
    _string("rate_limit_scope", "whom the budget binds: user, global, shared, route, ip, org"),
    _string("rate_limit_unit", "what is counted: requests, tokens, input_tokens ..."),
    _string(
        "rate_limit_kind",
        "why the call was refused",
        enum=("none", "rate_limited", "quota_exhausted", "overloaded", "banned"),
    ),
    _string("error_type", 'class of the exception, or "timeout"', "error.type", ecs="error.type"),
    _string("error_message", "text of the error", "exception.message", ecs="error.message"),
    _string(
        "error_stack",
        "frames as file:line function, never locals",
        "exception.stacktrace",
        ecs="error.stack_trace",
    ),
    _string("error_fingerprint", "hash of error type and functions, without line numbers"),
    _string("platform", "discord, telegram, slack ..."),
    _count("shard_id", "gateway shard", **_INT32),
    _string("guild_id", "Discord guild, Slack team"),
    _string("chat_id", "Telegram chat"),
    _string("channel_id", "channel"),
    _string("user_id", "user", "user.id", ecs="user.id"),
    _string("command", "feature that was used"),
    _string("queue", "name of the queue", "messaging.destination.name"),
    _count("queue_depth", "items waiting"),
    _count("queue_limit", "items the queue can hold"),
    _number("queue_wait_ms", "milliseconds an item has waited"),
    _count("rss_bytes", "resident memory of the process in bytes", "process.memory.usage"),
    _count("rss_limit_bytes", "memory limit of the process or container in bytes"),
    _number("cpu_percent", "CPU use in percent of one core"),
    _count("open_connections", "open network connections"),
    _count("open_fds", "open file descriptors", "process.unix.file_descriptor.count"),
    _count("threads", "threads of the process", "process.thread.count"),
    _number("loop_lag_ms", "milliseconds that the event loop ran late"),
    _count("gpu_memory_bytes", "used GPU memory in bytes", "hw.gpu.memory.usage"),
    _count("gpu_memory_limit_bytes", "GPU memory in bytes", "hw.gpu.memory.limit"),
    _string("provider", "LLM provider", "gen_ai.provider.name", ecs="gen_ai.system"),
    _string("model", "model that answered", "gen_ai.response.model", ecs="gen_ai.response.model"),
    _count(
        "input_tokens",
        "tokens of the prompt",
        "gen_ai.usage.input_tokens",
        ecs="gen_ai.usage.input_tokens",
    ),
    _count(
        "output_tokens",
        "tokens of the answer",
        "gen_ai.usage.output_tokens",
        ecs="gen_ai.usage.output_tokens",
    ),
    _number("ttft_ms", "milliseconds to the first token", "gen_ai.server.time_to_first_token"),
    _string(
        "finish_reason",
        "why the model stopped",
        "gen_ai.response.finish_reasons",
        ecs="gen_ai.response.finish_reasons",
    ),
    _number("cost_usd", "cost of the call in US dollars"),
)

FIELDS_BY_NAME: dict[str, Field] = {field.name: field for field in FIELDS}

ENVELOPE: frozenset[str] = frozenset(field.name for field in FIELDS if field.is_envelope)
"""Keys that logkit itself writes; a caller's key of that name becomes ``field_<name>``."""


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (Draft 2020-12) of one event; unknown keys are allowed."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "logkit event",
        "type": "object",
        "properties": {field.name: _property(field) for field in FIELDS},
        "required": [field.name for field in FIELDS if field.is_required],
        "additionalProperties": True,
    }


def _property(field: Field) -> dict[str, Any]:
    rules: dict[str, Any] = {"type": field.type, "description": field.meaning}
    if field.enum:
        rules["enum"] = list(field.enum)
    if field.pattern is not None:
        rules["pattern"] = field.pattern
    if field.minimum is not None:
        rules["minimum"] = field.minimum
    return rules
