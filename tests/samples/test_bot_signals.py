"""The example bot with signals on: what its operator sees while it runs, hangs and leaks.

The commands are those at the end of the page about signals, with a shorter run.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import socket
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "how-to" / "signals.md").read_text()
START, ASK, LOOK = re.findall(r"^\$ (.*)", PAGE.partition("## See it")[2], re.MULTILINE)
BLOCK_S, LEAK_MB_PER_S = 3.0, 6.0
SHORTER = {
    "python samples/bot.py": shlex.join(
        [sys.executable, "-W", "error", str(ROOT / "samples" / "bot.py")]
    ),
    "--seconds 60": "--seconds 6",
    "--block 5": f"--block {BLOCK_S}",
    "--leak 2": f"--leak {LEAK_MB_PER_S}",
}

Asked = tuple[int, str]


@dataclass(frozen=True, slots=True)
class Run:
    """What the endpoints said before and during the block, and what was logged."""

    before: dict[str, Asked]
    blocked: dict[str, Asked]
    log: Path

    def events(self, name: str) -> list[dict[str, Any]]:
        """Return the events of that name."""
        lines = map(json.loads, self.log.read_text().splitlines())
        return [event for event in lines if event["event"] == name]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Run the bot once, with an event loop that stops and memory that leaks."""
    log = tmp_path_factory.mktemp("bot") / "bot.log"
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = START.replace("9464", str(port))
    for shown, used in SHORTER.items():
        assert shown in command
        command = command.replace(shown, used)
    with subprocess.Popen(
        shlex.split(command), cwd=log.parent, stdout=subprocess.PIPE, text=True
    ) as process:
        before = _when(port, lambda: _ask(port, "readyz")[0] == 200)
        blocked = _when(port, lambda: "block_the_event_loop" in log.read_text())
        process.communicate(timeout=60)
    assert process.returncode == 0
    return Run(before, blocked, log)


def _when(port: int, is_time: Callable[[], bool]) -> dict[str, Asked]:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with suppress(OSError):
            if is_time():
                return {page: _ask(port, page) for page in ("metrics", "healthz", "readyz")}
        time.sleep(0.02)
    raise AssertionError("it never came to that")


def _ask(port: int, page: str) -> Asked:
    try:
        with urlopen(f"http://127.0.0.1:{port}/{page}", timeout=30) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as error:
        return error.code, error.read().decode()


def test_the_three_endpoints_answer(run: Run) -> None:
    """Metrics of events and of the process, a loop that is alive, a platform that is there."""
    statuses = {page: status for page, (status, _) in run.before.items()}
    assert statuses == {"metrics": 200, "healthz": 200, "readyz": 200}
    assert 'bot_events_total{event="service_started",level="info"} 1.0' in run.before["metrics"][1]
    assert 'bot_queue_limit{queue="commands"} 200.0' in run.before["metrics"][1]
    assert "process_resident_memory_bytes" in run.before["metrics"][1]
    assert json.loads(run.before["healthz"][1])["status"] == "ok"
    assert json.loads(run.before["readyz"][1])["checks"]["platform"]["status"] == "ok"


def test_the_page_asks_where_it_serves() -> None:
    """The address that the page shows is one of the three, at the port of its bot."""
    port = re.search(r"--signals-port (\d+)", START)
    assert port is not None
    assert f"curl -s localhost:{port[1]}/readyz" == ASK


def test_they_answer_while_the_event_loop_is_blocked(run: Run) -> None:
    """All three come from a thread of their own, and alive tells the delay."""
    statuses = {page: status for page, (status, _) in run.blocked.items()}
    assert statuses == {"metrics": 200, "healthz": 200, "readyz": 200}
    assert json.loads(run.blocked["healthz"][1])["loop_lag_ms"] > 0


def test_the_block_is_an_event_with_its_stack(run: Run) -> None:
    """It is told while it lasts, with the line that blocks, and its length when it is over."""
    # A busy machine may hold up the loop for a moment, too.
    (blocked,) = (
        event
        for event in run.events("event_loop_blocked")
        if event["error_stack"].endswith(" block_the_event_loop")
    )
    resumed = max(run.events("event_loop_resumed"), key=lambda event: event["loop_lag_ms"])
    assert resumed["loop_lag_ms"] > (BLOCK_S - 1) * 1_000
    assert blocked["timestamp"] < resumed["timestamp"]


def test_the_leak_shows_in_memory_growth(run: Run) -> None:
    """The canned query gives the slope of the memory that the bot loses."""
    tools = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        ["sh", "-c", LOOK],
        cwd=run.log.parent,
        env={**os.environ, "PATH": tools, "LOGKIT_FORMAT": "json"},
        check=True,
        capture_output=True,
        text=True,
    )
    (row,) = json.loads(done.stdout)
    lost = LEAK_MB_PER_S * 1e6 * 3_600
    assert 0.2 * lost < row["slope_bytes_per_hour"] < 2 * lost
    assert row["r2"] > 0.7
    assert row["limit_bytes"] > row["last_bytes"]
