"""What the three endpoints answer, whoever serves them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from logkit.encoding import encode
from logkit.health.registry import readiness
from logkit.loops import loops

UNRESPONSIVE_S = 10.0
"""Seconds without an answer of a watched event loop after which ``/healthz`` says 503."""

MISSING_EXTRA = "metrics need an extra: pip install 'botlogkit[metrics]'\n"

_PATHS = ("/metrics", "/healthz", "/readyz")


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer."""

    status: int
    content_type: str
    body: bytes


def safe_answer(path: str, accept: str = "") -> Answer:
    """Return the answer to a GET request of *path*, with the ``Accept`` header it came with.

    It never raises: what a collector of the bot's own raises becomes a 500 with the error's name.
    """
    try:
        return _answer(path, accept)
    except Exception as error:  # noqa: BLE001 - the edge between the bot and its watchers
        return _text(500, f"{type(error).__name__}\n")


def _answer(path: str, accept: str) -> Answer:
    if path == "/metrics":
        return _metrics(accept)
    if path == "/healthz":
        return _health()
    if path == "/readyz":
        return _readiness()
    return _text(404, f"there are: {', '.join(_PATHS)}\n")


def _metrics(accept: str) -> Answer:
    try:
        from logkit.exporters import multiprocess, prometheus
    except ImportError:
        return _text(501, MISSING_EXTRA)
    folder = multiprocess.folder()
    others = None if folder is None else multiprocess.merged(folder)
    body, content_type = prometheus.exposition(accept, others)
    return Answer(200, content_type, body)


def _health() -> Answer:
    delay_s = loops.delay_s()
    is_alive = delay_s < UNRESPONSIVE_S
    told = {"status": "ok" if is_alive else "unresponsive", "loop_lag_ms": round(delay_s * 1_000)}
    return _json(200 if is_alive else 503, told)


def _readiness() -> Answer:
    is_ready, checks = readiness()
    told = {"status": "ready" if is_ready else "not_ready", "checks": checks}
    return _json(200 if is_ready else 503, told)


def _text(status: int, text: str) -> Answer:
    return Answer(status, "text/plain; charset=utf-8", text.encode())


def _json(status: int, told: dict[str, Any]) -> Answer:
    return Answer(status, "application/json", encode(told) + b"\n")
