"""Every HTTP library, against a server that answers, refuses, fails, hangs and resets."""

from __future__ import annotations

import asyncio
import gc
import gzip
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import aiohttp
import httpx
import httpx2
import pytest
import requests
import urllib3
from requests.adapters import HTTPAdapter

import logkit
from logkit.testing import capture_events

from .loopback import Answer, Loopback

if TYPE_CHECKING:
    from logkit.testing import Events

PATIENCE_S = 30.0
SHORT_S = 0.3

Get = Callable[..., tuple[int, bytes]]
"""Sends GET, reads the body, returns status and body; raises what the library raises."""


def with_httpx(url: str, timeout_s: float = PATIENCE_S) -> tuple[int, bytes]:
    with httpx.Client(timeout=timeout_s) as client:
        response = client.get(url)
        return response.status_code, response.content


def with_httpx2(url: str, timeout_s: float = PATIENCE_S) -> tuple[int, bytes]:
    with httpx2.Client(timeout=timeout_s) as client:
        response = client.get(url)
        return response.status_code, response.content


def with_httpx_async(url: str, timeout_s: float = PATIENCE_S) -> tuple[int, bytes]:
    async def get() -> tuple[int, bytes]:
        async with httpx.AsyncClient(timeout=timeout_s) as client:
            response = await client.get(url)
            return response.status_code, response.content

    return asyncio.run(get())


def with_httpx2_stream(url: str, timeout_s: float = PATIENCE_S) -> tuple[int, bytes]:
    async def get() -> tuple[int, bytes]:
        async with (
            httpx2.AsyncClient(timeout=timeout_s) as client,
            client.stream("GET", url) as response,
        ):
            return response.status_code, b"".join([chunk async for chunk in response.aiter_bytes()])

    return asyncio.run(get())


def with_aiohttp(url: str, timeout_s: float = PATIENCE_S) -> tuple[int, bytes]:
    async def get() -> tuple[int, bytes]:
        timeout = aiohttp.ClientTimeout(total=timeout_s)
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url) as response:
            return response.status, await response.read()

    return asyncio.run(get())


def with_requests(url: str, timeout_s: float = PATIENCE_S) -> tuple[int, bytes]:
    response = requests.get(url, timeout=timeout_s)
    return response.status_code, response.content


def with_urllib3(url: str, timeout_s: float = PATIENCE_S) -> tuple[int, bytes]:
    with urllib3.PoolManager(retries=False) as pool:
        response = pool.request("GET", url, timeout=timeout_s)
        return response.status, response.data


CLIENTS: list[Get] = [
    with_httpx,
    with_httpx2,
    with_httpx_async,
    with_httpx2_stream,
    with_aiohttp,
    with_requests,
    with_urllib3,
]
each_client = pytest.mark.parametrize("get", CLIENTS, ids=lambda get: get.__name__)


def of_hooks(events: Events) -> list[dict[str, Any]]:
    """Return the events of the hooks, without those of the libraries' own log records."""
    return [event for event in events if event["logger"] == "logkit.http"]


@each_client
def test_an_answer_is_one_event(get: Get, server: Loopback) -> None:
    """Endpoint template, status, duration and correlation; the caller gets what was sent."""
    server.will(Answer(200, {"ok": True}))
    with capture_events() as events, logkit.correlation("user-action-7"):
        result = get(f"{server.url}/channels/123456789012345678/messages?limit=5")
    assert (result[0], json.loads(result[1])) == (200, {"ok": True})
    (event,) = of_hooks(events)
    assert event["event"] == "api_call"
    assert event["level"] == "info"
    assert event["method"] == "GET"
    assert event["endpoint"] == "/channels/{channel_id}/messages"
    assert event["status_code"] == 200
    assert event["attempt"] == 0
    assert event["correlation_id"] == "user-action-7"
    assert 0 < event["duration_ms"] < 60_000
    assert "rate_limit_kind" not in event


@each_client
@pytest.mark.parametrize("coding", ["identity", "gzip"])
def test_the_wait_in_a_body_is_found(get: Get, server: Loopback, coding: str) -> None:
    """A 429 that tells its wait only in the body, compressed or not; the caller reads it too."""
    body = json.dumps({"ok": False, "error_code": 429, "parameters": {"retry_after": 35}}).encode()
    sent = gzip.compress(body) if coding == "gzip" else body
    server.will(Answer(429, sent, {"Content-Encoding": coding}))
    with capture_events() as events:
        assert get(f"{server.url}/bot123456:AAbbCC/sendMessage") == (429, body)
    (event,) = of_hooks(events)
    assert event["event"] == "api_call_failed"
    assert event["level"] == "warning"
    assert event["endpoint"] == "/bot{token}/sendMessage"
    assert event["platform"] == "telegram"
    assert event["rate_limit_kind"] == "rate_limited"
    assert event["retry_after_ms"] == 35_000


@each_client
def test_a_server_error(get: Get, server: Loopback) -> None:
    """Status 500 is an error; its body goes to the caller and not into the log."""
    server.will(Answer(500, "it broke"))
    with capture_events() as events:
        assert get(f"{server.url}/v1/models") == (500, b"it broke")
    (event,) = of_hooks(events)
    assert (event["event"], event["level"]) == ("api_call_failed", "error")
    assert event["status_code"] == 500
    assert "it broke" not in str(event)


@each_client
@pytest.mark.parametrize("fault", ["hang", "reset", "cut"])
def test_no_answer(get: Get, server: Loopback, fault: str) -> None:
    """What the library raises reaches the caller, and the event names it without a status."""
    # aiohttp itself repeats a GET once that was reset.
    server.will(*[Answer(200, "x" * 100_000, fault=fault)] * 2)
    with capture_events() as events, pytest.raises(Exception) as raised:
        get(f"{server.url}/slow", SHORT_S if fault == "hang" else PATIENCE_S)
    (event,) = of_hooks(events)
    assert (event["event"], event["level"]) == ("api_call_failed", "error")
    assert "status_code" not in event
    assert event["error_type"]
    assert (event["error_type"] == "timeout") == (fault == "hang")
    if fault == "hang":
        assert event["duration_ms"] >= SHORT_S * 900
    assert "logkit" not in str(raised.value)


@each_client
def test_repeated_failures_are_attempts(get: Get, server: Loopback) -> None:
    """The same call again after a failure is its next attempt; after a success it is a new one."""
    server.will(Answer(500), Answer(429, {}, {"Retry-After": "0"}), Answer(200), Answer(200))
    with capture_events() as events, logkit.correlation():
        for _ in range(4):
            get(f"{server.url}/users/1")
        get(f"{server.url}/users/2")
    assert [event["attempt"] for event in of_hooks(events)] == [0, 1, 2, 0, 0]


@each_client
def test_the_correlation_is_sent_on_request(get: Get, server: Loopback) -> None:
    """Headers are added only if that was asked for, and only inside a correlation."""
    logkit.instrument(inject=True)
    with capture_events(), logkit.correlation("abc-1"):
        get(f"{server.url}/a")
    with capture_events():
        get(f"{server.url}/b")
    logkit.instrument()
    with capture_events(), logkit.correlation("abc-1"):
        get(f"{server.url}/c")
    sent = [headers.get("x-correlation-id") for _, _, headers in server.requests]
    assert sent == ["abc-1", None, None]


@each_client
def test_each_attempt_is_a_span_of_its_own(get: Get, server: Loopback) -> None:
    """Below the block in which it was made; it is what the server is told."""
    logkit.instrument(inject=True)
    with capture_events() as events, logkit.timed("polled"):
        get(f"{server.url}/a")
        get(f"{server.url}/a")
    polled = events.assert_event("polled")
    first, second = of_hooks(events)
    assert first["parent_span_id"] == second["parent_span_id"] == polled["span_id"]
    told = [headers["traceparent"] for _, _, headers in server.requests]
    assert told == [f"00-{call['trace_id']}-{call['span_id']}-01" for call in (first, second)]


@each_client
def test_instrument_is_idempotent_and_can_be_undone(get: Get, server: Loopback) -> None:
    """Hooked twice, a call is one event; unhooked, it is none."""
    assert logkit.instrument() == logkit.instrument()
    with capture_events() as events:
        get(f"{server.url}/once")
        logkit.uninstrument()
        get(f"{server.url}/never")
    assert [event["endpoint"] for event in of_hooks(events)] == ["/once"]


def test_retries_of_urllib3_count(server: Loopback) -> None:
    """Each attempt of requests' own Retry is an event with its number."""
    server.will(Answer(503), Answer(503), Answer(200, {"ok": 1}))
    session = requests.Session()
    retry = urllib3.Retry(3, status_forcelist=[503], backoff_factor=0)
    session.mount("http://", HTTPAdapter(max_retries=retry))
    with capture_events() as events:
        assert session.get(f"{server.url}/x").json() == {"ok": 1}
    assert [(e["status_code"], e["attempt"]) for e in of_hooks(events)] == [
        (503, 0),
        (503, 1),
        (200, 2),
    ]


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_response_that_nobody_closes_is_still_logged(server: Loopback) -> None:
    """An aiohttp response whose body is never read is logged when it is thrown away."""

    async def main() -> None:
        async with aiohttp.ClientSession() as session:
            response = await session.get(f"{server.url}/forgotten")
            del response

    with capture_events() as events:
        asyncio.run(main())
        # It may stand in a cycle, which only the collector finds.
        gc.collect()
    assert [event["status_code"] for event in of_hooks(events)] == [200]


def test_a_cancelled_call_is_no_error(server: Loopback) -> None:
    """The bot gave up by itself: a warning, and the cancellation goes on."""
    server.will(Answer(fault="hang"))

    async def main() -> None:
        async with httpx.AsyncClient() as client:
            task = asyncio.create_task(client.get(f"{server.url}/slow"))
            while not server.requests:
                await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    with capture_events() as events:
        asyncio.run(main())
    (event,) = of_hooks(events)
    assert (event["level"], event["error_type"]) == ("warning", "CancelledError")


def test_raise_for_status_keeps_its_status(server: Loopback) -> None:
    """Aiohttp raises instead of answering; status and wait are in the event all the same."""
    server.will(Answer(429, "", {"Retry-After": "7"}))

    async def main() -> None:
        async with aiohttp.ClientSession(raise_for_status=True) as session:
            with pytest.raises(aiohttp.ClientResponseError):
                await session.get(f"{server.url}/x")

    with capture_events() as events:
        asyncio.run(main())
    (event,) = of_hooks(events)
    assert (event["status_code"], event["retry_after_ms"]) == (429, 7_000)


def test_siblings_keep_their_own_correlation(server: Loopback) -> None:
    """Calls of tasks that run at once are each logged under their own id."""

    async def one(client: httpx.AsyncClient, number: int) -> None:
        with logkit.correlation(f"task-{number}"):
            await client.get(f"{server.url}/n/{number}x")

    async def main() -> None:
        async with httpx.AsyncClient() as client:
            await asyncio.gather(*(one(client, number) for number in range(8)))

    with capture_events() as events:
        asyncio.run(main())
    assert all(event["correlation_id"][5:] == event["endpoint"][3:-1] for event in of_hooks(events))
    assert len(of_hooks(events)) == 8
