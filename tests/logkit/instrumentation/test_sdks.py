"""Real clients of platforms, pointed at a server on loopback."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import discord
import openai
import pytest
import telegram
from discord.http import Route

import logkit
from logkit.testing import capture_events

from .loopback import Answer, Loopback

if TYPE_CHECKING:
    from logkit.testing import Events

USER = {"id": "1187654321098765432", "username": "bot", "discriminator": "0", "avatar": None}
CHANNEL = 1187654321098765000


def of_hooks(events: Events) -> list[dict[str, Any]]:
    return [event for event in events if event["logger"] == "logkit.http"]


def shown(event: dict[str, Any], *names: str) -> tuple[Any, ...]:
    return tuple(event.get(name) for name in names)


def test_discord_py(server: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    """discord.py waits out a 429 by itself: both attempts, bucket, scope and wait are told."""
    monkeypatch.setattr(Route, "BASE", f"{server.url}/api/v10")
    via = {"Via": "1.1 google"}
    bucket = {
        "X-RateLimit-Limit": "5",
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": "1795316464.570",
        "X-RateLimit-Reset-After": "0.02",
        "X-RateLimit-Bucket": "abcd1234",
    }
    refusal = {"message": "You are being rate limited.", "retry_after": 0.02, "global": False}
    message = {"id": "1", "channel_id": str(CHANNEL), "content": "hi", "author": USER}

    async def main() -> None:
        async with discord.Client(intents=discord.Intents.none()) as client:
            await client.http.static_login("token")
            with logkit.correlation("command-1"):
                parameters = discord.http.handle_message_parameters(content="hi")
                await client.http.send_message(CHANNEL, params=parameters)

    server.will(
        Answer(200, USER, via),
        Answer(429, refusal, {**via, **bucket, "X-RateLimit-Scope": "user", "Retry-After": "1"}),
        Answer(200, message, {**via, **bucket, "X-RateLimit-Remaining": "4"}),
    )
    with capture_events() as events:
        asyncio.run(main())
    refused, sent = of_hooks(events)[-2:]
    assert refused["endpoint"] == sent["endpoint"] == "/api/v10/channels/{channel_id}/messages"
    assert shown(refused, "method", "status_code", "attempt", "platform", "retry_after_ms") == (
        "POST",
        429,
        0,
        "discord",
        20,
    )
    assert shown(refused, "rate_limit_bucket", "rate_limit_scope", "rate_limit_remaining") == (
        "abcd1234",
        "user",
        0,
    )
    assert shown(sent, "status_code", "attempt", "rate_limit_limit") == (200, 1, 5)
    assert refused["correlation_id"] == sent["correlation_id"] == "command-1"
    assert "token" not in str(events)


def test_openai(server: Loopback) -> None:
    """The openai client tells its own attempts; budgets and waits of both answers are there."""
    limits = {
        "x-ratelimit-limit-requests": "60",
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-reset-requests": "6m0s",
        "retry-after-ms": "15",
    }
    error = {"error": {"message": "slow down", "type": "requests", "code": "rate_limit_exceeded"}}
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": "hi"},
        "finish_reason": "stop",
    }
    answer = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "gpt-x",
        "choices": [choice],
    }
    server.will(Answer(429, error, limits), Answer(200, answer))
    client = openai.OpenAI(base_url=f"{server.url}/v1", api_key="sk-none", max_retries=2)
    with capture_events() as events, logkit.correlation("prompt-1"):
        client.chat.completions.create(model="gpt-x", messages=[{"role": "user", "content": "hi"}])
    refused, answered = of_hooks(events)
    assert shown(refused, "endpoint", "status_code", "attempt", "retry_after_ms") == (
        "/v1/chat/completions",
        429,
        0,
        15,
    )
    assert shown(refused, "rate_limit_unit", "rate_limit_reset_after_ms") == ("requests", 360_000)
    assert shown(answered, "status_code", "attempt") == (200, 1)
    assert refused["correlation_id"] == answered["correlation_id"] == "prompt-1"


def test_python_telegram_bot(server: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bot's token is in the path and must not be in the log; the wait is in the body."""
    monkeypatch.setenv("PTB_TIMEDELTA", "true")
    token = "123456789:AAF-secret_secret_secret_secret_sec"
    flood = {
        "ok": False,
        "error_code": 429,
        "description": "Too Many Requests: retry after 35",
        "parameters": {"retry_after": 35},
    }
    me = {"id": 1, "is_bot": True, "first_name": "b", "username": "b"}

    async def main() -> None:
        bot = telegram.Bot(token, base_url=f"{server.url}/bot")
        async with bot:
            with pytest.raises(telegram.error.RetryAfter):
                await bot.send_message(42, "hi")

    server.will(Answer(200, {"ok": True, "result": me}), Answer(429, flood))
    with capture_events() as events:
        asyncio.run(main())
    first, refused = of_hooks(events)
    assert first["endpoint"] == "/bot{token}/getMe"
    assert shown(refused, "endpoint", "platform", "retry_after_ms", "rate_limit_kind") == (
        "/bot{token}/sendMessage",
        "telegram",
        35_000,
        "rate_limited",
    )
    assert "AAF-secret" not in str(of_hooks(events))
