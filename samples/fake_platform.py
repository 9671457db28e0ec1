"""A small chat platform on loopback that limits rates for real and remembers what it answered.

Headers and bodies are Discord's: ``X-RateLimit-*`` on each answer, ``Retry-After`` with a JSON
body and ``Via`` on a 429. ``GET /__truth`` tells what was answered and when;
``POST /__behave`` with ``{"method", "endpoint", "delay_ms", "fail_next"}`` makes a route slow
(milliseconds) or lets its next answers be 500.
Run alone (``python samples/fake_platform.py --port 8080``) it prints its address and serves
until it is stopped.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import time
from collections import Counter
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from http import HTTPStatus
from math import ceil
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class TokenBucket:
    """A budget of *capacity* requests that is refilled one by one, *per_second* of them."""

    def __init__(
        self, capacity: int, per_second: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.capacity = capacity
        self._per_second = per_second
        self._clock = clock
        self._tokens = float(capacity)
        self._filled_at = clock()

    def take(self) -> float:
        """Use one token and return 0, or return the seconds until there is one."""
        self._refill()
        if self._tokens < 1:
            return (1 - self._tokens) / self._per_second
        self._tokens -= 1
        return 0.0

    @property
    def remaining(self) -> int:
        """Whole tokens left."""
        return int(self._tokens)

    @property
    def reset_after(self) -> float:
        """Seconds until the bucket is full again."""
        return (self.capacity - self._tokens) / self._per_second

    def _refill(self) -> None:
        now = self._clock()
        grown = (now - self._filled_at) * self._per_second
        self._tokens = min(float(self.capacity), self._tokens + grown)
        self._filled_at = now


@dataclass(slots=True)
class Route:
    """One endpoint: its budget and how it is told to behave."""

    method: str
    endpoint: str
    budget: TokenBucket
    delay_ms: float = 8.0
    fail_next: int = 0
    pattern: re.Pattern[str] = field(init=False)
    bucket: str = field(init=False)

    def __post_init__(self) -> None:
        self.pattern = re.compile(re.sub(r"\{\w+\}", "[^/]+", self.endpoint))
        self.bucket = sha256(f"{self.method} {self.endpoint}".encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the platform answered.

    Attributes:
        at: RFC 3339 UTC, just before the answer was sent.
        method: HTTP method.
        endpoint: Route template, or the path when no route has it.
        status_code: HTTP status.
        retry_after_ms: Wait that a 429 demanded.
        scope: Whom a 429 binds: ``user`` or ``global``.
        bucket: Name of the route's budget.
    """

    at: str
    method: str
    endpoint: str
    status_code: int
    retry_after_ms: int | None = None
    scope: str | None = None
    bucket: str | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """A response before it is written."""

    status: int
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)

    def encode(self) -> bytes:
        """Return the response as HTTP/1.1 bytes; the connection ends with it."""
        body = json.dumps(self.body).encode()
        headers = {
            # Exactly this, without a charset: clients of Discord look for it.
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            "Connection": "close",
            **self.headers,
        }
        lines = [f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class FakePlatform:
    """The platform; ``async with FakePlatform() as platform`` serves it at ``platform.url``."""

    def __init__(self, port: int = 0) -> None:
        self._port = port
        self._everything = TokenBucket(50, per_second=50)
        self._routes = (
            Route("POST", "/channels/{channel_id}/messages", TokenBucket(20, per_second=20)),
            Route(
                "PATCH",
                "/channels/{channel_id}/messages/{message_id}",
                TokenBucket(5, per_second=2),
            ),
            Route("GET", "/guilds/{guild_id}/members/{user_id}", TokenBucket(20, per_second=20)),
        )
        self._answers: list[Answer] = []
        self._server: asyncio.Server | None = None
        self.url = ""

    async def __aenter__(self) -> Self:
        """Listen on loopback, on a free port when none was given."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    def truth(self) -> dict[str, Any]:
        """Return every answer so far, and how many of each status a route gave."""
        counts = Counter((one.method, one.endpoint, one.status_code) for one in self._answers)
        names = ("method", "endpoint", "status_code", "answers")
        return {
            "answers": [asdict(answer) for answer in self._answers],
            "counts": [
                dict(zip(names, (*key, counts[key]), strict=True)) for key in sorted(counts)
            ],
        }

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            length = re.search(r"(?i)^content-length: *(\d+)", head, re.MULTILINE)
            body = await reader.readexactly(int(length[1]) if length else 0)
            method, path, _ = head.split(" ", 2)
            writer.write((await self._reply(method, path, body)).encode())
            await writer.drain()
        writer.close()

    async def _reply(self, method: str, path: str, body: bytes) -> Reply:
        if path == "/__truth":
            return Reply(200, self.truth())
        if path == "/__behave":
            return self._behave(json.loads(body))
        route = next(
            (one for one in self._routes if one.method == method and one.pattern.fullmatch(path)),
            None,
        )
        if route is None:
            self._note(method, path, 404)
            return Reply(404, {"message": "404: Not Found", "code": 0})
        return await self._answer(route)

    def _behave(self, wish: dict[str, Any]) -> Reply:
        for route in self._routes:
            if (route.method, route.endpoint) == (wish["method"], wish["endpoint"]):
                route.delay_ms = wish.get("delay_ms", route.delay_ms)
                route.fail_next = wish.get("fail_next", route.fail_next)
                return Reply(200, {"ok": True})
        return Reply(404, {"message": "no such route", "code": 0})

    async def _answer(self, route: Route) -> Reply:
        if (wait := self._everything.take()) > 0:
            return self._refuse(route, wait, "global")
        if (wait := route.budget.take()) > 0:
            return self._refuse(route, wait, "user")
        headers = _budget_headers(route)
        await asyncio.sleep(route.delay_ms / 1_000)
        if route.fail_next > 0:
            route.fail_next -= 1
            self._note(route.method, route.endpoint, 500, bucket=route.bucket)
            return Reply(500, {"message": "500: Internal Server Error", "code": 0}, headers)
        self._note(route.method, route.endpoint, 200, bucket=route.bucket)
        return Reply(200, {"id": str(time.time_ns())}, headers)

    def _refuse(self, route: Route, wait: float, scope: str) -> Reply:
        wait_ms = ceil(wait * 1_000)
        is_global = scope == "global"
        headers = {
            **({"X-RateLimit-Global": "true"} if is_global else _budget_headers(route)),
            "X-RateLimit-Scope": scope,
            "Retry-After": str(ceil(wait)),
            # A 429 without Via comes from Cloudflare and means a ban, as discord.py reads it.
            "Via": "1.1 fake-platform",
        }
        self._note(route.method, route.endpoint, 429, wait_ms, scope, route.bucket)
        body = {"message": "You are being rate limited.", "retry_after": wait_ms / 1_000}
        return Reply(429, {**body, "global": is_global}, headers)

    def _note(
        self,
        method: str,
        endpoint: str,
        status: int,
        retry_after_ms: int | None = None,
        scope: str | None = None,
        bucket: str | None = None,
    ) -> None:
        at = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        self._answers.append(Answer(at, method, endpoint, status, retry_after_ms, scope, bucket))


def _budget_headers(route: Route) -> dict[str, str]:
    reset_after = route.budget.reset_after
    return {
        "X-RateLimit-Limit": str(route.budget.capacity),
        "X-RateLimit-Remaining": str(route.budget.remaining),
        "X-RateLimit-Reset": f"{time.time() + reset_after:.3f}",
        "X-RateLimit-Reset-After": f"{reset_after:.3f}",
        "X-RateLimit-Bucket": route.bucket,
    }


async def _serve_for_ever(port: int) -> None:
    async with FakePlatform(port) as platform:
        print(platform.url, flush=True)
        await asyncio.Event().wait()


def main() -> None:
    """Serve until stopped; the address goes to stdout."""
    parser = argparse.ArgumentParser(description="A fake chat platform with real rate limits.")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1 (default: free)")
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve_for_ever(parser.parse_args().port))


if __name__ == "__main__":
    main()
