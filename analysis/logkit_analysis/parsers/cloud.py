"""JSON of log services, flattened: journald, Google Cloud, CloudWatch Logs, OTLP.

Sources: systemd.journal-fields(7) and ``journalctl -o json``; Google Cloud's LogEntry; what
CloudWatch Logs hands to subscribers and ``aws logs filter-log-events`` prints; OTLP's JSON
encoding, a LogRecord on its line or ``resourceLogs`` as the collector's file exporter writes them.

Each function takes a parsed line and returns a new flat one, or several where a line holds many
records. What it does not know stays, and no value replaces another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from logkit_analysis.parsers.loading import load_json
from logkit_analysis.parsers.unwrap import SERVED

if TYPE_CHECKING:
    from collections.abc import Mapping

JOURNALD_MARK = "__REALTIME_TIMESTAMP"
SYSLOG_LEVELS = ("critical", "critical", "critical", "error", "warning", "info", "info", "debug")
OTLP_MARKS = frozenset(("timeUnixNano", "observedTimeUnixNano"))
GCP_MARKS = frozenset(("jsonPayload", "textPayload", "httpRequest"))
_BATCH_MARKS = frozenset(("resourceLogs", "logEvents", "searchedLogStreams"))
MARKS = (
    frozenset((JOURNALD_MARK, "ingestionTime", "@message")) | OTLP_MARKS | GCP_MARKS | _BATCH_MARKS
)
"""Keys by which lines of log services are told."""

_JOURNALD_NAMES = {
    JOURNALD_MARK: "timestamp",
    "_HOSTNAME": "host",
    "_PID": "pid",
    "SYSLOG_IDENTIFIER": "service",
    "LOGGER": "logger",
}
_BYTE_VALUES = range(256)
_LONGEST_INT64 = 20
_OTLP_LEVELS = ("debug", "debug", "info", "warning", "error", "critical")
_OTLP_NAMES = {
    "timeUnixNano": "timestamp",
    "severityText": "level",
    "traceId": "trace_id",
    "spanId": "span_id",
    "eventName": "event",
}
_GCP_REQUEST_NAMES = {
    "requestMethod": "method",
    "requestUrl": "url",
    "status": "status_code",
    "latency": "duration",
}
_GCP_SERVICE_LABELS = ("service_name", "function_name", "container_name", "module_id", "job_name")


def journald_message(message: object) -> bytes | None:
    """Return a MESSAGE as bytes; journalctl writes what is not plain text as a list of them."""
    if isinstance(message, str):
        return message.encode("utf-8", "surrogatepass")
    if isinstance(message, list) and all(map(_is_byte, message)):
        return bytes(message)
    return None


def _is_byte(item: object) -> bool:
    return type(item) is int and item in _BYTE_VALUES


def unwrap_journald(line: dict[str, Any]) -> dict[str, Any]:
    """Return a journal entry with our names; an event inside MESSAGE is lifted out."""
    text = journald_message(line.get("MESSAGE"))
    outer = {_JOURNALD_NAMES.get(key, key): value for key, value in line.items()}
    if len(outer) < len(line):
        return line
    priority = outer.get("PRIORITY")
    if priority in tuple("01234567") and "level" not in outer:
        outer["level"] = SYSLOG_LEVELS[int(outer.pop("PRIORITY"))]
    if text is None:
        return outer
    del outer["MESSAGE"]
    return _lifted(text.decode("utf-8", "backslashreplace"), outer, "journald")


def unwrap_gcp(line: dict[str, Any]) -> dict[str, Any]:
    """Return a LogEntry with its payload at the top and its request under the common names."""
    outer = dict(line)
    if "service" not in outer and (service := _gcp_service(outer.get("resource"))):
        outer["service"] = service
    if isinstance(trace := outer.get("trace"), str) and "/traces/" in trace:
        outer["trace_id"] = outer.pop("trace").rpartition("/")[2]
    if isinstance(request := outer.get("httpRequest"), dict):
        named = {_GCP_REQUEST_NAMES.get(k, f"httpRequest.{k}"): v for k, v in request.items()}
        if named.keys().isdisjoint(outer):
            del outer["httpRequest"]
            outer |= named
    found = _gcp_payload(outer)
    if "httpRequest" in line:
        found.setdefault("event", SERVED)
    return found


def _gcp_payload(outer: dict[str, Any]) -> dict[str, Any]:
    if isinstance(text := outer.get("textPayload"), str):
        del outer["textPayload"]
        return _lifted(text, outer, "gcp")
    if isinstance(payload := outer.get("jsonPayload"), dict):
        del outer["jsonPayload"]
        return _merged(payload, outer, "gcp")
    return outer


def _gcp_service(resource: object) -> str | None:
    """Return what the labels of a monitored resource call the program."""
    labels = resource.get("labels") if isinstance(resource, dict) else None
    names = map(labels.get, _GCP_SERVICE_LABELS) if isinstance(labels, dict) else ()
    return next((name for name in names if name and isinstance(name, str)), None)


def unwrap_cloudwatch(line: dict[str, Any]) -> dict[str, Any]:
    """Return a log event of CloudWatch with the event inside its message lifted out."""
    outer = dict(line)
    for key in ("message", "@message"):
        if isinstance(text := outer.get(key), str):
            del outer[key]
            return _lifted(text.rstrip("\r\n"), outer, "cloudwatch")
    return outer


def is_batch(line: dict[str, Any]) -> bool:
    """Return whether a line holds many records."""
    return not _BATCH_MARKS.isdisjoint(line)


def split(line: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the records of a line that holds many, or of any other just the line.

    A batch that is not built as it should be stays one event, so that nothing of it is lost.
    """
    try:
        found = split_otlp(line) if "resourceLogs" in line else split_cloudwatch(line)
    except (AttributeError, KeyError, TypeError, ValueError):
        return [line]
    return found or [line]


def split_cloudwatch(line: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the log events of a batch, each with what the batch says about all of them."""
    key = "logEvents" if "logEvents" in line else "events"
    shared = {name: value for name, value in line.items() if name != key}
    return [unwrap_cloudwatch(_merged(event, shared, "cloudwatch")) for event in line[key]]


def unwrap_otlp(line: dict[str, Any]) -> dict[str, Any]:
    """Return an OTLP LogRecord with its attributes at the top and values as plain JSON."""
    flat = {_OTLP_NAMES.get(key, key): value for key, value in line.items() if value != ""}
    if len(flat) < len(line) - sum(value == "" for value in line.values()):
        return line
    if flat.get("timestamp") in (None, "0", 0) and "observedTimeUnixNano" in flat:
        flat["timestamp"] = flat.pop("observedTimeUnixNano")
    number = flat.get("severityNumber")
    if "level" not in flat and isinstance(number, int) and number in range(1, 25):
        flat["level"] = _OTLP_LEVELS[(number - 1) // 4]
    body = _any_value(flat.pop("body", None))
    if isinstance(body, dict):
        flat = _merged(body, flat, "otlp")
    elif body is not None:
        flat["message" if isinstance(body, str) else "body"] = body
    return _with_attributes(flat, "attributes")


def split_otlp(line: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the records of ``resourceLogs``, each with what its resource and scope say."""
    outer = {key: value for key, value in line.items() if key != "resourceLogs"}
    found = []
    for of_resource in line["resourceLogs"]:
        resource = dict(of_resource)
        scopes, about = resource.pop("scopeLogs"), resource.pop("resource", {})
        shared = _merged(_with_attributes(about, "attributes"), resource | outer, "resource")
        for of_scope in scopes:
            scope = dict(of_scope)
            records, about = scope.pop("logRecords"), dict(scope.pop("scope", {}))
            if "logger" not in scope and "name" in about:
                scope["logger"] = about.pop("name")
            scope |= {f"scope.{key}": value for key, value in about.items()}
            for record in records:
                within = _merged(unwrap_otlp(record), scope, "scope")
                found.append(_merged(within, shared, "resource"))
    return found


def _with_attributes(line: dict[str, Any], key: str) -> dict[str, Any]:
    """Return *line* with OTLP's list of keys and values under *key* lifted to the top."""
    pairs = line.get(key)
    if not isinstance(pairs, list) or not all(map(_is_pair, pairs)):
        return line
    attributes = {pair["key"]: _any_value(pair.get("value")) for pair in pairs}
    if len(attributes) < len(pairs):
        return line
    rest = {name: value for name, value in line.items() if name != key}
    return _merged(rest, attributes, key)


def _lifted(text: str, outer: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """Return the JSON object that *text* is, or *text* as the message, with *outer* around it."""
    inner = load_json(text.encode("utf-8", "surrogatepass")) if text.startswith("{") else None
    return _merged(inner if isinstance(inner, dict) else {"message": text}, outer, prefix)


def _merged(inner: Mapping[str, Any], outer: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """Return *inner* with what *outer* adds; a key of both is *outer*'s under *prefix*."""
    event = dict(inner)
    for key, value in outer.items():
        name = key
        while name in event:
            name = f"{prefix}.{name}"
        event[name] = value
    return event


def _is_pair(pair: object) -> bool:
    return (
        isinstance(pair, dict)
        and isinstance(pair.get("key"), str)
        and len(pair) == 1 + ("value" in pair)
    )


def _any_value(value: object) -> Any:
    """Return OTLP's AnyValue as the JSON value that it stands for."""
    if not isinstance(value, dict) or len(value) != 1:
        return value
    kind, inner = next(iter(value.items()))
    match kind, inner:
        case "intValue", str() if inner.lstrip("-").isdecimal() and len(inner) <= _LONGEST_INT64:
            return int(inner)
        case (("intValue" | "stringValue" | "doubleValue" | "boolValue" | "bytesValue"), _):
            return inner
        case "arrayValue", {"values": list(items), **rest} if not rest:
            return [_any_value(item) for item in items]
        case "kvlistValue", {"values": list(), **rest} if not rest:
            plain = _with_attributes(inner, "values")
            return plain if "values" not in plain else value
        case _:
            return value
