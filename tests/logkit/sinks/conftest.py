from __future__ import annotations

import gzip
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import orjson
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Start = Callable[..., subprocess.Popen[bytes]]

PRELUDE = """
import logkit, os, signal, sys, time
path = sys.argv[1]
logkit.configure("bot", **{{"path": path, **{settings}}})
log = logkit.get_logger("bot")
"""


@pytest.fixture
def start_bot(log_path: Path) -> Iterator[Start]:
    """Return a function that starts a bot: code that finds ``log``, logging to ``log_path``."""
    started: list[subprocess.Popen[bytes]] = []

    def start(code: str, *arguments: str, **settings: Any) -> subprocess.Popen[bytes]:
        text = PRELUDE.format(settings=settings) + code
        bot = subprocess.Popen(
            [sys.executable, "-c", text, str(log_path), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        started.append(bot)
        return bot

    yield start
    for bot in started:
        bot.kill()
        bot.communicate()


@pytest.fixture
def read_lines(log_path: Path) -> Callable[[], list[bytes]]:
    """Return a function that reads every line of the log file and its backups."""

    def read() -> list[bytes]:
        files = [log_path, *log_path.parent.glob(f"{log_path.name}.[0-9]*")]
        contents = [
            gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
            for file in files
        ]
        return [line for content in contents for line in content.splitlines()]

    return read


@pytest.fixture
def read_events(read_lines: Callable[[], list[bytes]]) -> Callable[[], list[dict[str, Any]]]:
    """Return a function that parses every line of the log file and its backups."""
    return lambda: [orjson.loads(line) for line in read_lines()]
