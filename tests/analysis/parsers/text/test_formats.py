from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from logkit_analysis.parsers.text.formats import FORMATS, TextFormat
from logkit_analysis.parsers.text.transports import TRANSPORTS, Transport

if TYPE_CHECKING:
    from collections.abc import Callable

AT = "2026-03-19T10:00:00.123000Z"
LINES = {
    "dashes": (
        "2026-03-19 10:00:00,123 - bot.main - WARNING - slow - very",
        {"timestamp": AT, "logger": "bot.main", "level": "warning", "message": "slow - very"},
    ),
    "no logger": (
        "2026-03-19 10:00:00,123 - INFO - all set",
        {"timestamp": AT, "level": "info", "message": "all set"},
    ),
    "discord.py": (
        "[2026-03-19 10:00:00] [INFO    ] discord.client: logging in using static token",
        {
            "timestamp": "2026-03-19T10:00:00Z",
            "level": "info",
            "logger": "discord.client",
            "message": "logging in using static token",
            "event": "login_started",
            "platform": "discord",
        },
    ),
    "discord.py in colour": (
        "\x1b[1m2026-03-19 10:00:00\x1b[0m \x1b[34mINFO    \x1b[0m \x1b[35mdiscord.a\x1b[0m a b",
        {
            "timestamp": "2026-03-19T10:00:00Z",
            "level": "info",
            "logger": "discord.a",
            "message": "a b",
        },
    ),
    "brackets": (
        "2026-03-19 10:00:00,123 [ERROR] all failed",
        {"timestamp": AT, "level": "error", "message": "all failed"},
    ),
    "colons": (
        "2026-03-19 10:00:00,123:INFO:bot.main: all set",
        {"timestamp": AT, "level": "info", "logger": "bot.main", "message": "all set"},
    ),
    "basicConfig": (
        "WARNING:bot.main:slow: very",
        {"level": "warning", "logger": "bot.main", "message": "slow: very"},
    ),
    "pipes": (
        "2026-03-19 10:00:00,123 | INFO | bot.main | all set",
        {"timestamp": AT, "level": "info", "logger": "bot.main", "message": "all set"},
    ),
    "level and text": (
        "2026-03-19 10:00:00,123 CRITICAL out of memory",
        {"timestamp": AT, "level": "critical", "message": "out of memory"},
    ),
    "loguru": (
        "2026-03-19 10:00:00.123 | SUCCESS  | bot.main:run:42 - all set",
        {
            "timestamp": AT,
            "level": "info",
            "logger": "bot.main",
            "message": "all set",
            "function": "run",
            "line": 42,
        },
    ),
    "structlog's console": (
        "2026-03-19T10:00:00.123Z [error    ] command_failed   [bot] user_id=7 why='no rights'",
        {
            "timestamp": AT,
            "level": "error",
            "logger": "bot",
            "message": "command_failed",
            "event": "command_failed",
            "user_id": "7",
            "why": "no rights",
        },
    ),
    "celery": (
        "[2026-03-19 10:00:00,123: INFO/MainProcess] celery@host ready.",
        {
            "timestamp": AT,
            "level": "info",
            "process": "MainProcess",
            "message": "celery@host ready.",
        },
    ),
    "gunicorn": (
        "[2026-03-19 10:00:00 +0100] [7] [INFO] Booting worker with pid: 7",
        {
            "timestamp": "2026-03-19T09:00:00Z",
            "pid": 7,
            "level": "info",
            "message": "Booting worker with pid: 7",
            "event": "worker_started",
            "worker_pid": "7",
        },
    ),
    "log4j": (
        "[2026-03-19 10:00:00,123] INFO Rolled (1) segment (kafka.log.Log)",
        {
            "timestamp": AT,
            "level": "info",
            "logger": "kafka.log.Log",
            "message": "Rolled (1) segment",
        },
    ),
    "logback": (
        "2026-03-19 10:00:00,123 [main] WARN  org.example.Bot - too slow",
        {
            "timestamp": AT,
            "thread": "main",
            "level": "warning",
            "logger": "org.example.Bot",
            "message": "too slow",
        },
    ),
    "nginx' errors": (
        "2026/03/19 10:00:00 [error] 7#8: *1 connect() failed",
        {
            "timestamp": "2026-03-19T10:00:00Z",
            "level": "error",
            "pid": 7,
            "thread": "8",
            "message": "*1 connect() failed",
        },
    ),
    "combined": (
        (
            '203.0.113.9 - ann [19/Mar/2026:11:00:00 +0100] "GET /a?b=1 HTTP/1.1" 404 12 '
            '"http://x/" "curl \\"8\\""'
        ),
        {
            "timestamp": "2026-03-19T10:00:00Z",
            "event": "request_handled",
            "client": "203.0.113.9",
            "user": "ann",
            "method": "GET",
            "endpoint": "/a",
            "query": "b=1",
            "protocol": "HTTP/1.1",
            "status_code": 404,
            "bytes_sent": 12,
            "referer": "http://x/",
            "user_agent": 'curl \\"8\\"',
        },
    ),
    "combined with nginx' request time": (
        '203.0.113.9 - - [19/Mar/2026:10:00:00 +0000] "POST /ask HTTP/2.0" 200 - "-" "-" 1.234 up',
        {
            "timestamp": "2026-03-19T10:00:00Z",
            "event": "request_handled",
            "client": "203.0.113.9",
            "method": "POST",
            "endpoint": "/ask",
            "protocol": "HTTP/2.0",
            "status_code": 200,
            "duration_ms": 1234.0,
            "extra": "up",
        },
    ),
    "common, and no HTTP": (
        '::1 - - [19/Mar/2026:10:00:00 +0000] "\\x16\\x03" 400 226',
        {
            "timestamp": "2026-03-19T10:00:00Z",
            "event": "request_handled",
            "client": "::1",
            "request": "\\x16\\x03",
            "status_code": 400,
            "bytes_sent": 226,
        },
    ),
    "uvicorn": (
        'INFO:     203.0.113.9:50 - "GET /health HTTP/1.1" 200 OK',
        {
            "level": "info",
            "message": '203.0.113.9:50 - "GET /health HTTP/1.1" 200 OK',
            "event": "request_handled",
            "client": "203.0.113.9:50",
            "method": "GET",
            "endpoint": "/health",
            "http_version": "1.1",
            "status_code": 200,
        },
    ),
    "logfmt": (
        'ts=2026-03-19T10:00:00.123Z level=warn msg="slow \\"call\\"" latency=1.2s path=/ask ok',
        {
            "timestamp": AT,
            "level": "warning",
            "message": 'slow "call"',
            "duration_ms": 1200.0,
            "endpoint": "/ask",
            "ok": True,
        },
    ),
    "a time alone": (
        "2026-03-19 10:00:00,123 something happened",
        {"timestamp": AT, "message": "something happened"},
    ),
    "CRI": (
        "2026-03-19T10:00:00.123000000Z stderr F plain text",
        {"timestamp": AT, "stream": "stderr", "message": "plain text"},
    ),
    "docker logs -t": (
        "2026-03-19T10:00:00.123000000Z plain text",
        {"timestamp": AT, "message": "plain text"},
    ),
    "compose": (
        "bot-1  | 2026-03-19 10:00:00,123 - bot - INFO - all set",
        {
            "timestamp": AT,
            "container": "bot-1",
            "logger": "bot",
            "level": "info",
            "message": "all set",
        },
    ),
    "kubectl logs --prefix": (
        '[pod/bot-7d/main] {"time":"2026-03-19T10:00:00.123Z","msg":"ready"}',
        {
            "timestamp": AT,
            "pod": "bot-7d",
            "container": "main",
            "message": "ready",
            "event": "ready",
        },
    ),
    "docker's json-file": (
        (
            '{"log":"2026-03-19 10:00:00,123 - bot - INFO - up\\n","stream":"stderr",'
            '"time":"2026-03-19T10:00:00.2Z"}'
        ),
        {
            "timestamp": AT,
            "logger": "bot",
            "level": "info",
            "message": "up",
            "event": "up",
            "stream": "stderr",
            "docker.time": "2026-03-19T10:00:00.2Z",
        },
    ),
    "syslog": (
        "<30>Mar 19 10:00:00 host bot[7]: ready: now",
        {
            "timestamp": "2026-03-19T10:00:00Z",
            "host": "host",
            "service": "bot",
            "pid": 7,
            "level": "info",
            "message": "ready: now",
        },
    ),
    "syslog with an ISO time": (
        "2026-03-19T10:00:00.123+00:00 host bot[7]: ready now",
        {"timestamp": AT, "host": "host", "service": "bot", "pid": 7, "message": "ready now"},
    ),
    "syslog of 2009": (
        '<163>1 2026-03-19T10:00:00.123Z host bot 7 ID47 [a@1 k="v \\"w\\""] \ufeffbroken',
        {
            "timestamp": AT,
            "host": "host",
            "service": "bot",
            "pid": 7,
            "message_id": "ID47",
            "structured_data": {"k": 'v \\"w\\"'},
            "level": "error",
            "message": "broken",
            "event": "broken",
        },
    ),
    "journald": (
        (
            '{"MESSAGE":"out of memory","PRIORITY":"2","_HOSTNAME":"host","_PID":"7",'
            '"SYSLOG_IDENTIFIER":"bot","__REALTIME_TIMESTAMP":"1773914400123000","_UID":"0"}'
        ),
        {
            "timestamp": AT,
            "level": "critical",
            "host": "host",
            "pid": 7,
            "service": "bot",
            "message": "out of memory",
            "_UID": "0",
        },
    ),
}


@pytest.mark.parametrize(("line", "expected"), LINES.values(), ids=LINES)
def test_a_line_alone_is_told_and_read(
    read: Callable[..., Any], line: str, expected: dict[str, Any]
) -> None:
    """One line is enough to tell its format; each value finds its column, nothing is lost."""
    found = read(line + "\n")
    assert found.events == [expected]
    assert not found.rejects


@pytest.mark.parametrize("known", FORMATS, ids=lambda known: known.name)
def test_samples_of_formats(known: TextFormat) -> None:
    """Every format matches its own samples."""
    assert all(known.pattern.fullmatch(sample) for sample in known.samples)


@pytest.mark.parametrize("known", TRANSPORTS, ids=lambda known: known.name)
def test_samples_of_transports(known: Transport) -> None:
    """Every transport opens its own samples."""
    assert all(known.open(sample) for sample in known.samples)


@pytest.mark.parametrize(
    ("line", "written_at", "expected"),
    [
        ("Mar  9 10:00:00", "2026-03-20", "2026-03-09"),
        ("Dec 31 23:59:59", "2026-01-01", "2025-12-31"),
        ("Mar 21 00:00:00", "2026-03-20T12:00", "2026-03-21"),
        ("Mar 22 00:00:00", "2026-03-20", "2025-03-22"),
        ("Feb 29 10:00:00", "2026-03-20", "2024-02-29"),
    ],
    ids=["this year", "last year", "a clock that is ahead", "no future", "leap day"],
)
def test_a_time_without_year(
    read: Callable[..., Any], line: str, written_at: str, expected: str
) -> None:
    """It is the last such day before the log was written, give or take a day."""
    moment = datetime.fromisoformat(written_at).replace(tzinfo=UTC)
    (event,) = read(f"{line} host bot: hello\n", written_at=moment).events
    assert event["timestamp"].startswith(expected)


@pytest.mark.parametrize(
    "line",
    [
        "2026-07-01 12:00:00,5 - bot - INFO - x",
        "Jul  1 12:00:00.5 host bot: x",
        '::1 - - [01/Jul/2026:12:00:00] "GET / HTTP/1.1" 200 1',
        "01.07.2026 12:00:00,5 - bot - INFO - x",
        "01.07.2026, 10:00:00 Z - bot - INFO - x",
        "01/Jul/2026 12:00:00.500 - bot - INFO - x",
        "01-Jul-2026 10:00:00 +0000 - bot - INFO - x",
    ],
    ids=["ISO", "syslog", "access log", "dots", "dots, UTC", "month", "month, zone"],
)
def test_a_time_without_zone(read: Callable[..., Any], line: str) -> None:
    """It is of the zone that was named, with its summer time."""
    moment = datetime(2026, 7, 2, tzinfo=UTC)
    (event,) = read(line + "\n", zone=ZoneInfo("Europe/Berlin"), written_at=moment).events
    assert event["timestamp"].startswith("2026-07-01T10:00:00")


@pytest.mark.parametrize(
    "line",
    [
        "2026-13-45 99:00:00 - bot - INFO - x",
        '::1 - - [41/Foo/2026:12:00:00 +0000] "GET / HTTP/1.1" 200 1',
        "01.13.2026 12:00:00 - bot - INFO - x",
    ],
    ids=["ISO", "access log", "dots"],
)
def test_an_impossible_time_is_kept_as_text(read: Callable[..., Any], line: str) -> None:
    """The event has no time then; what stood there stays."""
    (event,) = read(line + "\n").events
    assert event["timestamp"] in line


HOSTILE = [" ", "a", "|", " (a", "INFO:", " [a", "a=b ", '\\"', " - ", ": "]
OPENINGS = ["", *(f.samples[0][: len(f.samples[0]) // 2] for f in FORMATS)]


@pytest.mark.parametrize("known", FORMATS, ids=lambda known: known.name)
def test_no_line_takes_long(known: TextFormat) -> None:
    """The time for a line grows with its length alone, whatever is in it."""
    for opening in [*OPENINGS, known.samples[0]]:
        for unit in HOSTILE:
            known.pattern.fullmatch(opening + unit * (100_000 // len(unit)) + "\0")
