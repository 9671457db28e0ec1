"""Records of libraries become events with named fields."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

import logkit
from logkit.libraries import rows
from logkit.libraries.records import rows_of
from logkit.names import is_name
from logkit.testing import capture_events, violations

URL = "https://discord.com/api/v10/channels/118765432109876543/messages"


def logged(logger: str, template: str, *args: object, level: int = 30) -> dict[str, Any]:
    with capture_events(level="debug") as events:
        logging.getLogger(logger).log(level, template, *args)
    # A client that the collector closes just now logs, too.
    return next(event for event in events if event["logger"] == logger)


@pytest.mark.parametrize(
    ("logger", "template", "args", "event", "fields"),
    [
        (
            "discord.http",
            "We are being rate limited. %s %s responded with 429. Retrying in %.2f seconds.",
            ("POST", URL, 1.25),
            "rate_limited",
            {
                "method": "POST",
                "endpoint": "/api/v10/channels/{channel_id}/messages",
                "retry_after_ms": 1_250,
                "status_code": 429,
                "rate_limit_kind": "rate_limited",
                "platform": "discord",
            },
        ),
        (
            "disnake.http",
            'We are being rate limited. Retrying in %.2f seconds. Handled under the bucket "%s"',
            (0.5, "None:1:/x"),
            "rate_limited",
            {"retry_after_ms": 500, "rate_limit_bucket": "None:1:/x", "platform": "discord"},
        ),
        (
            "nextcord.gateway",
            "Shard ID %s heartbeat blocked for more than %s seconds.\nLoop thread traceback",
            (3, 20),
            "heartbeat_blocked",
            {"shard_id": 3, "loop_lag_ms": 20_000, "platform": "discord"},
        ),
        (
            "discord.ext.commands.bot",
            "Ignoring exception in command %s",
            ("rank",),
            "command_failed",
            {"command": "rank"},
        ),
        (
            "hikari.gateway.5",
            "rate-limited on opcode %d for %.1fs [session:%s, metadata:%s]",
            (8, 2.5, "s", {}),
            "gateway_rate_limited",
            {"opcode": 8, "retry_after_ms": 2_500, "shard_id": 5},
        ),
        (
            "telegram.ext.AIORateLimiter",
            "Rate limit hit. Retrying after %f seconds",
            (35.1,),
            "rate_limited",
            {"retry_after_ms": 35_100, "status_code": 429, "platform": "telegram"},
        ),
        (
            "aiogram.event",
            "Update id=%s is %s. Duration %d ms by bot id=%d",
            (77, "handled", 12, 99),
            "update_handled",
            {"update_id": 77, "outcome": "handled", "duration_ms": 12, "bot_id": 99},
        ),
        (
            "aiogram.event",
            "Cause exception while process update id=%d by bot id=%d\n%s: %s",
            (77, 99, "ValueError", "no"),
            "update_failed",
            {"update_id": 77, "error_type": "ValueError", "error_message": "no"},
        ),
        (
            "pyrogram.session.session",
            '[%s] Waiting for %s seconds before continuing (required by "%s")',
            ("bot", 31, "messages.SendMessage"),
            "rate_limited",
            {"retry_after_ms": 31_000, "request": "messages.SendMessage"},
        ),
        (
            "telethon.client.users",
            "Sleeping%s for %ds (%s) on %s flood wait",
            ("", 31, "0:00:31", "SendMessageRequest"),
            "rate_limited",
            {"retry_after_ms": 31_000, "request": "SendMessageRequest"},
        ),
        (
            "slack_sdk.socket_mode.client",
            "Rate limited. Retrying in 30 seconds...",
            (),
            "rate_limited",
            {"retry_after_ms": 30_000, "status_code": 429, "platform": "slack"},
        ),
        (
            "slack_bolt.App",
            "Failed to run listener function (error: boom)",
            (),
            "listener_failed",
            {"error_message": "boom", "platform": "slack"},
        ),
        (
            "uvicorn.access",
            '%s - "%s %s HTTP/%s" %d',
            ("127.0.0.1:5", "GET", "/users/123456?x=1", "1.1", 200),
            "request_handled",
            {"method": "GET", "endpoint": "/users/{user_id}", "status_code": 200},
        ),
        (
            "gunicorn.access",
            '%(h)s "%(r)s" %(s)s %(D)s',
            ({"h": "::1", "r": "GET /x?a=1 HTTP/1.1", "s": "200 OK", "D": 1_500, "m": "GET",
              "B": 5},),
            "request_handled",
            {"status_code": 200, "duration_ms": 1.5, "endpoint": "/x", "response_bytes": 5},
        ),
        (
            "celery.app.trace",
            "Task %(name)s[%(id)s] succeeded in %(runtime)ss: %(return_value)s",
            ({"name": "mail.send", "id": "1-2", "runtime": 0.25, "return_value": "x"},),
            "task_succeeded",
            {"command": "mail.send", "task_id": "1-2", "duration_ms": 250.0},
        ),
        (
            "httpx",
            'HTTP Request: %s %s "%s %d %s"',
            ("POST", "https://api.telegram.org/bot1:AAbb/getMe", "HTTP/1.1", 200, "OK"),
            "http_request_sent",
            {"method": "POST", "endpoint": "/bot{token}/getMe", "status_code": 200},
        ),
        (
            "openai._base_client",
            "Retrying request in %f seconds (retry %i of %s)",
            (0.5, 1, 2),
            "call_retried",
            {"retry_in_ms": 500, "attempt": 1, "max_attempts": 2},
        ),
    ],
)  # fmt: skip
def test_a_known_record_has_named_fields(
    logger: str, template: str, args: tuple[Any, ...], event: str, fields: dict[str, Any]
) -> None:
    """The event's name, its fields in our units, and the library's own text as the message."""
    found = logged(logger, template, *args)
    assert found["event"] == event
    assert {name: found.get(name) for name in fields} == fields
    made = logging.LogRecord(logger, 30, "", 1, template, args, None)
    if "AAbb" not in made.getMessage():
        assert found["message"] == made.getMessage()


@pytest.mark.parametrize(
    ("logger", "template", "args"),
    [
        ("discord.http", "Something new %s", ("x",)),
        ("discord.gateway", "Shard ID %s session has been invalidated.", ()),
        ("discord.client", "Attempting a reconnect in %.2fs", ("soon",)),
        ("uvicorn.access", '%s - "%s %s HTTP/%s" %d', ("a",)),
        ("discordant.http", "Global rate limit has been hit. Retrying in %.2f seconds.", (1,)),
        ("bot", "Attempting a reconnect in %.2fs", (1,)),
    ],
)
def test_other_records_stay_what_they_are(logger: str, template: str, args: Any) -> None:
    """A template, a value or a logger that the table does not know is an ordinary record."""
    record = logging.LogRecord(logger, 30, "", 1, template, args, None)
    found = json.loads(logkit.JsonFormatter("bot").format(record))
    assert "platform" not in found
    assert found["message"].startswith(template[:5])


def test_the_exception_and_extra_fields_stay() -> None:
    """What a record carries besides its template is kept, but for what is there twice."""
    with capture_events() as events:
        try:
            raise RuntimeError("no")
        except RuntimeError:
            logging.getLogger("discord.client").exception(
                "Ignoring exception in %s", "on_message", extra={"own": 1, "data": {"x": 1}}
            )
    assert events[0]["event"] == "event_handler_failed"
    assert events[0]["error_type"] == "RuntimeError"
    assert events[0]["own"] == 1
    assert "data" not in events[0]


def test_a_request_is_counted_once() -> None:
    """Where instrument() logs each call, the library's record is no second request."""
    template = "We are being rate limited. %s %s responded with 429. Retrying in %.2f seconds."
    logkit.instrument()
    try:
        found = logged("discord.http", template, "GET", URL, 1.0)
        served = logged("uvicorn.access", '%s - "%s %s HTTP/%s" %d', "a", "GET", "/", "1.1", 200)
    finally:
        logkit.uninstrument()
    assert found["event"] == "rate_limited"
    assert "status_code" not in found
    assert served["status_code"] == 200


def test_the_formatter_knows_the_table_too() -> None:
    """JsonFormatter names the same fields as configure()."""
    record = logging.LogRecord("discord.gateway", 20, "", 1, "Unknown", None, None)
    record.msg, record.args = "Shard ID %s session has been invalidated.", (4,)
    event = json.loads(logkit.JsonFormatter("bot").format(record))
    assert (event["event"], event["shard_id"]) == ("gateway_session_invalidated", 4)
    assert violations(event) == []


@pytest.mark.parametrize(
    ("logger", "table"),
    [
        ("discord.{}", rows.DISCORD),
        ("nextcord.{}", rows.DISCORD),
        ("hikari.{}", rows.HIKARI),
        ("{}", rows.TELEGRAM),
        ("{}", rows.SERVERS),
        ("{}", rows.CLIENTS),
    ],
)
def test_every_row_can_be_used(logger: str, table: rows.Rows) -> None:
    """Each row is reached from its logger, names an event and fits its template's values."""
    for part, templates in table.items():
        found = rows_of(logger.format(part))
        for template in templates:
            row = found[template]
            assert is_name(row.event)
            assert not is_name(template)
            if template != "*" and all(isinstance(key, int) for key, _, _ in row.names):
                values = template.replace("%%", "").count("%")
                lines = 2 if template.startswith("Cause") else 0
                assert all(int(key) < values + lines for key, _, _ in row.names), template
