from __future__ import annotations

import json
from datetime import UTC
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from logkit_analysis.parsers.chunk_parser import ChunkParser
from logkit_analysis.parsers.json_lines import JsonLinesParser

if TYPE_CHECKING:
    from collections.abc import Callable

AT = 1773914400123000
TRACE = "0af7651916cd43dd8448eb211c80319c"
ATTRIBUTES = [
    {"key": "http.route", "value": {"stringValue": "/ask"}},
    {"key": "http.response.status_code", "value": {"intValue": "503"}},
    {"key": "tags", "value": {"arrayValue": {"values": [{"stringValue": "a"}]}}},
    {"key": "exception.stacktrace", "value": {"stringValue": "Traceback"}},
]  # fmt: skip
OTLP = {
    "timeUnixNano": "1773914400123000000",
    "severityNumber": 17,
    "body": {"stringValue": "all failed"},
    "traceId": TRACE,
    "attributes": ATTRIBUTES,
}
OTLP_EVENT = {
    "timestamp": AT,
    "level": "error",
    "message": "all failed",
    "trace_id": TRACE,
    "endpoint": "/ask",
    "status_code": 503,
    "error_stack": "Traceback",
    "severityNumber": 17,
    "tags": ["a"],
}
LINES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "journald": (
        {
            "__REALTIME_TIMESTAMP": str(AT),
            "MESSAGE": '{"level":"error","event":"call_failed"}',
            "PRIORITY": "6",
            "_PID": "7",
            "SYSLOG_IDENTIFIER": "bot",
        },
        {
            "timestamp": AT,
            "level": "error",
            "event": "call_failed",
            "pid": 7,
            "service": "bot",
            "journald.level": "info",
        },
    ),
    "Google Cloud, text": (
        {
            "timestamp": "2026-03-19T10:00:00.123Z",
            "severity": "WARNING",
            "textPayload": "too slow",
            "trace": f"projects/p/traces/{TRACE}",
            "insertId": "x",
            "resource": {"type": "cloud_run_revision", "labels": {"service_name": "bot"}},
        },
        {
            "timestamp": AT,
            "level": "warning",
            "service": "bot",
            "message": "too slow",
            "trace_id": TRACE,
            "insertId": "x",
            "resource": {"type": "cloud_run_revision", "labels": {"service_name": "bot"}},
        },
    ),
    "Google Cloud, JSON": (
        {
            "timestamp": "2026-03-19T10:00:00.123Z",
            "severity": "DEFAULT",
            "jsonPayload": {"message": "all set", "severity": "low"},
            "httpRequest": {
                "requestMethod": "GET",
                "requestUrl": "/ask",
                "status": 200,
                "latency": "0.25s",
                "remoteIp": "::1",
            },
        },
        {
            "timestamp": AT,
            "message": "all set",
            "event": "request_handled",
            "method": "GET",
            "endpoint": "/ask",
            "status_code": 200,
            "duration_ms": 250.0,
            "severity": "low",
            "gcp.severity": "DEFAULT",
            "httpRequest.remoteIp": "::1",
        },
    ),
    "CloudWatch": (
        {"timestamp": AT // 1000, "ingestionTime": 5, "message": '{"level":"info","msg":"a b"}\n'},
        {"timestamp": AT, "level": "info", "message": "a b", "ingestionTime": 5},
    ),
    "CloudWatch Insights": (
        {"@timestamp": "2026-03-19 10:00:00.123", "@message": "hi you", "@logStream": "a"},
        {"timestamp": AT, "message": "hi you", "@logStream": "a"},
    ),
    "OTLP": (OTLP, OTLP_EVENT),
}  # fmt: skip


@pytest.mark.parametrize(("line", "expected"), LINES.values(), ids=LINES)
def test_a_record_of_a_log_service(
    read: Callable[..., Any], line: dict[str, Any], expected: dict[str, Any]
) -> None:
    """What the service keeps in nested objects is found; what has no column stays."""
    columns, rest = read(line)
    assert {**columns, **rest} == expected


def _events(line: dict[str, Any]) -> list[dict[str, Any]]:
    found = JsonLinesParser(UTC).parse_all(json.dumps(line).encode())
    assert isinstance(found, list)
    return [{**record.columns, **json.loads(record.fields or b"{}")} for record in found]


def test_a_batch_of_otlp() -> None:
    """A line of the collector holds many records, each with its resource and scope."""
    record = {"timeUnixNano": "1773914400123000000", "body": {"stringValue": "hi you"}}
    line = {
        "resourceLogs": [
            {
                "resource": {
                    "attributes": [{"key": "service.name", "value": {"stringValue": "bot"}}]
                },
                "scopeLogs": [{"scope": {"name": "bot.api"}, "logRecords": [record, OTLP]}],
            }
        ]
    }
    shared = {"service": "bot", "logger": "bot.api"}
    first, second = _events(line)
    assert first == {"timestamp": AT, "message": "hi you"} | shared
    assert second == OTLP_EVENT | shared


@pytest.mark.parametrize(
    ("key", "extra"),
    [("logEvents", {"logStream": "s"}), ("events", {"searchedLogStreams": []})],
    ids=["subscription", "filter-log-events"],
)
def test_a_batch_of_cloudwatch(key: str, extra: dict[str, Any]) -> None:
    """Each log event is an event, with what is said about all of them."""
    line = {key: [{"timestamp": AT // 1000, "message": text} for text in ("a b", "c d")]} | extra
    assert _events(line) == [{"timestamp": AT, "message": text} | extra for text in ("a b", "c d")]


def test_events_of_one_line_have_places_of_their_own() -> None:
    """No two events share a place, so that each can be named."""
    line = {"logEvents": [{"message": str(n)} for n in range(5)], "logGroup": "g"}
    data = (json.dumps(line) + "\n").encode() * 2
    (table,) = ChunkParser(UTC).parse(data, 0).tables
    offsets = table.column("source_offset").to_pylist()
    assert len(set(offsets)) == 10
    assert offsets[0] == 0
    assert len(data) // 2 in offsets


KEYS = [
    "resourceLogs",
    "scopeLogs",
    "logRecords",
    "resource",
    "scope",
    "attributes",
    "key",
    "value",
    "body",
    "stringValue",
    "kvlistValue",
    "arrayValue",
    "values",
    "logEvents",
    "events",
    "searchedLogStreams",
    "timeUnixNano",
    "message",
    "severityNumber",
    "jsonPayload",
    "httpRequest",
    "trace",
    "MESSAGE",
    "PRIORITY",
    "__REALTIME_TIMESTAMP",
]
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4)
    ),
    max_leaves=12,
)
batches = st.sampled_from(["resourceLogs", "logEvents", "timeUnixNano", "x"])


@settings(deadline=None)
@given(st.dictionaries(batches, json_values))
def test_whatever_a_service_writes_is_at_least_one_event(line: dict[str, Any]) -> None:
    """Objects that are not built as they should be are events all the same."""
    assert _events(line)


@settings(deadline=None)
@given(json_values.filter(lambda value: isinstance(value, dict)))
def test_no_text_of_a_line_is_lost(line: dict[str, Any]) -> None:
    """Each text that a line holds is in one of its events."""
    kept = json.dumps(_events(line))
    for text in _texts(line):
        assert json.dumps(text)[1:-1] in kept


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for item in value.values() for text in _texts(item)]
    if isinstance(value, list):
        return [text for item in value for text in _texts(item)]
    return [value] if isinstance(value, str) else []
