"""What a dead bot has left is redacted before it is written, or not written."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "correct-horse-battery"
BOT = """
import logkit, os, sys
folder = sys.argv[1]
logkit.configure("bot", path=folder + "/bot.log", ring_dir=folder + "/rings")
os.rename(folder + "/bot.log", folder + "/moved.log")
os.mkdir(folder + "/bot.log")  # from now on nothing can be written
log = logkit.get_logger("bot")
log.info("started", text=os.environ["MY_TOKEN"], more="ghp_" + "aB3" * 12)
os._exit(9)
"""


def leave_a_ring(folder: Path) -> None:
    """Let a bot die with an event that is not written."""
    environment = {**os.environ, "MY_TOKEN": SECRET}
    command = [sys.executable, "-c", BOT, str(folder)]
    assert subprocess.run(command, env=environment, check=False).returncode == 9
    (folder / "bot.log").rmdir()


def recover(folder: Path, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "logkit", "recover", "--ring-dir", str(folder / "rings")]
    return subprocess.run(
        [*command, *options],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_recovery_redacts_with_the_bots_environment(tmp_path: Path) -> None:
    """The command writes the events as the bot would have written them."""
    leave_a_ring(tmp_path)
    assert recover(tmp_path, MY_TOKEN=SECRET).returncode == 0
    event = orjson.loads((tmp_path / "bot.log").read_bytes())
    assert event["text"] == "[redacted]***********"
    assert event["more"].startswith("[redacted]")


def test_recovery_without_the_bots_environment_is_refused(tmp_path: Path) -> None:
    """It names what it lacks and keeps the events, unless shapes are said to be enough."""
    leave_a_ring(tmp_path)
    refused = recover(tmp_path)
    assert refused.returncode == 1
    assert "MY_TOKEN" in refused.stderr
    assert "--shapes-only" in refused.stderr
    assert not (tmp_path / "bot.log").exists()
    assert recover(tmp_path, "--shapes-only").returncode == 0
    event = orjson.loads((tmp_path / "bot.log").read_bytes())
    assert event["text"] == SECRET
    assert event["more"].startswith("[redacted]")
