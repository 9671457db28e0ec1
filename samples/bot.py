"""An example bot that logs through logkit: ``python samples/bot.py --seconds 10 --log bot.log``.

Simulated users send commands, a queue hands them to workers, workers call a chat platform's API
(a fake one on loopback unless ``--api`` names another). In the middle of its life the bot stops
waiting for ``retry_after``, as bots do, and the platform answers with a storm of 429s.

``--signals-port 9464`` serves metrics and health; ``--block 5`` stops the event loop for 5 s in the
middle of the run and ``--leak 2`` loses 2 MB of memory a second, so that both can be looked at.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlsplit

from fake_platform import FakePlatform

import logkit

log = logkit.get_logger("bot")

SEND = ("POST", "/channels/{channel_id}/messages")
EDIT = ("PATCH", "/channels/{channel_id}/messages/{message_id}")
MEMBER = ("GET", "/guilds/{guild_id}/members/{user_id}")
COMMANDS = {"say": (SEND,), "rank": (MEMBER, SEND), "poll": (SEND, EDIT)}
COMMAND_WEIGHTS = (1, 1, 2)

WORKERS = 6
MAX_ATTEMPTS = 6
HASTY_WAIT_S = 0.05


class ApiError(Exception):
    """The API failed, or refused a call as often as the bot was willing to try."""


@dataclass(frozen=True, slots=True)
class Phase:
    """A part of the bot's life.

    Attributes:
        share: Where it ends, as a share of the whole run.
        commands_per_second: How busy the users are.
        obeys: Whether the bot waits for ``retry_after``.
        send_delay_ms: How slowly the platform answers ``SEND``.
        send_failures: How many of those answers are 500.
    """

    share: float
    commands_per_second: float
    obeys: bool
    send_delay_ms: float
    send_failures: int = 0


PHASES = (Phase(0.3, 4, True, 8), Phase(0.7, 24, False, 250, 3), Phase(1.0, 4, True, 8))


@dataclass(frozen=True, slots=True)
class Message:
    """One command of a user, on its way through the queue."""

    correlation_id: str
    command: str
    user_id: str
    received_at: float = field(default_factory=time.perf_counter)


@dataclass(frozen=True, slots=True)
class Response:
    """What came back from the API; header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: dict[str, Any]


async def request(url: str, method: str, path: str, body: object = None) -> Response:
    """Make one HTTP request on a connection of its own.

    Raises:
        OSError: The API cannot be reached.
    """
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port or 80)
    payload = b"" if body is None else json.dumps(body).encode()
    head = f"{method} {path} HTTP/1.1\r\nHost: {address.netloc}\r\nConnection: close\r\n"
    writer.write(f"{head}Content-Length: {len(payload)}\r\n\r\n".encode() + payload)
    raw_head, _, raw_body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    if not raw_head:
        raise ConnectionResetError("no answer")
    status, *lines = raw_head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    return Response(int(status.split()[1]), headers, json.loads(raw_body))


def rate_limit_fields(response: Response) -> dict[str, Any]:
    """Return the event fields that Discord's headers and 429 body carry."""
    headers, fields = response.headers, dict[str, Any]()
    if "x-ratelimit-limit" in headers:
        fields["rate_limit_limit"] = int(headers["x-ratelimit-limit"])
        fields["rate_limit_remaining"] = int(headers["x-ratelimit-remaining"])
        reset_after_s = float(headers["x-ratelimit-reset-after"])
        fields["rate_limit_reset_after_ms"] = ceil(reset_after_s * 1_000)
        fields["rate_limit_bucket"] = headers["x-ratelimit-bucket"]
    if response.status == 429:
        # The header has whole seconds, the body is exact.
        fields["retry_after_ms"] = round(response.body["retry_after"] * 1_000)
        fields["rate_limit_scope"] = headers["x-ratelimit-scope"]
        fields["rate_limit_kind"] = "rate_limited"
    return fields


@dataclass(frozen=True, slots=True)
class Troubles:
    """What is wrong with the bot on request.

    Attributes:
        block_s: Seconds for which its event loop is stopped once; 0 for never.
        leak_mb_per_s: Megabytes that it loses each second.
    """

    block_s: float = 0
    leak_mb_per_s: float = 0

    async def block(self, after_s: float) -> None:
        """Do what no coroutine may: wait without letting the others go on."""
        await asyncio.sleep(after_s)
        block_the_event_loop(self.block_s)

    async def leak(self) -> None:
        """Keep ever more memory."""
        lost: list[bytes] = []
        while self.leak_mb_per_s:
            lost.append(b"x" * int(self.leak_mb_per_s * 100_000))
            await asyncio.sleep(0.1)


def block_the_event_loop(seconds: float) -> None:
    """Sleep as code sleeps that knows of no event loop."""
    time.sleep(seconds)


class Bot:
    """Takes commands from simulated users and answers them through the API."""

    def __init__(self, url: str, seconds: float, rng: Random, troubles: Troubles) -> None:
        self._url = url
        self._seconds = seconds
        self._troubles = troubles
        self._rng = rng
        self._queue: asyncio.Queue[Message] = asyncio.Queue(maxsize=200)
        self._phase = PHASES[0]

    async def run(self) -> None:
        """Live through all phases, then answer what is still in the queue."""
        address = urlsplit(self._url)
        is_reachable = logkit.health.tcp(address.hostname or "", address.port or 80)
        logkit.health.check("platform", is_reachable)
        logkit.queues.watch("commands", self._queue, interval_s=0.25)
        with suppress(logkit.MissingExtraError):
            logkit.resources.start(interval_s=0.5)
        async with asyncio.TaskGroup() as tasks:
            helpers = [tasks.create_task(self._work()) for _ in range(WORKERS)]
            helpers.append(tasks.create_task(self._troubles.leak()))
            helpers.append(tasks.create_task(self._troubles.block(after_s=self._seconds / 2)))
            begun_at = time.perf_counter()
            for phase in PHASES:
                await self._live(phase, begun_at + phase.share * self._seconds)
            await self._queue.join()
            for helper in helpers:
                helper.cancel()

    async def _live(self, phase: Phase, until: float) -> None:
        self._phase = phase
        behaviour = {"delay_ms": phase.send_delay_ms, "fail_next": phase.send_failures}
        route = dict(zip(("method", "endpoint"), SEND, strict=True))
        await request(self._url, "POST", "/__behave", route | behaviour)
        log.info("phase_entered", obeys_retry_after=phase.obeys)
        while time.perf_counter() < until:
            await self._receive()
            await asyncio.sleep(self._rng.expovariate(phase.commands_per_second))

    async def _receive(self) -> None:
        (command,) = self._rng.choices(list(COMMANDS), COMMAND_WEIGHTS)
        user_id = str(10**17 + self._rng.randrange(40))
        with logkit.correlation() as correlation_id:
            log.info("message_received", command=command, user_id=user_id)
        await self._queue.put(Message(correlation_id, command, user_id))

    async def _work(self) -> None:
        while True:
            message = await self._queue.get()
            with (
                logkit.correlation(message.correlation_id),
                logkit.bind(command=message.command, user_id=message.user_id),
            ):
                await self._handle(message)
            self._queue.task_done()

    async def _handle(self, message: Message) -> None:
        waited_ms = round((time.perf_counter() - message.received_at) * 1_000, 3)
        try:
            with logkit.timed("command", queue_wait_ms=waited_ms):
                for method, endpoint in COMMANDS[message.command]:
                    await self._call(method, endpoint)
        except (ApiError, OSError):
            return  # timed() has logged it; the next command may fare better

    async def _call(self, method: str, endpoint: str) -> None:
        """Call the API, again after each 429; how long it waits depends on the phase."""
        for attempt in range(MAX_ATTEMPTS):
            response = await self._attempt(method, endpoint, attempt)
            if response.status < 400:
                return
            if response.status != 429:
                raise ApiError(f"{method} {endpoint}: {response.status}")
            demanded_s = response.body["retry_after"]
            await asyncio.sleep(demanded_s if self._phase.obeys else HASTY_WAIT_S)
        raise ApiError(f"{method} {endpoint}: 429 after {MAX_ATTEMPTS} attempts")

    async def _attempt(self, method: str, endpoint: str, attempt: int) -> Response:
        fields: dict[str, Any] = {"endpoint": endpoint, "method": method, "attempt": attempt}
        fields["platform"] = "discord"
        started_at = time.perf_counter()
        try:
            response = await request(self._url, method, endpoint.translate(_NO_BRACES))
        except OSError:
            fields["duration_ms"] = _milliseconds_since(started_at)
            log.exception("api_call_failed", **fields)
            raise
        fields["duration_ms"] = _milliseconds_since(started_at)
        fields |= {"status_code": response.status, **rate_limit_fields(response)}
        if response.status < 400:
            log.info("api_call", **fields)
        else:
            log.warning("api_call_failed", **fields)
        return response


_NO_BRACES = str.maketrans("", "", "{}")


def _milliseconds_since(started_at: float) -> float:
    return round((time.perf_counter() - started_at) * 1_000, 3)


def summary(truth: dict[str, Any], log_path: Path) -> str:
    """Return one line: what the API counted, and the command that finds it in the log."""
    answers = sum(count["answers"] for count in truth["counts"])
    denied = [
        f"{count['method']} {count['endpoint']} {count['answers']}"
        for count in truth["counts"]
        if count["status_code"] == 429
    ]
    command = f"logkit ingest {log_path} && logkit query rate_limit_storms"
    return f"API: {answers} answers, 429s: {', '.join(denied) or 'none'}. Try: {command}"


async def main(options: argparse.Namespace) -> None:
    """Run the bot against the API, and print what the API did."""
    logkit.configure("example-bot", path=options.log, signals_port=options.signals_port)
    async with AsyncExitStack() as stack:
        url = options.api or (await stack.enter_async_context(FakePlatform())).url
        log.info("service_started")
        troubles = Troubles(options.block, options.leak)
        await Bot(url, options.seconds, Random(options.seed), troubles).run()
        log.info("service_stopped")
        truth = (await request(url, "GET", "/__truth")).body
    logkit.flush()
    print(summary(truth, options.log))


def parse_options() -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(description="An example bot that logs through logkit.")
    parser.add_argument("--seconds", type=float, default=10, help="how long (default 10)")
    parser.add_argument("--log", type=Path, default=Path("bot.log"), help="file for the events")
    parser.add_argument("--api", help="address of a running fake_platform.py (default: its own)")
    parser.add_argument("--seed", type=int, default=7, help="seed of the users' wishes")
    parser.add_argument("--signals-port", type=int, help="serve metrics and health on this port")
    parser.add_argument("--block", type=float, default=0, help="seconds the event loop is stopped")
    parser.add_argument("--leak", type=float, default=0, help="megabytes lost a second")
    return parser.parse_args()


if __name__ == "__main__":
    asyncio.run(main(parse_options()))
