"""Users' commands: received by the gateway, queued, handled by the worker's two tasks."""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heapify, heapreplace
from math import log, pi, sin
from typing import TYPE_CHECKING, Any

from logkit_analysis.demo import cast
from logkit_analysis.demo.timeline import HOUR, MINUTE, SECOND

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from logkit_analysis.demo.tape import Tape
    from logkit_analysis.demo.timeline import Timeline

DEGRADED_MEDIAN_MS = 3_800.0
"""Median latency of ``cast.SEND`` while it is degraded."""

_COMMANDS_PER_SECOND = 0.45
_WORKER_TASKS = 2
_TIMEOUT_MS = 10_000
_BAD_STATUS = {500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Unavailable"}


@dataclass(frozen=True, slots=True)
class Command:
    """One command of one user on its way through the services."""

    name: str
    user: cast.User
    queued_at: float
    correlation_id: str
    trace_id: str
    gateway_span: str

    def fields(self) -> dict[str, Any]:
        """Return what every event of this command carries."""
        return {
            "correlation_id": self.correlation_id,
            "trace_id": self.trace_id,
            "command": self.name,
            "user_id": self.user.user_id,
        }


@dataclass(frozen=True, slots=True)
class Wait:
    """How long a command stood in the queue, in milliseconds since 1970."""

    queued_at: float
    taken_at: float


def receive_commands(timeline: Timeline, gateway: Tape, rng: Random) -> list[Command]:
    """Log what the gateway does with each arriving command; return them in queue order."""
    users = cast.draw_users(400, rng)
    activity = [1 / rank for rank in range(4, len(users) + 4)]
    names = list(cast.COMMANDS)
    commands = []
    for arrived_at in _arrivals(timeline, rng):
        if not gateway.is_running(arrived_at) or not gateway.is_running(arrived_at + SECOND):
            continue
        name = rng.choices(names, cast.COMMAND_WEIGHTS)[0]
        user = rng.choices(users, activity)[0]
        commands.append(_receive(gateway, name, user, arrived_at, rng))
    return sorted(commands, key=lambda command: command.queued_at)


def _arrivals(timeline: Timeline, rng: Random) -> Iterator[float]:
    window = timeline.window
    noise = [rng.lognormvariate(0, 0.12) for _ in range((window.end - window.start) // MINUTE + 1)]
    at = window.start + rng.uniform(1, SECOND)
    while at < window.end - MINUTE:
        yield at
        daily = 1 + 0.2 * sin(2 * pi * (at / HOUR - 8) / 24)
        minute = int(at - window.start) // MINUTE
        at += rng.expovariate(_COMMANDS_PER_SECOND / SECOND * daily * noise[minute])


def _receive(gateway: Tape, name: str, user: cast.User, at: float, rng: Random) -> Command:
    duration = min(latency(cast.CALLBACK.median_ms, cast.CALLBACK.sigma, rng), 900)
    command = Command(name, user, at + duration, hex_id(64, rng), hex_id(128, rng), hex_id(64, rng))
    known = command.fields() | {"span_id": command.gateway_span}
    gateway.log(at, "message_received", logger="bot.gateway", **known | user.fields(), shard_id=0)
    gateway.log(
        at + duration,
        "api_call",
        logger="bot.api",
        **known | {"span_id": hex_id(64, rng), "parent_span_id": command.gateway_span},
        **cast.CALLBACK.fields(),
        status_code=200,
        duration_ms=round(duration, 3),
        attempt=0,
    )
    return command


class Worker:
    """The worker's tasks; they take commands from the queue in order and call the APIs."""

    def __init__(self, timeline: Timeline, tape: Tape, rng: Random) -> None:
        self._timeline = timeline
        self._tape = tape
        self._rng = rng
        self._free_at = [float(timeline.window.start)] * _WORKER_TASKS
        heapify(self._free_at)

    def handle(self, commands: list[Command]) -> list[Wait]:
        """Log the handling of *commands*; return how long each one waited."""
        return [self._take(command) for command in commands]

    def _take(self, command: Command) -> Wait:
        deploy = self._timeline.deploy
        taken_at = max(command.queued_at, self._free_at[0])
        events, ended_at = self._run(command, taken_at)
        if ended_at >= deploy.start and taken_at < deploy.end:
            # The old process gives back what it cannot finish; the new one starts over.
            taken_at = deploy.end + self._rng.uniform(50, 400)
            events, ended_at = self._run(command, taken_at)
        heapreplace(self._free_at, ended_at)
        for at, fields in events:
            self._tape.log(at, **fields)
        return Wait(command.queued_at, taken_at)

    def _run(
        self, command: Command, taken_at: float
    ) -> tuple[list[tuple[float, dict[str, Any]]], float]:
        events: list[tuple[float, dict[str, Any]]] = []
        span, now = hex_id(64, self._rng), taken_at + self._rng.uniform(1, 4)
        for endpoint in cast.COMMANDS[command.name]:
            for attempt in (0, 1):
                fields = self._call(endpoint, now)
                now += fields["duration_ms"]
                spans = {"span_id": hex_id(64, self._rng), "parent_span_id": span}
                events.append((now, fields | {"attempt": attempt} | command.fields() | spans))
                now += self._rng.uniform(1, 3)
                if fields["level"] != "error":
                    break
                now += self._rng.uniform(400, 600)
        ended = self._outcome(command, now) | {
            "logger": "bot.commands",
            **command.fields(),
            **command.user.fields(),
            "span_id": span,
            "parent_span_id": command.gateway_span,
            "duration_ms": round(now - taken_at, 3),
            "queue_wait_ms": round(taken_at - command.queued_at, 3),
        }
        return [*events, (now, ended)], now

    def _call(self, endpoint: cast.Endpoint, now: float) -> dict[str, Any]:
        """Return the fields of one attempt that starts *now*."""
        is_slow = endpoint is cast.SEND and self._timeline.degradation.holds(now)
        median = DEGRADED_MEDIAN_MS if is_slow else endpoint.median_ms
        duration = latency(median, endpoint.sigma, self._rng)
        luck = self._rng.random()
        known: dict[str, Any] = {"event": "api_call", "level": "info", "logger": "bot.api"}
        known |= endpoint.fields()
        if duration > _TIMEOUT_MS or luck < (0.04 if is_slow else 0.0006):
            return known | _timed_out(self._rng)
        known |= {"duration_ms": round(duration, 3)} | quota_fields(endpoint, self._rng)
        if luck > 0.9975:
            return known | _refused(self._rng.choice(list(_BAD_STATUS)))
        if endpoint in (cast.EDIT, cast.REACT) and luck > 0.99:
            return known | _unknown_message()
        if endpoint is cast.CHAT:
            return known | _answered(duration, self._rng)
        return known | {"status_code": 200}

    def _outcome(self, command: Command, now: float) -> dict[str, Any]:
        luck = self._rng.random()
        if command.name == "rank" and now > self._timeline.deploy.end and luck < 0.03:
            return _failed("KeyError", "'season'", "bot/rank.py:88 season_of")
        if luck > 0.997:
            return _failed("ValueError", "not a number", "bot/parse.py:41 arguments")
        return {"event": "command_handled", "level": "info", "outcome": "ok"}


def latency(median_ms: float, sigma: float, rng: Random) -> float:
    """Return a log-normal latency in milliseconds, whole to the microsecond."""
    return round(rng.lognormvariate(log(median_ms), sigma), 3)


def hex_id(bits: int, rng: Random) -> str:
    """Return an id of so many bits in hex, never all zero."""
    return f"{rng.getrandbits(bits) or 1:0{bits // 4}x}"


def quota_fields(endpoint: cast.Endpoint, rng: Random) -> dict[str, Any]:
    """Return the rate-limit fields of a call that was let through."""
    if endpoint.bucket is None:
        return {}
    return {
        "rate_limit_bucket": endpoint.bucket,
        "rate_limit_limit": endpoint.limit,
        "rate_limit_remaining": rng.randrange(endpoint.limit),
        "rate_limit_reset_after_ms": rng.randrange(1, endpoint.window_ms),
    }


def _timed_out(rng: Random) -> dict[str, Any]:
    return {
        "event": "api_call_failed",
        "level": "error",
        "duration_ms": round(_TIMEOUT_MS + rng.uniform(0.5, 6), 3),
        **cast.error_fields("timeout", "no answer within 10 s", "request"),
    }


def _refused(status: int) -> dict[str, Any]:
    text = f"{status} {_BAD_STATUS[status]}"
    error = cast.error_fields("ServerError", text, "request")
    return {"event": "api_call_failed", "level": "error", "status_code": status, **error}


def _unknown_message() -> dict[str, Any]:
    error = cast.error_fields("NotFound", "404 Not Found (10008): Unknown Message", "request")
    return {"event": "api_call_failed", "level": "warning", "status_code": 404, **error}


def _answered(ttft_ms: float, rng: Random) -> dict[str, Any]:
    asked = int(rng.lognormvariate(log(600), 0.5))
    told = int(rng.lognormvariate(log(110), 0.5)) + 1
    return {
        "event": "llm_call",
        "status_code": 200,
        "duration_ms": round(ttft_ms + 9.5 * told, 3),
        "ttft_ms": ttft_ms,
        "provider": "openai",
        "model": "gpt-4.1-mini",
        "input_tokens": asked,
        "output_tokens": told,
        "finish_reason": "stop",
        "cost_usd": round(asked * 4e-7 + told * 1.6e-6, 8),
    }


def _failed(error_type: str, message: str, frame: str) -> dict[str, Any]:
    return {
        "event": "command_failed",
        "level": "error",
        "outcome": "error",
        **cast.error_fields(error_type, message, frame.rpartition(" ")[2]),
        "error_stack": f"bot/commands.py:57 run\n{frame}",
    }
