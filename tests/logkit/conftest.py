from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import orjson
import pytest
import structlog

import logkit
from logkit import config, logger
from logkit.pipeline import pipeline
from logkit.tracing import tracing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(scope="session")
def ring_dir() -> Iterator[Path]:
    """Return a directory in shared memory for the rings of this worker's tests alone.

    Recovery serves whole directories, so one worker's tests would get in another's way.
    """
    shared_memory = "/dev/shm" if sys.platform == "linux" else None
    with TemporaryDirectory(prefix="logkit-tests-", dir=shared_memory) as directory:
        yield Path(directory)


@pytest.fixture(autouse=True)
def _own_configuration(monkeypatch: pytest.MonkeyPatch, ring_dir: Path) -> Iterator[None]:
    """Give each test an unconfigured process and leave none of its configuration behind."""
    for name in [name for name in os.environ if name.startswith("LOGKIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("LOGKIT_RING_DIR", str(ring_dir))
    root = logging.getLogger()
    parts, active, gates = dict(vars(pipeline)), config._active, config._gates
    handlers, level = list(root.handlers), root.level
    yield
    config._gates.close()
    tracing.stop()
    pipeline.sink.close()
    vars(pipeline).update(parts)
    pipeline.processors.clear()
    config._active, config._gates = active, gates
    logger.set_threshold("info")
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


@pytest.fixture
def log_path(tmp_path: Path) -> Path:
    """Return a path for a log file."""
    return tmp_path / "bot.log"


@pytest.fixture
def events(log_path: Path) -> Callable[[], list[dict[str, Any]]]:
    """Configure service ``bot`` with a log file; return a function that reads its events."""
    logkit.configure("bot", path=log_path, level="debug")

    def read() -> list[dict[str, Any]]:
        assert logkit.flush()
        return [orjson.loads(line) for line in log_path.read_bytes().splitlines()]

    return read
