"""What a log call costs its caller, against the libraries that bots use today."""

from __future__ import annotations

import logging
import tempfile
import time
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import orjson
import structlog
from loguru import logger as loguru_logger
from pythonjsonlogger.orjson import OrjsonFormatter

import logkit
from benchmarks.figures import Figure

if TYPE_CHECKING:
    from collections.abc import Callable

    Call = Callable[[], object]

_ROUNDS = 15
_CALLS = 2_000
_FIELDS: dict[str, Any] = {
    "endpoint": "/channels/{channel_id}/messages",
    "method": "POST",
    "status_code": 200,
    "duration_ms": 93.4,
    "attempt": 0,
    "guild_id": "81384788765712384",
    "channel_id": "381870553235193857",
    "user_id": "80351110224678912",
    "rate_limit_remaining": 4,
    "rate_limit_bucket": "abcd1234",
}
_FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"
_PEER, _RAW = "python-json-logger + orjson", "orjson, write, flush"
_STRUCTLOG, _LOGURU = "structlog, its fast configuration", "loguru, serialize"
_STRUCTLOG_OFF, _PEER_EXCEPTION = "structlog's filtering logger", f"{_PEER}, with its traceback"


_ALL_ON = "own, with flood limit, tail sampling, secrets and stats"
_SETTINGS: dict[str, dict[str, Any]] = {
    _ALL_ON: {"flood_limit": 10_000_000, "tail_debug": True, "stats_interval_s": 1}
}

_COMPARISONS = (
    ("event, own API", "own", _PEER, 0.25),
    ("event, own API", "own", _RAW, 1.0),
    ("event, own API", "own", _LOGURU, None),
    ("event, all features on", _ALL_ON, _PEER, 0.4),
    ("event, structlog's API", "structlog", _STRUCTLOG, 0.75),
    ("event, logging's API", "stdlib", _PEER, 1.05),
    ("event, logging's API", "stdlib", _STRUCTLOG, None),
    ("call that is switched off", "off", _STRUCTLOG_OFF, 1.0),
    ("event with an exception (aim: at most 15 us)", "exception", _PEER_EXCEPTION, None),
)
"""What is measured, ours, peer, and the ratio aimed at."""


def measure(folder: Path, scale: float) -> list[Figure]:
    """Return the figures of log calls that are written to files in *folder*."""
    logkit.register_secret("a-secret-that-is-in-no-event")
    calls = {**_ours(), **_peers(folder)}
    costs = _in_turns(calls, max(1, int(_CALLS * scale)), folder / "logkit.log")
    return [
        Figure(f"{what}, CPU of the caller", "us", costs[ours], peer, costs[peer], target)
        for what, ours, peer, target in _COMPARISONS
    ]


def _ours() -> dict[str, Call]:
    own = logkit.get_logger("benchmark")
    through_structlog, through_logging = structlog.get_logger("benchmark"), logging.getLogger("b")

    return {
        "own": lambda: own.info("api_call", **_FIELDS),
        _ALL_ON: lambda: own.info("api_call", **_FIELDS),
        "structlog": lambda: through_structlog.info("api_call", **_FIELDS),
        "stdlib": lambda: through_logging.info("api_call", extra=_FIELDS),
        "off": lambda: own.debug("api_call", **_FIELDS),
        "exception": lambda: _fail(lambda: own.exception("api_call_failed", **_FIELDS)),
    }


def _peers(folder: Path) -> dict[str, Call]:
    peer = _python_json_logger(folder / "peer.log")
    fast = _structlog_fast(folder / "structlog.log")
    loguru_logger.remove()
    loguru_logger.add(folder / "loguru.log", serialize=True)
    bound = loguru_logger.bind(**_FIELDS)
    file = (folder / "raw.log").open("ab")

    def write_raw() -> None:
        envelope = {"timestamp": datetime.now(UTC), "level": "info", "service": "benchmark"}
        event = {**envelope, "event": "api_call", **_FIELDS}
        file.write(orjson.dumps(event, option=orjson.OPT_UTC_Z) + b"\n")
        file.flush()

    return {
        _PEER: lambda: peer.info("api_call", extra=_FIELDS),
        _PEER_EXCEPTION: lambda: _fail(lambda: peer.exception("failed", extra=_FIELDS)),
        _STRUCTLOG: lambda: fast.info("api_call", **_FIELDS),
        _STRUCTLOG_OFF: lambda: fast.debug("api_call", **_FIELDS),
        _LOGURU: lambda: bound.info("api_call"),
        _RAW: write_raw,
    }


def _python_json_logger(path: Path) -> logging.Logger:
    handler = logging.FileHandler(path)
    handler.setFormatter(OrjsonFormatter(_FORMAT, static_fields={"service": "benchmark"}))
    logger = logging.getLogger("peer")
    logger.propagate = False
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    return logger


def _structlog_fast(path: Path) -> Any:
    """Return the logger of the section "Performance" of structlog's documentation."""
    return structlog.wrap_logger(
        structlog.BytesLogger(path.open("ab")),
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=True,
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(serializer=orjson.dumps),
        ],
    ).bind(service="benchmark")


def _fail(log: Call) -> None:
    """Let an exception rise through three functions, and *log* it."""

    def outer() -> None:
        inner()

    def inner() -> None:
        raise ValueError("no such channel")

    try:
        outer()
    except ValueError:
        log()


def _in_turns(calls: dict[str, Call], count: int, path: Path) -> dict[str, float]:
    """Return the median microseconds of CPU that one call costs its thread.

    Ours are written to *path*. All take their turns in each round, so that a busy moment of the
    machine hits all of them.
    """
    costs: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(_ROUNDS):
        for name, call in calls.items():
            logkit.configure("benchmark", path=path, **_SETTINGS.get(name, {}))
            # Tail sampling looks at events that have a correlation.
            with logkit.correlation("command-7") if name == _ALL_ON else nullcontext():
                costs[name].append(_per_call_us(call, count))
            # A ring that overflows would make the next calls cheaper than they are.
            logkit.flush()
    return {name: median(values) for name, values in costs.items()}


def _per_call_us(call: Call, count: int) -> float:
    started = time.thread_time_ns()
    for _ in range(count):
        call()
    return (time.thread_time_ns() - started) / 1e3 / count


def main() -> None:
    """Measure at full size and print each figure with its aim."""
    with tempfile.TemporaryDirectory() as folder:
        for figure in measure(Path(folder), 1.0):
            print(figure)


if __name__ == "__main__":
    main()
