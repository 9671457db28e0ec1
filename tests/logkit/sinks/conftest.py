from __future__ import annotations

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
def read_events(log_path: Path) -> Callable[[], list[dict[str, Any]]]:
    """Return a function that parses every line of the log file and its plain backups."""

    def read() -> list[dict[str, Any]]:
        files = [log_path, *log_path.parent.glob(f"{log_path.name}.[0-9]*")]
        return [orjson.loads(line) for file in files for line in file.read_bytes().splitlines()]

    return read
