"""One attempt of a call, from its start to the one event about it."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Hashable, MutableMapping
from contextlib import suppress
from contextvars import ContextVar, copy_context
from dataclasses import dataclass
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any

from logkit import rate_limits
from logkit.context import bound_fields
from logkit.endpoints import endpoint_of
from logkit.exceptions import message_of, type_name
from logkit.instrumentation.attempts import Attempts
from logkit.logger import Logger
from logkit.propagation import write_headers
from logkit.rate_limits import RateLimit
from logkit.rate_limits.platforms import platform_of_host
from logkit.spans import current_trace, start, tracer

if TYPE_CHECKING:
    from logkit.instrumentation.hooks import Hooks

MAX_BODY_BYTES = 65_536
"""How much of an error's body is kept to be read for limits."""

_MARK_BYTES = 4_096
_PROVIDERS = frozenset({"openai", "azure_openai", "anthropic", "gemini", "groq", "openrouter"})
_RETRIED_STATUSES = frozenset({408, 425, 429})

current_call: ContextVar[Call | None] = ContextVar("logkit_current_call", default=None)
"""The attempt that is being made; a library that uses another one makes one event, not two."""

Decode = Callable[[bytes], bytes]

_attempts = Attempts()
_log = Logger("logkit.http")


@dataclass(frozen=True, slots=True)
class Request:
    """What is known of a request before it is sent.

    Attributes:
        method: HTTP method in capitals.
        host: Host name.
        path: Path, as it is sent.
        body: What tells two requests to one URL apart, or ``None``.
        attempt: Number of the attempt where the library tells it.
    """

    method: str
    host: str
    path: str
    body: str | bytes | None = None
    attempt: int | None = None


class Call:
    """One attempt, a span. ``finish`` logs it, once, inside the context in which it began.

    No method raises. A call that nobody finishes (a response that is neither read nor closed) is
    logged when it is thrown away.
    """

    is_finished = True

    def __init__(self, request: Request) -> None:
        self._request = request
        self._endpoint = endpoint_of(request.host, request.path)
        self._name = f"{request.method} {self._endpoint}"
        self._outer, flags = current_trace()
        self._ids, self._recording = start(self._name, "client", self._outer)
        self._flags = flags if self._recording is None else self._recording.flags
        self._started_ns = perf_counter_ns()
        self._context = copy_context()
        self._lock = threading.Lock()
        self._body = bytearray()
        self._headers: Any = None
        self._status: int | None = None
        # Calls that failed are remembered; their bodies must not be.
        self._key = hash((request.method, request.host, request.path, _mark(request.body), _who()))
        told = request.attempt
        self._attempt = _attempts.next(self._key) if told is None else told
        self.is_finished = False

    def inject(self, headers: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        """Write the correlation and this attempt's span into *headers*, and return it."""
        with suppress(Exception):  # headers of the bot's own making
            write_headers(headers, {**self._outer, **self._ids}, self._flags)
        return headers

    def answered(self, status: int, headers: Any) -> None:
        """Note status and headers of the answer."""
        self._status, self._headers = status, headers

    @property
    def wants_body(self) -> bool:
        """Whether the answer is an error, whose body may tell a wait."""
        return self._status is not None and self._status >= 400

    def received(self, chunk: bytes) -> None:
        """Keep a piece of the body if it is wanted."""
        if self.wants_body and len(self._body) < MAX_BODY_BYTES:
            self._body += chunk

    def finish(
        self,
        error: BaseException | None = None,
        *,
        body: bytes | None = None,
        decode: Decode = bytes,
    ) -> None:
        """Log the attempt, unless that has been done.

        Args:
            error: What the library raised.
            body: The whole body, where the pieces were not given.
            decode: Undoes the content encoding of the pieces.
        """
        with self._lock:
            if self.is_finished:
                return
            self.is_finished = True
        # The call is the bot's, and goes on whatever becomes of the record.
        with suppress(Exception):
            self._context.run(self._log, error, body, decode)

    def __del__(self) -> None:
        if not self.is_finished:
            self.finish()

    def _log(self, error: BaseException | None, body: bytes | None, decode: Decode) -> None:
        is_failed = error is not None or self.wants_body
        is_logged = is_failed or _log.is_enabled_for(logging.INFO)
        if not is_logged and self._recording is None:
            return
        status = self._status
        if error is not None and not self.wants_body:
            status = None  # it began to answer, but the answer never came
        limits = self._limits(status, body, decode)
        duration_ms = round((perf_counter_ns() - self._started_ns) / 1e6, 3)
        fields = {
            "method": self._request.method,
            "endpoint": self._endpoint,
            "server": self._request.host,
            "status_code": status,
            "duration_ms": duration_ms,
            "attempt": self._attempt,
            **_names(limits.platform),
            **_limit_fields(limits),
            **_error_fields(error),
            **self._ids,
        }
        known = {name: value for name, value in fields.items() if value is not None}
        if self._recording is not None:
            self._recording.end(self._name, {**bound_fields.get(), **known}, error)
        if is_logged:
            level, event = _level(status, error), "api_call_failed" if is_failed else "api_call"
            getattr(_log, level)(event, **known)
        may_be_retried = isinstance(error, Exception) or _is_retried(status)
        _attempts.record(self._key, self._attempt, may_be_retried=may_be_retried)

    def _limits(self, status: int | None, body: bytes | None, decode: Decode) -> RateLimit:
        if status is None:
            return RateLimit(platform=platform_of_host(self._request.host).name)
        if body is None and self._body:
            try:
                body = decode(bytes(self._body))
            except Exception:  # noqa: BLE001 - a body cut short, or of a coding nobody can undo
                body = None
        return rate_limits.parse(
            host=self._request.host, status=status, headers=self._headers, body=body
        )


def begin(hooks: Hooks, describe: Callable[[], Request]) -> Call | None:
    """Return a new attempt, or ``None`` inside another one and where the request is unreadable."""
    if not hooks.is_active:
        return None
    outer = current_call.get()
    if outer is not None and not outer.is_finished:
        return None
    if tracer.recorder is not None and tracer.recorder.is_suppressed():
        return None
    try:
        return Call(describe())
    except Exception:  # noqa: BLE001 - the call goes on, with or without a record
        return None


def _mark(body: object) -> Hashable:
    if not isinstance(body, str | bytes):
        return None
    return len(body), body[:_MARK_BYTES], body[-_MARK_BYTES:]


def _who() -> Hashable:
    correlation_id = bound_fields.get().get("correlation_id")
    if correlation_id is not None:
        return str(correlation_id)
    try:
        return id(asyncio.current_task())
    except RuntimeError:
        return threading.get_ident()


def _names(platform: str) -> dict[str, str]:
    if platform == "generic":
        return {}
    return {"provider" if platform in _PROVIDERS else "platform": platform}


def _limit_fields(limits: RateLimit) -> dict[str, Any]:
    fields = limits.fields()
    if limits.kind == "none":
        del fields["rate_limit_kind"]
    return fields


def _error_fields(error: BaseException | None) -> dict[str, Any]:
    if error is None:
        return {}
    name = type_name(error)
    is_timeout = isinstance(error, TimeoutError) or "Timeout" in name
    return {"error_type": "timeout" if is_timeout else name, "error_message": message_of(error)}


def _level(status: int | None, error: BaseException | None) -> str:
    if status is None:
        return "error" if isinstance(error, Exception) else "warning"
    if status >= 400:
        return "error" if status >= 500 else "warning"
    return "info"


def _is_retried(status: int | None) -> bool:
    return status is not None and (status >= 500 or status in _RETRIED_STATUSES)
