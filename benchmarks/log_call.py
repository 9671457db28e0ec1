"""What a log call costs its caller, against python-json-logger with orjson."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from pythonjsonlogger.orjson import OrjsonFormatter

import logkit
from benchmarks.figures import Figure, compare

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_FIELDS = {
    "endpoint": "/channels/{channel_id}/messages",
    "method": "POST",
    "status_code": 200,
    "duration_ms": 93.4,
    "guild_id": "81384788765712384",
}
_FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"


def measure(folder: Path, scale: float) -> list[Figure]:
    """Return the figure of a log call that is written to a file in *folder*."""
    calls = max(1, int(20_000 * scale))
    logkit.configure("benchmark", path=folder / "logkit.log")
    log = logkit.get_logger("benchmark")
    handler = logging.FileHandler(folder / "peer.log")
    handler.setFormatter(OrjsonFormatter(_FORMAT))
    peer = logging.getLogger("peer")
    peer.propagate = False
    peer.addHandler(handler)
    ours, theirs = compare(
        lambda: _per_call_us(lambda: log.info("api_call", **_FIELDS), calls),
        lambda: _per_call_us(lambda: peer.info("api_call", extra=_FIELDS), calls),
    )
    handler.close()
    logkit.flush()
    what = f"log call with five fields to a file, {calls:,} calls, CPU of the caller"
    return [Figure(what, "us", ours, "python-json-logger + orjson", theirs)]


def _per_call_us(call: Callable[[], object], calls: int) -> float:
    started = time.thread_time_ns()
    for _ in range(calls):
        call()
    return (time.thread_time_ns() - started) / 1e3 / calls
