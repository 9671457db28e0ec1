# ruff: noqa: E501 - a table is read by its columns
from __future__ import annotations

import re
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logkit.endpoints import endpoint_of
from logkit.instrumentation.attempts import Attempts
from logkit.instrumentation.calls import Call, Request
from logkit.testing import capture_events

TOKEN = "aW50ZXJhY3Rpb246MTE4NzY1NDMyMTA5ODc2NTQzMjpHeFhLd0tmRm9vQmFyQmF6"


@pytest.mark.parametrize(
    ("host", "path", "endpoint"),
    [
        ("discord.com", "/api/v10/channels/118765432109876543/messages", "/api/v10/channels/{channel_id}/messages"),
        ("discord.com", "/api/v10/guilds/1187/members/9876", "/api/v10/guilds/{guild_id}/members/{user_id}"),
        ("discord.com", "/api/v10/users/@me", "/api/v10/users/@me"),
        ("discord.com", f"/api/v10/interactions/1187654321098765432/{TOKEN}/callback", "/api/v10/interactions/{interaction_id}/{token}/callback"),
        ("discord.com", f"/api/v10/webhooks/1187654321098765432/{TOKEN}/messages/@original", "/api/v10/webhooks/{webhook_id}/{token}/messages/@original"),
        ("proxy.local", "/webhooks/1187654321098765432/short", "/webhooks/{webhook_id}/{token}"),
        ("discord.com", "/api/v10/channels/1/messages/2/reactions/%F0%9F%94%A5/@me", "/api/v10/channels/{channel_id}/messages/{message_id}/reactions/{emoji}/@me"),
        ("api.telegram.org", "/bot123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11/sendMessage", "/bot{token}/sendMessage"),
        ("127.0.0.1", "/bot1%3AAAbb/getMe?x=1", "/bot{token}/getMe"),
        ("api.telegram.org", "/file/bot1:AAbb/photos/file_1.jpg", "/file/bot{token}/{path}"),
        ("hooks.slack.com", "/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX", "/services/{token}"),
        ("slack.com", "/api/chat.postMessage", "/api/chat.postMessage"),
        ("api.github.com", "/repos/octo/hello/issues/12/comments", "/repos/{owner}/{repo}/issues/{issue_id}/comments"),
        ("api.github.com", "/users/octo", "/users/{name}"),
        ("api.openai.com", "/v1/chat/completions", "/v1/chat/completions"),
        ("api.openai.com", "/v1/threads/thread_abc123DEF456/runs", "/v1/threads/{thread_id}/runs"),
        ("generativelanguage.googleapis.com", "/v1beta/models/gemini-2.5-flash:generateContent", "/v1beta/models/gemini-2.5-flash:generateContent"),
        ("api.x.com", "/2/tweets/1234567890123456789", "/2/tweets/{tweet_id}"),
        ("matrix.org", "/_matrix/client/v3/rooms/!abc:matrix.org/send/m.room.message/7", "/_matrix/client/v3/rooms/{room_id}/send/m.room.message/{id}"),
        ("example.com", "/orders/3fa85f64-5717-4562-b3fc-2c963f66afa6", "/orders/{order_id}"),
        ("example.com", "/objects/5f2b8c9d0e1a", "/objects/{object_id}"),
        ("example.com", "/people/bo@example.org", "/people/{people_id}"),
        ("example.com", "", "/"),
        ("example.com", "/", "/"),
    ],
)  # fmt: skip
def test_endpoint_templates(host: str, path: str, endpoint: str) -> None:
    """Ids, names and tokens are replaced, words and versions stay, the query is left out."""
    assert endpoint_of(host, path) == endpoint


@pytest.mark.parametrize("host", ["discord.com", "api.github.com", "example.com"])
@given(path=st.text(max_size=600))
def test_any_path_has_a_template(host: str, path: str) -> None:
    """Never raises; at most 200 characters; no long number survives."""
    endpoint = endpoint_of(host, path)
    assert endpoint.startswith("/")
    assert len(endpoint) <= 200
    assert re.search("[0-9]{5}", endpoint) is None


def test_attempts_are_forgotten() -> None:
    """A quarter of an hour after a failure, or after a success, the same call counts from 0."""
    now = 0.0
    attempts = Attempts(clock=lambda: now)
    attempts.record("a", 0, may_be_retried=True)
    assert attempts.next("a") == 1
    assert attempts.next("b") == 0
    attempts.record("a", 1, may_be_retried=True)
    now = 900.0
    assert attempts.next("a") == 2
    now = 901.0
    assert attempts.next("a") == 0
    attempts.record("a", 0, may_be_retried=True)
    attempts.record("a", 1, may_be_retried=False)
    assert attempts.next("a") == 0


def test_remembered_calls_are_bounded() -> None:
    """However many calls fail, the oldest are forgotten first."""
    attempts = Attempts(clock=lambda: 0.0)
    for number in range(5_000):
        attempts.record(number, 0, may_be_retried=True)
    assert attempts.next(0) == 0
    assert attempts.next(4_999) == 1


def test_bodies_of_failed_calls_are_not_kept() -> None:
    """An outage costs no memory for what could not be sent; it still tells calls apart."""
    body, other = b"a" * 100_000, b"b" * 100_000
    before = sys.getrefcount(body)
    attempts = []
    with capture_events() as events:
        for sent in (body, body, other):
            Call(Request("POST", "localhost", "/upload", sent)).finish(OSError("no route"))
        attempts += [event["attempt"] for event in events]
    assert attempts == [0, 1, 0]
    del sent
    assert sys.getrefcount(body) == before
