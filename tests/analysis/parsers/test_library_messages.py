from __future__ import annotations

import json
import logging
import re
from datetime import UTC
from typing import TYPE_CHECKING, Any

import pytest
from logkit_analysis.parsers.chunk_parser import ChunkParser
from logkit_analysis.parsers.json_lines import JsonLinesParser, Record
from logkit_analysis.parsers.library_messages import add_meaning

from logkit.libraries import recognise, rows
from logkit.libraries.records import rows_of as records_of
from logkit.schema import FIELDS_BY_NAME

if TYPE_CHECKING:
    from collections.abc import Callable

CALL = {"method": "POST", "endpoint": "/channels/{channel_id}/messages", "url_host": "discord.com"}
URL = "https://discord.com/api/v10/channels/123456789012345678/messages"
ENDPOINT = "/api/v10/channels/{channel_id}/messages"
DISCORD = {"platform": "discord"}
LIMITED = {"status_code": 429, "rate_limit_kind": "rate_limited"}
STACK = """
Loop thread traceback (most recent call last):
  File "/srv/bot.py", line 9, in <module>
    main()
  File "/srv/cogs/rank.py", line 41, in rank
    time.sleep(30)
"""
MESSAGES: dict[str, tuple[str, str, str, dict[str, Any]]] = {
    "429": (
        "discord.http",
        f"We are being rate limited. POST {URL} responded with 429. Retrying in 1.50 seconds.",
        "rate_limited",
        DISCORD | LIMITED | {"method": "POST", "endpoint": ENDPOINT, "retry_after_ms": 1500},
    ),
    "global limit": (
        "discord.http",
        "Global rate limit has been hit. Retrying in 0.31 seconds.",
        "global_rate_limit_hit",
        DISCORD | {"retry_after_ms": 310, "rate_limit_scope": "global"},
    ),
    "heartbeat": (
        "discord.gateway",
        "Shard ID 3 heartbeat blocked for more than 20 seconds." + STACK,
        "heartbeat_blocked",
        DISCORD
        | {"shard_id": 3, "loop_lag_ms": 20000.0, "blocking_frame": "/srv/cogs/rank.py:41 rank"},
    ),
    "a shard without number": (
        "discord.gateway",
        "Shard ID None has connected to Gateway (Session ID: ab12).",
        "gateway_connected",
        DISCORD | {"session_id": "ab12"},
    ),
    "resumed": (
        "nextcord.gateway",
        "Shard ID 1 has successfully RESUMED session ab12.",
        "gateway_resumed",
        DISCORD | {"shard_id": 1, "session_id": "ab12"},
    ),
    "command": (
        "discord.app_commands.tree",
        "Ignoring exception in command 'play'",
        "command_failed",
        DISCORD | {"command": "play"},
    ),
    "httpx": (
        "httpx",
        'HTTP Request: POST https://api.openai.com/v1/chat/completions "HTTP/1.1 200 OK"',
        "http_request_sent",
        {"method": "POST", "endpoint": "/v1/chat/completions", "status_code": 200},
    ),
    "a token in the path": (
        "httpx",
        'HTTP Request: GET https://api.telegram.org/bot123:AB-c_d/getMe "HTTP/1.1 502 Bad Gateway"',
        "http_request_sent",
        {"method": "GET", "endpoint": "/bot{token}/getMe", "status_code": 502},
    ),
    "openai": (
        "openai._base_client",
        "Retrying request to /chat/completions in 0.812345 seconds",
        "call_retried",
        {"endpoint": "/chat/completions", "retry_in_ms": 812.345},
    ),
    "uvicorn": (
        "uvicorn.access",
        '203.0.113.9:5000 - "GET /items/12345?q=1 HTTP/1.1" 404 Not Found',
        "request_handled",
        {
            "client": "203.0.113.9:5000",
            "method": "GET",
            "endpoint": "/items/{item_id}",
            "status_code": 404,
            "http_version": "1.1",
        },
    ),
    "aiohttp": (
        "aiohttp.access",
        '127.0.0.1 [19/Mar/2026:10:00:00 +0000] "GET /health HTTP/1.1" 200 163 "-" "curl/8"',
        "request_handled",
        {
            "client": "127.0.0.1",
            "method": "GET",
            "endpoint": "/health",
            "status_code": 200,
            "response_bytes": 163,
        },
    ),
    "slack": (
        "slack_sdk.web.async_client",
        "Rate limited. Retrying in 30 seconds...",
        "rate_limited",
        LIMITED | {"platform": "slack", "retry_after_ms": 30000},
    ),
}
messages = pytest.mark.parametrize(
    ("logger", "text", "event", "fields"), MESSAGES.values(), ids=MESSAGES
)

TABLES = [
    *(("discord", part, templates) for part, templates in rows.DISCORD.items()),
    *(("hikari", part, templates) for part, templates in rows.HIKARI.items()),
    *(
        ("", part, templates)
        for table in (rows.TELEGRAM, rows.SERVERS, rows.CLIENTS)
        for part, templates in table.items()
    ),
]
# What a text alone cannot tell: where one value ends and the next begins, or which of two it is.
UNTOLD = {
    "Connected! %s DC%s%s - IPv%s",
    "Task %(name)s[%(id)s] %(description)s",
    "Cause exception while process update id=%d by bot id=%d",
}
RECORDS = [
    (f"{root}.{part}" if root else part, template)
    for root, part, templates in TABLES
    for template in templates
    if template != "*" and template not in UNTOLD
]
ARGUMENTS = {"d": 7, "i": 7, "f": 1.5, "r": "play"}
BY_KIND = {"s": 2.5, "us": 2.5, "url": URL, "path": "/items/12345", "int": 503, "": "word"}


def _example(how: str, field: str) -> Any:
    declared = FIELDS_BY_NAME.get(field)
    return 3 if not how and declared and declared.type == "integer" else BY_KIND[how]


def _record(logger: str, template: str) -> logging.LogRecord:
    """Return a record whose values are as the library's may be."""
    row = records_of(logger)[template]
    how = {key: _example(how, name) for key, how, name in row.names}
    found = re.findall(r"%(?:\((\w+)\))?[^a-z%]*([a-z])", template)
    values = {
        name or position: how.get(name or position, "word") if kind == "s" else ARGUMENTS[kind]
        for position, (name, kind) in enumerate(found)
    }
    arguments: Any = values if any(name for name, _ in found) else tuple(values.values())
    return logging.LogRecord(logger, logging.WARNING, "", 0, template, arguments, None)


@pytest.mark.parametrize(("logger", "template"), RECORDS, ids=lambda text: text[:60])
def test_a_text_means_what_its_record_means(logger: str, template: str) -> None:
    """A library's line in an old log becomes the event that logkit makes of the record."""
    record = _record(logger, template)
    expected = recognise(record)
    assert expected is not None
    columns: dict[str, Any] = {"logger": logger, "message": record.getMessage()}
    rest: dict[str, Any] = {}
    add_meaning(columns, rest)
    found = {**columns, **rest}
    assert found.pop("event") == expected[0]
    del found["logger"], found["message"]
    assert {k: _number(v) for k, v in found.items()} == {
        k: _number(v) for k, v in expected[1].items()
    }


def _number(value: Any) -> Any:
    try:
        return float(value)
    except ValueError:
        return value


@messages
@pytest.mark.parametrize(
    "line",
    [
        lambda logger, text: {
            "timestamp": "2026-03-19T10:00:00Z",
            "logger": logger,
            "message": text,
        },
        lambda logger, text: {"time": "2026-03-19T10:00:00Z", "logger": logger, "event": text},
        lambda logger, text: {"asctime": "2026-03-19 10:00:00", "name": logger, "message": text},
    ],
    ids=["plain", "structlog", "python-json-logger"],
)
def test_json(
    read: Callable[[dict[str, Any]], tuple[dict[str, Any], dict[str, Any]]],
    line: Callable[[str, str], dict[str, Any]],
    logger: str,
    text: str,
    event: str,
    fields: dict[str, Any],
) -> None:
    """The message of a library is an event with fields, and stays the message."""
    columns, rest = read(line(logger, text))
    assert (columns["event"], columns["message"]) == (event, text)
    assert {**columns, **rest}.items() >= fields.items()


@messages
def test_text(logger: str, text: str, event: str, fields: dict[str, Any]) -> None:
    """It is the same from a text log; a stack that follows is the error's."""
    log = f"2026-03-19 10:00:00,123 - {logger} - WARNING - {text.rstrip()}\n"
    (table,) = ChunkParser(UTC).parse(log.encode(), 0).tables
    (row,) = table.to_pylist()
    found = row | json.loads(row.get("fields") or "{}")
    assert (found["event"], found["message"]) == (event, text.partition("\n")[0])
    assert found.items() >= fields.items()


def test_a_name_says_more_than_a_text(read: Callable[..., Any]) -> None:
    """An event that has its name keeps it, and gets no fields of ours."""
    text = MESSAGES["httpx"][1]
    columns, rest = read({"logger": "httpx", "event": "openai_called", "message": text})
    assert columns == {"logger": "httpx", "event": "openai_called", "message": text}
    assert not rest


def test_what_the_line_says_itself_wins(read: Callable[..., Any]) -> None:
    """A field of the line is never replaced by one read from its message."""
    columns, _ = read({"logger": "httpx", "message": MESSAGES["httpx"][1], "endpoint": "/mine"})
    assert columns["endpoint"] == "/mine"


def test_without_a_logger(read: Callable[..., Any]) -> None:
    """Messages that are unmistakable are known without their logger."""
    columns, _ = read({"message": MESSAGES["429"][1]})
    assert columns["event"] == "rate_limited"
    columns, _ = read({"message": "We are happy"})
    assert "event" not in columns


def test_by_column_as_line_by_line() -> None:
    """Many JSON lines at once give what each gives alone."""
    plain = [{"logger": "bot", "message": f"no. {n}", "event": "tick"} for n in range(3000)]
    known = [{"logger": logger, "message": text} for logger, text, _, _ in MESSAGES.values()]
    known += [{"logger": logger, "event": text} for logger, text, _, _ in MESSAGES.values()]
    known += [{"message": text} for _, text, _, _ in MESSAGES.values()]
    lines = [json.dumps(line).encode() for line in plain + known]
    batch = ChunkParser(UTC).parse(b"\n".join(lines) + b"\n", 0)
    rows = [row for table in batch.tables for row in table.to_pylist()]
    found = {row["source_offset"]: _present(row) for row in rows}
    assert len(found) == len(lines)
    parser, offset = JsonLinesParser(UTC), 0
    for line in lines:
        record = parser.parse(line)
        assert isinstance(record, Record)
        expected = {**record.columns, "fields": record.fields and record.fields.decode()}
        assert found[offset] == _present(expected)
        offset += len(line) + 1


def _present(row: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in row.items() if v is not None and k != "source_offset"}
