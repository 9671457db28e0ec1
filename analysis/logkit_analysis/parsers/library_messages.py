"""What well-known libraries log, as events with fields.

A rule is found by the logger's name, so that most lines cost one look-up; lines without a logger
are told by their first word. A rule never changes what a line says itself: it only adds.

Texts as in discord.py 2.6 (and its forks nextcord and disnake), httpx 0.28, urllib3 2, openai 1
to 3, anthropic, uvicorn 0.54, aiohttp 3, Werkzeug 3, aiogram 3, python-telegram-bot 22.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from logkit_analysis.parsers.endpoints import endpoint_of
from logkit_analysis.parsers.text.tracebacks import blocking_frame
from logkit_analysis.parsers.values import COLUMN_CONVERTERS, whole_milliseconds_from_seconds

_LOWEST_ERROR = 400
_COUNTS = frozenset(("bytes_sent", "close_code", "max_attempts"))
_EVENT_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_EVENT_NAME_LENGTH = 64


@dataclass(frozen=True, slots=True)
class _Rule:
    """A message.

    Attributes:
        event: The event's name.
        pattern: Matches the whole text; its groups name fields. ``url`` becomes the endpoint, and
            a name that ends in ``_s`` is in seconds.
        fields: What every such message means.
    """

    event: str
    pattern: re.Pattern[str]
    fields: dict[str, Any] = field(default_factory=dict)


def _rule(event: str, pattern: str, **fields: Any) -> _Rule:
    return _Rule(event, re.compile(pattern, re.DOTALL), fields)


_WAIT = r"(?P<wait_s>\d+(?:\.\d+)?)"
_RETRY_AFTER = r"(?P<retry_after_s>\d+(?:\.\d+)?)"
_SHARD = r"[Ss]hard ID (?P<shard_id>\S+)"
_DISCORD = {"platform": "discord"}
_LIMITED = {"status_code": 429, "rate_limit_kind": "rate_limited"}
_TELEGRAM = {"platform": "telegram"}

_DISCORD_RULES: dict[str, tuple[_Rule, ...]] = {
    "http": (
        _rule(
            "api_call_failed",
            r"We are being rate limited\. (?P<method>[A-Z]+) (?P<url>\S+) responded with 429\. "
            rf"(?:Retrying in|Timeout of) {_RETRY_AFTER} .*",
            **_DISCORD,
            **_LIMITED,
        ),
        # Follows the message above about the same answer: no status, or it would count twice.
        _rule(
            "global_rate_limit_hit",
            rf"Global rate limit has been hit\. Retrying in {_RETRY_AFTER} seconds\.",
            rate_limit_scope="global",
            **_DISCORD,
        ),
        _rule(
            "rate_limit_bucket_exhausted",
            r"A rate limit bucket \((?P<rate_limit_bucket>[^)]*)\) has been exhausted\..*",
            **_DISCORD,
        ),
        _rule(
            "api_call",
            r"(?P<method>[A-Z]+) (?P<url>\S+) with .* has returned (?P<status_code>(?!429)\d{3})",
            **_DISCORD,
        ),
    ),
    "webhook.async_": (
        _rule(
            "api_call_failed",
            r"Webhook ID (?P<webhook_id>\d+) is rate limited\. "
            rf"Retrying in {_RETRY_AFTER} seconds\.",
            endpoint="/webhooks/{webhook_id}/{token}",
            **_DISCORD,
            **_LIMITED,
        ),
    ),
    "gateway": (
        _rule(
            "gateway_heartbeat_blocked",
            rf"{_SHARD} (?:voice )?heartbeat blocked for more than (?P<loop_lag_s>\d+(?:\.\d+)?) "
            r"seconds\.?(?:\n.*)?",
            **_DISCORD,
        ),
        _rule(
            "gateway_fell_behind",
            rf"(?:Can't keep up|High socket latency), {_SHARD} (?:websocket|heartbeat) is "
            r"(?P<behind_s>\d+(?:\.\d+)?)s behind\.?",
            **_DISCORD,
        ),
        _rule(
            "gateway_connected",
            rf"{_SHARD} has connected to Gateway(?: \(Session ID: (?P<session_id>[^)]*)\))?\.?",
            **_DISCORD,
        ),
        _rule(
            "gateway_resumed",
            rf"{_SHARD} has successfully RESUMED session (?P<session_id>\S+?)\.?",
            **_DISCORD,
        ),
        _rule("gateway_identified", rf"{_SHARD} has sent the IDENTIFY payload\.", **_DISCORD),
        _rule("gateway_resume_sent", rf"{_SHARD} has sent the RESUME payload\.", **_DISCORD),
        _rule(
            "gateway_session_invalidated", rf"{_SHARD} session has been invalidated\.", **_DISCORD
        ),
        _rule(
            "gateway_lost",
            rf"{_SHARD} has stopped responding to the gateway\. Closing and restarting\.",
            **_DISCORD,
        ),
        _rule(
            "gateway_send_delayed",
            rf"WebSocket in {_SHARD} is ratelimited, waiting {_WAIT} seconds",
            **_DISCORD,
        ),
        _rule(
            "gateway_closed",
            r"Websocket closed with (?P<close_code>\d{1,18}), (?:attempting a|cannot) reconnect\.",
            **_DISCORD,
        ),
    ),
    "client": (
        _rule("gateway_reconnect_scheduled", rf"Attempting a reconnect in {_WAIT}s", **_DISCORD),
        _rule("login_started", r"logging in using static token", **_DISCORD),
        _rule("event_handler_failed", r"Ignoring exception in (?P<handler>\w+)", **_DISCORD),
    ),
    "shard": (
        _rule(
            "gateway_reconnect_scheduled",
            rf"Attempting a reconnect for {_SHARD} in {_WAIT}s",
            **_DISCORD,
        ),
    ),
    "app_commands.tree": (
        _rule("command_failed", r"Ignoring exception in command '(?P<command>[^']*)'", **_DISCORD),
        _rule("command_failed", r"Ignoring exception in command tree", **_DISCORD),
    ),
    "ext.commands.bot": (
        _rule("command_failed", r"Ignoring exception in command (?P<command>.+)", **_DISCORD),
    ),
    "ext.tasks": (
        _rule(
            "background_task_failed",
            r"Unhandled exception in internal background task '(?P<task>[^']*)'\.",
            **_DISCORD,
        ),
    ),
}

_CALL = r"(?P<method>[A-Z]+) (?P<url>\S+)"
_SERVER_RULES = (
    _rule(
        "request_handled",
        rf'(?P<client>\S*) - "{_CALL} HTTP/[\d.]+" (?P<status_code>\d{{3}})(?: .*)?',
    ),
    _rule("service_started", r"Started server process \[(?P<pid>\d+)\]"),
    _rule("service_stopped", r"Finished server process \[(?P<pid>\d+)\]"),
)
_ACCESS_RULES = (
    _rule(
        "request_handled",
        rf'(?P<client>\S+)(?: \S+ \S+)? \[[^\]]*\] "{_CALL} HTTP/[\d.]+" '
        r"(?P<status_code>\d{3})(?: (?P<bytes_sent>\d{1,18}|-))?(?: .*)?",
    ),
)
_HTTPX_RULES = (
    _rule("api_call", rf'HTTP Request: {_CALL} "HTTP/[\d.]+ (?P<status_code>\d{{3}})[^"]*"'),
)


def _llm_rules(provider: str) -> tuple[_Rule, ...]:
    return (
        _rule(
            "api_call_retried",
            rf"Retrying request(?: to (?P<url>\S+))? in {_WAIT} seconds"
            r"(?: \(retry (?P<attempt>\d+) of (?P<max_attempts>\d{1,18})\))?",
            provider=provider,
        ),
    )


_RULES: dict[str, tuple[_Rule, ...]] = {
    **{
        f"{library}.{logger}": rules
        for library in ("discord", "nextcord", "disnake")
        for logger, rules in _DISCORD_RULES.items()
    },
    "httpx": _HTTPX_RULES,
    "httpx2": _HTTPX_RULES,
    "urllib3.connectionpool": (
        _rule(
            "api_call",
            rf'(?P<origin>https?://\S+) "{_CALL} HTTP/[\d.]+" (?P<status_code>\d{{3}}) \S+',
        ),
    ),
    "openai._base_client": _llm_rules("openai"),
    "anthropic._base_client": _llm_rules("anthropic"),
    "uvicorn": _SERVER_RULES,
    "uvicorn.access": _SERVER_RULES,
    "uvicorn.error": _SERVER_RULES,
    "aiohttp.access": _ACCESS_RULES,
    "gunicorn.access": _ACCESS_RULES,
    "werkzeug": _ACCESS_RULES,
    "aiogram.event": (
        _rule(
            "update_handled",
            r"Update id=(?P<update_id>\d+) is (?P<outcome>handled|not handled)\. "
            r"Duration (?P<duration_ms>\d+) ms by bot id=(?P<bot_id>\d+)",
            **_TELEGRAM,
        ),
    ),
    "aiogram.dispatcher": (
        _rule(
            "updates_fetch_failed",
            r"Failed to fetch updates - (?P<error_type>\w+): (?P<error_message>.*)",
            **_TELEGRAM,
        ),
        _rule(
            "updates_fetch_delayed",
            rf"Sleep for {_WAIT} seconds and try again\.\.\. "
            r"\(tryings = (?P<attempt>\d+), bot id = (?P<bot_id>\d+)\)",
            **_TELEGRAM,
        ),
    ),
    "telegram.ext.AIORateLimiter": (
        _rule(
            "api_call_failed",
            rf"Rate limit hit\. Retrying after {_RETRY_AFTER} seconds",
            **_TELEGRAM,
            **_LIMITED,
        ),
    ),
}

LOGGERS: frozenset[str] = frozenset(_RULES)
"""Loggers whose messages have rules."""

_BY_FIRST_WORD: dict[str, tuple[_Rule, ...]] = {
    "We": _RULES["discord.http"],
    "Global": _RULES["discord.http"],
    "Webhook": _RULES["discord.webhook.async_"],
    "Shard": _RULES["discord.gateway"],
    "Can't": _RULES["discord.gateway"],
    "HTTP": _HTTPX_RULES,
}
FIRST_WORDS: frozenset[str] = frozenset(_BY_FIRST_WORD)
"""First words of messages that have rules also without a logger."""


def is_event_name(text: object) -> bool:
    """Return whether *text* is a snake_case name, which says what happened without values."""
    return (
        isinstance(text, str)
        and len(text) <= _EVENT_NAME_LENGTH
        and _EVENT_NAME.fullmatch(text) is not None
    )


def add_meaning(columns: dict[str, Any], rest: dict[str, Any]) -> None:
    """Add the event's name and fields if a known library wrote the message.

    Args:
        columns: Values by column; ``event`` may hold the message, as structlog writes it.
        rest: Values that have no column.
    """
    logger, event = columns.get("logger"), columns.get("event")
    text = columns.get("message") or event
    if text is None:
        return
    rules = _RULES.get(logger) if logger else _BY_FIRST_WORD.get(text.partition(" ")[0])
    if rules is None or is_event_name(event):
        return
    for rule in rules:
        if found := rule.pattern.fullmatch(text):
            columns.setdefault("message", text)
            columns["event"] = rule.event
            _add(columns, rest, {**rule.fields, **found.groupdict()})
            return


def _add(columns: dict[str, Any], rest: dict[str, Any], found: dict[str, Any]) -> None:
    if (url := found.pop("url", None)) is not None:
        found["endpoint"], found["url_host"] = endpoint_of(url)
    for name, value in found.items():
        if value is None or value in ("None", "-"):
            continue
        if name.endswith("_s"):
            name = f"{name.removesuffix('_s')}_ms"
            value = whole_milliseconds_from_seconds(value)
        convert = COLUMN_CONVERTERS.get(name)
        if convert is None:
            rest.setdefault(name, int(value) if name in _COUNTS else value)
        elif (converted := convert(value)) is not None:
            columns.setdefault(name, converted)
    if columns["event"] == "api_call" and columns.get("status_code", 0) >= _LOWEST_ERROR:
        columns["event"] = "api_call_failed"
    if columns["event"] == "gateway_heartbeat_blocked":
        stack = columns.get("error_stack") or columns["message"]
        if frame := blocking_frame(stack):
            rest.setdefault("blocking_frame", frame)
