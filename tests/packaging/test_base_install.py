"""The wheel without extras: what a bot installs."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.packaging.conftest import Environment

pytestmark = pytest.mark.timeout(600)  # the first test to come waits for the installation

BOT = """
import json, logging, sys
import logkit

logkit.configure("shop-bot", path="bot.log")
with logkit.correlation("order-7"):
    logkit.get_logger("shop").info("order_placed", guild_id="42")
    logging.getLogger("legacy").warning("stock is low")
with logkit.timed("api_call", endpoint="/orders"):
    pass
assert logkit.flush()
print(json.dumps(sorted(sys.modules)))
"""
KILLED_BOT = """
import os, signal
import logkit

logkit.configure("shop-bot", path="bot.log", ring_dir={folder!r})
for number in range(1000):
    logkit.get_logger("shop").info("tick", number=number)
os.kill(os.getpid(), signal.SIGKILL)
"""
ANALYSIS_MODULES = {"logkit_analysis", "duckdb", "typer", "rich", "pyarrow", "watchfiles", "jinja2"}


def test_a_bot_needs_three_packages(base_environment: Environment, tmp_path: Path) -> None:
    """The base install brings structlog, orjson and python-json-logger, and nothing else."""
    code = "import importlib.metadata as m; print(*{d.name for d in m.distributions()})"
    done = base_environment.run("python", "-c", code, cwd=tmp_path)
    assert set(done.stdout.split()) == {
        "botlogkit",
        "structlog",
        "orjson",
        "python-json-logger",
    }


def test_a_bot_logs_to_a_file(base_environment: Environment, tmp_path: Path) -> None:
    """structlog-style and stdlib calls reach the file; nothing of the analysis is loaded."""
    done = base_environment.run("python", "-W", "error", "-c", BOT, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert not ANALYSIS_MODULES & set(json.loads(done.stdout))
    events = [json.loads(line) for line in (tmp_path / "bot.log").read_text().splitlines()]
    seen = [(event["event"], event.get("correlation_id")) for event in events]
    assert ("order_placed", "order-7") in seen
    assert ("api_call", None) in seen
    assert {"service": "shop-bot", "correlation_id": "order-7", "logger": "legacy"}.items() <= next(
        event for event in events if event["logger"] == "legacy"
    ).items()


def test_importing_logkit_loads_none_of_its_dependencies(
    base_environment: Environment, tmp_path: Path
) -> None:
    """The import is lazy: a bot that does not log pays for nothing."""
    code = "import logkit, sys; print(*sys.modules)"
    loaded = set(base_environment.run("python", "-c", code, cwd=tmp_path).stdout.split())
    assert "logkit" in loaded
    assert not {"structlog", "orjson", "pythonjsonlogger", "logging"} & loaded


@pytest.mark.parametrize("arguments", [[], ["--help"], ["query", "error_rate"]], ids=" ".join)
def test_the_command_says_which_extra_to_install(
    base_environment: Environment, tmp_path: Path, arguments: list[str]
) -> None:
    """Without the extra, the command is one line of advice and no traceback."""
    done = base_environment.run("logkit", *arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert "pip install 'botlogkit[analysis]'" in line


def test_the_schema_needs_no_extra(base_environment: Environment, tmp_path: Path) -> None:
    """``python -m logkit schema`` prints the JSON Schema of an event."""
    done = base_environment.run("python", "-m", "logkit", "schema", cwd=tmp_path)
    assert json.loads(done.stdout)["required"] == ["timestamp", "level", "service", "event"]


def test_what_was_logged_survives_a_kill(base_environment: Environment, tmp_path: Path) -> None:
    """Events that were only in memory are written out by the next ``recover``, in order."""
    code = KILLED_BOT.format(folder=str(tmp_path))
    killed = base_environment.run("python", "-c", code, cwd=tmp_path)
    assert killed.returncode == -signal.SIGKILL
    done = base_environment.run(
        *("python", "-m", "logkit", "recover", "--ring-dir", str(tmp_path)), cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in (tmp_path / "bot.log").read_text().splitlines()]
    assert [event["number"] for event in events] == list(range(1000))
