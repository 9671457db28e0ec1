from __future__ import annotations

import json
from datetime import UTC
from typing import TYPE_CHECKING, Any

import pytest
from logkit_analysis.parsers.chunk_parser import ChunkParser
from logkit_analysis.parsers.endpoints import endpoint_of
from logkit_analysis.parsers.json_lines import JsonLinesParser, Record

if TYPE_CHECKING:
    from collections.abc import Callable

CALL = {"method": "POST", "endpoint": "/channels/{channel_id}/messages", "url_host": "discord.com"}
URL = "https://discord.com/api/v10/channels/123456789012345678/messages"
LIMITED = {"status_code": 429, "rate_limit_kind": "rate_limited", "platform": "discord"}
DISCORD = {"platform": "discord"}
MESSAGES: dict[str, tuple[str, str, str, dict[str, Any]]] = {
    "429": (
        "discord.http",
        f"We are being rate limited. POST {URL} responded with 429. Retrying in 1.50 seconds.",
        "api_call_failed",
        CALL | LIMITED | {"retry_after_ms": 1500},
    ),
    "429, too long": (
        "disnake.http",
        (
            f"We are being rate limited. POST {URL} responded with 429. Timeout of 90.00 was too "
            "long, erroring instead."
        ),
        "api_call_failed",
        CALL | LIMITED | {"retry_after_ms": 90000},
    ),
    "global limit": (
        "discord.http",
        "Global rate limit has been hit. Retrying in 0.31 seconds.",
        "global_rate_limit_hit",
        DISCORD | {"retry_after_ms": 310, "rate_limit_scope": "global"},
    ),
    "webhook": (
        "discord.webhook.async_",
        "Webhook ID 123456789012345678 is rate limited. Retrying in 0.50 seconds.",
        "api_call_failed",
        LIMITED
        | {
            "endpoint": "/webhooks/{webhook_id}/{token}",
            "webhook_id": "123456789012345678",
            "retry_after_ms": 500,
        },
    ),
    "debug answer": (
        "discord.http",
        f"POST {URL} with {{'content': 'hi'}} has returned 200",
        "api_call",
        CALL | DISCORD | {"status_code": 200},
    ),
    "heartbeat": (
        "discord.gateway",
        (
            "Shard ID 3 heartbeat blocked for more than 20 seconds.\n"
            "Loop thread traceback (most recent call last):\n"
            '  File "/srv/bot.py", line 9, in <module>\n    main()\n'
            '  File "/srv/cogs/rank.py", line 41, in rank\n    time.sleep(30)\n'
        ),
        "gateway_heartbeat_blocked",
        DISCORD
        | {"shard_id": 3, "loop_lag_ms": 20000.0, "blocking_frame": "/srv/cogs/rank.py:41 rank"},
    ),
    "heartbeat without shard": (
        "discord.gateway",
        "Shard ID None heartbeat blocked for more than 10 seconds.",
        "gateway_heartbeat_blocked",
        DISCORD | {"loop_lag_ms": 10000.0},
    ),
    "behind": (
        "discord.gateway",
        "Can't keep up, shard ID 0 websocket is 61.2s behind.",
        "gateway_fell_behind",
        DISCORD | {"shard_id": 0, "behind_ms": 61200},
    ),
    "connected": (
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
    "identified": (
        "discord.gateway",
        "Shard ID 1 has sent the IDENTIFY payload.",
        "gateway_identified",
        DISCORD | {"shard_id": 1},
    ),
    "invalidated": (
        "discord.gateway",
        "Shard ID 1 session has been invalidated.",
        "gateway_session_invalidated",
        DISCORD | {"shard_id": 1},
    ),
    "reconnect": (
        "discord.client",
        "Attempting a reconnect in 3.04s",
        "gateway_reconnect_scheduled",
        DISCORD | {"wait_ms": 3040},
    ),
    "command": (
        "discord.ext.commands.bot",
        "Ignoring exception in command play",
        "command_failed",
        DISCORD | {"command": "play"},
    ),
    "httpx": (
        "httpx",
        'HTTP Request: POST https://api.openai.com/v1/chat/completions "HTTP/1.1 200 OK"',
        "api_call",
        {
            "method": "POST",
            "endpoint": "/v1/chat/completions",
            "url_host": "api.openai.com",
            "status_code": 200,
        },
    ),
    "httpx, failed": (
        "httpx",
        'HTTP Request: GET https://api.telegram.org/bot123:AB-c_d/getMe "HTTP/1.1 502 Bad Gateway"',
        "api_call_failed",
        {
            "method": "GET",
            "endpoint": "/bot{token}/getMe",
            "url_host": "api.telegram.org",
            "status_code": 502,
        },
    ),
    "openai": (
        "openai._base_client",
        "Retrying request to /chat/completions in 0.812345 seconds",
        "api_call_retried",
        {"provider": "openai", "endpoint": "/chat/completions", "wait_ms": 813},
    ),
    "openai, newer": (
        "openai._base_client",
        "Retrying request in 0.500000 seconds (retry 2 of 5)",
        "api_call_retried",
        {"provider": "openai", "wait_ms": 500, "attempt": 2, "max_attempts": 5},
    ),
    "uvicorn": (
        "uvicorn.access",
        '203.0.113.9:5000 - "GET /items/12345?q=1 HTTP/1.1" 404',
        "request_handled",
        {
            "client": "203.0.113.9:5000",
            "method": "GET",
            "endpoint": "/items/{item_id}",
            "status_code": 404,
        },
    ),
    "uvicorn starts": (
        "uvicorn.error",
        "Started server process [7]",
        "service_started",
        {"pid": 7},
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
            "bytes_sent": 163,
        },
    ),
    "urllib3": (
        "urllib3.connectionpool",
        'https://slack.com:443 "POST /api/chat.postMessage HTTP/1.1" 429 None',
        "api_call_failed",
        {
            "origin": "https://slack.com:443",
            "method": "POST",
            "endpoint": "/api/chat.postMessage",
            "status_code": 429,
        },
    ),
    "aiogram": (
        "aiogram.event",
        "Update id=5 is handled. Duration 12 ms by bot id=7",
        "update_handled",
        {
            "platform": "telegram",
            "update_id": "5",
            "outcome": "handled",
            "duration_ms": 12.0,
            "bot_id": "7",
        },
    ),
    "python-telegram-bot": (
        "telegram.ext.AIORateLimiter",
        "Rate limit hit. Retrying after 5.100000 seconds",
        "api_call_failed",
        {
            "platform": "telegram",
            "status_code": 429,
            "rate_limit_kind": "rate_limited",
            "retry_after_ms": 5100,
        },
    ),
}
messages = pytest.mark.parametrize(
    ("logger", "text", "event", "fields"), MESSAGES.values(), ids=MESSAGES
)


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
    assert columns["event"] == "api_call_failed"
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


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (
            URL + "/1234567890/reactions/%F0%9F%94%A5/@me",
            CALL["endpoint"] + "/{message_id}/reactions/{emoji}/@me",
        ),
        ("https://discord.com/api/webhooks/123456789/s3cret", "/webhooks/{webhook_id}/{token}"),
        ("/guilds/1234567/members/7654321", "/guilds/{guild_id}/members/{user_id}"),
        ("https://x.test/u/0f8fad5b-d9cb-469f-a165-70867728950e/a", "/u/{u_id}/a"),
        ("https://x.test", "/"),
        ("http://[broken", "http://[broken"),
    ],
    ids=["reaction", "webhook", "member", "uuid", "no path", "no URL"],
)  # fmt: skip
def test_endpoints(url: str, expected: str) -> None:
    """Ids and secrets in a path give way to what they are."""
    assert endpoint_of(url)[0] == expected
