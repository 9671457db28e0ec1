"""What each logger writes becomes the same columns, and all else stays in the fields."""

from __future__ import annotations

import io
import json
import logging
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import structlog
from loguru import logger as loguru_logger
from pythonjsonlogger.json import JsonFormatter

import logkit
from logkit import testing

Read = Callable[[bytes | str | dict[str, Any]], tuple[dict[str, Any], dict[str, Any]]]


def _us(text: str) -> int:
    moment = datetime.fromisoformat(text)
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1_000_000)


NOON = "2026-03-19T12:00:00.25Z"
NOON_US = _us(NOON)

LINES: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    "plain": (
        {"timestamp": NOON, "level": "INFO", "service": "bot", "event": "up", "latency_ms": 31},
        {
            "timestamp": NOON_US,
            "level": "info",
            "service": "bot",
            "event": "up",
            "duration_ms": 31.0,
        },
        {},
    ),
    "pino": (
        {
            "level": 30,
            "time": 1773921600250,
            "pid": 7,
            "hostname": "h1",
            "name": "gateway",
            "reqId": "req-1",
            "req": {"id": 1, "method": "GET", "url": "/users", "headers": {"host": "x"}},
            "res": {"statusCode": 503, "headers": {}},
            "responseTime": 12.5,
            "err": {"type": "Error", "message": "down", "stack": "Error: down\n at f"},
            "msg": "request errored",
        },
        {
            "timestamp": NOON_US,
            "level": "info",
            "service": "gateway",
            "message": "request errored",
            "event": "request_handled",
            "correlation_id": "req-1",
            "pid": 7,
            "host": "h1",
            "endpoint": "/users",
            "method": "GET",
            "status_code": 503,
            "duration_ms": 12.5,
            "error_type": "Error",
            "error_message": "down",
            "error_stack": "Error: down\n at f",
        },
        {"req.id": 1, "req.headers.host": "x", "res.headers": {}},
    ),
    "pino without its base": (
        {"level": 30, "time": 1773921600250, "msg": "ready", "duration": 12},
        {"timestamp": NOON_US, "level": "info", "message": "ready", "event": "ready"},
        {"duration": 12},
    ),
    "pino without a message": (
        {"level": 50, "time": 1773921600250, "pid": 7, "hostname": "h1", "a": 1},
        {"timestamp": NOON_US, "level": "error", "pid": 7, "host": "h1"},
        {"a": 1},
    ),
    "bunyan": (
        {
            "name": "api",
            "hostname": "h1",
            "pid": 7,
            "level": 60,
            "err": {"name": "TypeError", "message": "x is not a function", "stack": "at f"},
            "msg": "Crashed.",
            "time": "2026-03-19T12:00:00.250Z",
            "v": 0,
        },
        {
            "timestamp": NOON_US,
            "level": "critical",
            "service": "api",
            "message": "Crashed.",
            "pid": 7,
            "host": "h1",
            "error_type": "TypeError",
            "error_message": "x is not a function",
            "error_stack": "at f",
        },
        {"v": 0},
    ),
    "zap": (
        {
            "level": "dpanic",
            "ts": 1773921600.25,
            "logger": "bot.http",
            "caller": "http/get.go:12",
            "msg": "fetch failed",
            "elapsed": 1.5,
            "error": "timeout",
            "stacktrace": "main.main",
        },
        {
            "timestamp": NOON_US,
            "level": "critical",
            "message": "fetch failed",
            "logger": "bot.http",
            "duration_ms": 1500.0,
            "error_message": "timeout",
            "error_stack": "main.main",
        },
        {"caller": "http/get.go:12"},
    ),
    "logrus": (
        {
            "time": "2026-03-19T13:00:00+01:00",
            "level": "warning",
            "msg": "slow",
            "elapsed": 1_500_000,
            "duration": 2_500_000,
            "func": "main.get",
            "error": "late",
        },
        {
            "timestamp": NOON_US - 250_000,
            "level": "warning",
            "message": "slow",
            "event": "slow",
            "duration_ms": 2.5,
            "error_message": "late",
        },
        {"elapsed": 1_500_000, "func": "main.get"},
    ),
    "ECS, dotted": (
        {
            "@timestamp": NOON,
            "log.level": "error",
            "message": "login failed",
            "ecs.version": "1.6.0",
            "service.name": "auth",
            "service.version": "1.2",
            "service.environment": "prod",
            "event.action": "login",
            "event.duration": 2_500_000,
            "http.response.status_code": 401,
            "http.request.method": "POST",
            "url.path": "/login",
            "error.type": "BadPassword",
            "error.message": "no",
            "error.stack_trace": "at f",
            "trace.id": "4bf92f3577b34da6a3ce929d0e0e4736",
            "user.id": 42,
            "process.pid": 9,
            "host.name": "h1",
            "log.logger": "auth.web",
        },
        {
            "timestamp": NOON_US,
            "level": "error",
            "service": "auth",
            "event": "login",
            "message": "login failed",
            "version": "1.2",
            "env": "prod",
            "duration_ms": 2.5,
            "status_code": 401,
            "method": "POST",
            "endpoint": "/login",
            "error_type": "BadPassword",
            "error_message": "no",
            "error_stack": "at f",
            "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
            "user_id": "42",
            "pid": 9,
            "host": "h1",
            "logger": "auth.web",
        },
        {"ecs.version": "1.6.0"},
    ),
    "ECS, nested": (
        {
            "@timestamp": NOON,
            "log": {"level": "WARN", "logger": "auth.web", "origin": {"file": {"line": 3}}},
            "message": "slow",
            "ecs": {"version": "8.11.0"},
            "service": {"name": "auth", "node": {"name": "auth-1"}},
            "event": {"action": "login", "duration": 1_000_000},
            "http": {"request": {"method": "POST"}, "response": {"status_code": 200}},
            "host": {},
            "labels": {"team": "blue"},
        },
        {
            "timestamp": NOON_US,
            "level": "warning",
            "service": "auth",
            "instance": "auth-1",
            "event": "login",
            "message": "slow",
            "logger": "auth.web",
            "duration_ms": 1.0,
            "status_code": 200,
            "method": "POST",
        },
        {
            "log.origin.file.line": 3,
            "ecs": {"version": "8.11.0"},
            "host": {},
            "labels": {"team": "blue"},
        },
    ),
    "ECS, nested and dotted at once": (
        {"@timestamp": NOON, "error": {"type": "A", "code": 1}, "error.type": "B"},
        {"timestamp": NOON_US, "error_type": "B"},
        {"error": {"type": "A", "code": 1}},
    ),
    "Serilog, compact": (
        {
            "@t": NOON,
            "@mt": "HTTP {RequestMethod} {RequestPath} responded {StatusCode} in {Elapsed} ms",
            "@l": "Fatal",
            "@x": "System.Exception: no",
            "RequestMethod": "GET",
            "RequestPath": "/ask",
            "StatusCode": 500,
            "Elapsed": 12.5,
            "SourceContext": "Serilog.AspNetCore.RequestLoggingMiddleware",
            "Application": "bot",
        },
        {
            "timestamp": NOON_US,
            "level": "critical",
            "service": "bot",
            "event": "request_handled",
            "message": "HTTP {RequestMethod} {RequestPath} responded {StatusCode} in {Elapsed} ms",
            "logger": "Serilog.AspNetCore.RequestLoggingMiddleware",
            "endpoint": "/ask",
            "method": "GET",
            "status_code": 500,
            "duration_ms": 12.5,
            "error_stack": "System.Exception: no",
        },
        {},
    ),
    "Serilog, compact, without a level": (
        {"@t": NOON, "@m": "Hello, you", "@i": "af8d5b9a", "User": "you"},
        {"timestamp": NOON_US, "level": "info", "message": "Hello, you"},
        {"@i": "af8d5b9a", "User": "you"},
    ),
    "Serilog, JSON": (
        {
            "Timestamp": "2026-03-19T13:00:00.2500000+01:00",
            "Level": "Warning",
            "MessageTemplate": "Slow {RequestPath}",
            "RenderedMessage": "Slow /ask",
            "Properties": {"RequestPath": "/ask", "Elapsed": 900, "Shard": 3},
        },
        {
            "timestamp": NOON_US,
            "level": "warning",
            "message": "Slow /ask",
            "endpoint": "/ask",
            "duration_ms": 900.0,
        },
        {"MessageTemplate": "Slow {RequestPath}", "Shard": 3},
    ),
    "Datadog": (
        {
            "timestamp": NOON,
            "status": "error",
            "service": "bot",
            "message": "it failed",
            "ddsource": "nodejs",
            "dd": {"trace_id": "123"},
            "http": {"method": "POST", "url": "/ask", "status_code": 502},
            "duration": 2_500_000,
            "error": {"kind": "BadGateway", "stack": "at f"},
        },
        {
            "timestamp": NOON_US,
            "level": "error",
            "service": "bot",
            "message": "it failed",
            "endpoint": "/ask",
            "method": "POST",
            "status_code": 502,
            "duration_ms": 2.5,
            "error_type": "BadGateway",
            "error_stack": "at f",
        },
        {"ddsource": "nodejs", "dd": {"trace_id": "123"}},
    ),
    "docker around text": (
        {"log": "Listening on :80\n", "stream": "stdout", "time": "2026-03-19T12:00:00.250000001Z"},
        {"timestamp": NOON_US, "message": "Listening on :80"},
        {"stream": "stdout"},
    ),
    "docker around an event with its own time": (
        {
            "log": '{"timestamp":"2026-03-19T12:00:00.25Z","level":"error","event":"boom","n":1}\n',
            "stream": "stderr",
            "time": "2026-03-19T12:00:01Z",
            "attrs": {"tag": "x"},
        },
        {"timestamp": NOON_US, "level": "error", "event": "boom"},
        {
            "n": 1,
            "stream": "stderr",
            "docker.time": "2026-03-19T12:00:01Z",
            "attrs": {"tag": "x"},
        },
    ),
    "docker around an event without a time": (
        {"log": '{"levelno":30,"msg":"hm","stream":"mine"}\n', "stream": "out", "time": NOON},
        {"timestamp": NOON_US, "level": "warning", "message": "hm", "event": "hm"},
        {"stream": "mine", "docker.stream": "out"},
    ),
    "docker around pino": (
        {
            "log": '{"level":40,"time":1773921600250,"pid":1,"hostname":"c","msg":"Low"}\n',
            "stream": "stdout",
            "time": "2026-03-19T12:00:01Z",
        },
        {"timestamp": NOON_US, "level": "warning", "pid": 1, "host": "c", "message": "Low"},
        {"stream": "stdout", "docker.time": "2026-03-19T12:00:01Z"},
    ),
    "docker around half an event": (
        {"log": '{"level":"info","msg":"cut he', "stream": "stdout", "time": NOON},
        {"timestamp": NOON_US, "message": '{"level":"info","msg":"cut he'},
        {"stream": "stdout"},
    ),
    "docker around exact numbers": (
        {
            "log": '{"a":123456789012345678901234567890,"b":NaN}',
            "stream": "stdout",
            "time": NOON,
        },
        {"timestamp": NOON_US},
        {"a": 123456789012345678901234567890, "b": "NaN", "stream": "stdout"},
    ),
    "not docker, though alike": (
        {"log": {"level": "info"}, "stream": "stdout", "time": NOON},
        {"timestamp": NOON_US},
        {"log": {"level": "info"}, "stream": "stdout"},
    ),
    "not loguru, though alike": (
        {"text": "a", "record": 3},
        {},
        {"text": "a", "record": 3},
    ),
}


@pytest.mark.parametrize("name", LINES)
def test_a_dialect_fills_the_columns_it_means(name: str, read: Read) -> None:
    """Columns and fields are exactly these: nothing is guessed, doubled or lost."""
    line, columns, fields = LINES[name]
    assert read(line) == (columns, fields)


def test_structlog(read: Read) -> None:
    """Structlog's JSON needs no mapping, and its exception is the stack."""
    out = io.StringIO()
    log = structlog.wrap_logger(
        structlog.PrintLogger(out),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
    )
    try:
        raise ValueError("bad")
    except ValueError:
        log.exception("call_failed", status=503, retries=[1, 2], request_id="r-1")
    written = json.loads(out.getvalue())

    assert read(out.getvalue()) == (
        {
            "timestamp": _us(written["timestamp"]),
            "level": "error",
            "event": "call_failed",
            "status_code": 503,
            "correlation_id": "r-1",
            "error_stack": written["exception"],
        },
        {"retries": [1, 2]},
    )


def test_python_json_logger(read: Read) -> None:
    """python-json-logger's record attributes, also with the standard time form."""
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        JsonFormatter("%(asctime)s %(levelname)s %(name)s %(process)d %(lineno)d %(message)s")
    )
    extra = {"latency_ms": "12.5", "table": "users"}
    try:
        raise ValueError("bad")
    except ValueError:
        error = sys.exc_info()
    handler.handle(
        logging.makeLogRecord(
            {
                "name": "bot.db",
                "levelname": "ERROR",
                "msg": "query_failed",
                "exc_info": error,
                **extra,
            }
        )
    )
    written = json.loads(out.getvalue())

    assert read(out.getvalue()) == (
        {
            "timestamp": _us(written["asctime"].replace(",", ".")),
            "level": "error",
            "event": "query_failed",
            "message": "query_failed",
            "logger": "bot.db",
            "pid": os.getpid(),
            "duration_ms": 12.5,
            "error_stack": written["exc_info"],
        },
        {"lineno": written["lineno"], "table": "users"},
    )


def _loguru_line(*, wrap_in_docker: bool = False) -> str:
    lines: list[str] = []
    sink = loguru_logger.add(lines.append, serialize=True)
    try:
        log = loguru_logger.bind(user_id="u1", line="extra's", shard=None)
        try:
            raise ValueError("bad")
        except ValueError:
            log.exception("command_failed")
    finally:
        loguru_logger.remove(sink)
    if wrap_in_docker:
        return json.dumps({"log": lines[0], "stream": "stderr", "time": NOON})
    return lines[0]


@pytest.mark.parametrize("wrap_in_docker", [False, True], ids=["bare", "in docker"])
def test_loguru(wrap_in_docker: bool, read: Read) -> None:
    """Loguru's record is lifted, its extras come to the top, and what clashes stays in extra."""
    line = _loguru_line(wrap_in_docker=wrap_in_docker)
    written = json.loads(json.loads(line)["log"] if wrap_in_docker else line)
    record = written["record"]

    columns, fields = read(line)

    assert columns == {
        "timestamp": _us(record["time"]["repr"]),
        "level": "error",
        "event": "command_failed",
        "message": "command_failed",
        "logger": record["name"],
        "pid": os.getpid(),
        "error_type": "ValueError",
        "error_message": "bad",
        "user_id": "u1",
    }
    assert fields == {
        "text": written["text"],
        "elapsed": record["elapsed"],
        "file": record["file"],
        "function": record["function"],
        "line": record["line"],
        "module": record["module"],
        "thread": record["thread"],
        "level.no": 40,
        "level.icon": record["level"]["icon"],
        "process.name": record["process"]["name"],
        "time.timestamp": record["time"]["timestamp"],
        "exception.traceback": True,
        "shard": None,
        "extra": {"line": "extra's"},
        **({"stream": "stderr", "docker.time": NOON} if wrap_in_docker else {}),
    }


def test_logkit_reads_what_logkit_writes(read: Read) -> None:
    """Each key of our own event is its column, with the value it was written with."""
    with testing.capture_events() as events:
        logkit.get_logger("bot.http").warning(
            "api_call",
            status_code=429,
            duration_ms=12.5,
            retry_after_ms=1000,
            guild_id="175928847299117063",
            note={"a": [1]},
        )
    event = events[0]

    columns, fields = read(event)

    assert fields == {"note": {"a": [1]}}
    assert columns == {
        **{key: value for key, value in event.items() if key != "note"},
        "timestamp": _us(event["timestamp"]),
    }
