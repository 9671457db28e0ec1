"""What killed the bot is in its log."""

from __future__ import annotations

import pickle
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import orjson
import pytest

import logkit

if TYPE_CHECKING:
    from pathlib import Path

PRELUDE = """
import asyncio, gc, logkit, os, sys, threading
def hook(*args): print("previous hook", file=sys.stderr, flush=True)
sys.excepthook = threading.excepthook = hook
logkit.configure("bot", path=sys.argv[1])
logkit.configure("bot", path=sys.argv[1], level="warning")
"""
IN_TASK = """
async def fail(): raise ValueError("boom")
async def main():
    task = asyncio.create_task(fail())
    await asyncio.sleep(0.01)
    del task
    gc.collect()
asyncio.run(main())
"""
IN_CALLBACK = """
def fail(): raise ValueError("boom")
async def main():
    asyncio.get_running_loop().call_soon(fail)
    await asyncio.sleep(0.01)
asyncio.run(main())
"""
IN_THREAD = """
def fail(): raise ValueError("boom")
thread = threading.Thread(target=fail, name="poller")
thread.start()
thread.join()
"""


def run(code: str, path: Path) -> tuple[list[dict[str, Any]], str, int]:
    done = subprocess.run(
        [sys.executable, "-c", PRELUDE + code, str(path)], capture_output=True, text=True
    )
    return (
        [orjson.loads(line) for line in path.read_bytes().splitlines()],
        done.stderr,
        done.returncode,
    )


@pytest.mark.parametrize(
    ("code", "level", "hook_calls"),
    [
        pytest.param("raise ValueError('boom')\n", "critical", 1, id="main"),
        pytest.param(IN_THREAD, "critical", 1, id="thread"),
        pytest.param(IN_TASK, "error", 0, id="task"),
        pytest.param(IN_CALLBACK, "error", 0, id="callback"),
    ],
)
def test_an_exception_that_nobody_catches_is_one_event(
    log_path: Path, code: str, level: str, hook_calls: int
) -> None:
    """It has the error fields, however often configure() ran; the hook before ours still runs."""
    (event,), stderr, _ = run(code, log_path)
    assert (event["event"], event["level"]) == ("uncaught_exception", level)
    assert (event["error_type"], event["error_message"]) == ("ValueError", "boom")
    assert event["error_fingerprint"]
    assert stderr.count("previous hook") == hook_calls


IN_CORRELATION = """
def fail():
    with logkit.correlation("inner"), logkit.bind(shard_id=3):
        raise ValueError("boom")
def work():
    with logkit.correlation("outer"):
        try: raise KeyError("handled")
        except KeyError: pass
        fail()
"""
IN_ITS_OWN_TASK = """
async def job(): work()
async def main():
    task = asyncio.create_task(job())
    await asyncio.sleep(0.01)
    del task
    gc.collect()
asyncio.run(main())
"""
WAYS = {
    "main": "work()",
    "asyncio": "async def main(): work()\nasyncio.run(main())",
    "thread": "threading.Thread(target=work).start()",
    "wrapped_thread": "with logkit.correlation('inner'), logkit.bind(shard_id=3):\n"
    "    threading.Thread(target=logkit.wrap(lambda: 1 / 0)).start()",
    "task": IN_ITS_OWN_TASK,
    "caught_outside": "try: work()\nexcept ValueError as error:\n"
    "    with logkit.correlation('late'): pass\n    raise error",
}


@pytest.mark.parametrize("code", WAYS.values(), ids=WAYS)
def test_the_crash_belongs_to_its_correlation(log_path: Path, code: str) -> None:
    """Id and fields of the block in which it was raised are in the event, after that was left."""
    (event,), _, _ = run(IN_CORRELATION + code, log_path)
    assert event["event"] == "uncaught_exception"
    assert (event["correlation_id"], event["shard_id"]) == ("inner", 3)


INHERITED = """
def fail(): raise ValueError("boom")
async def job(): fail()
async def main():
    with logkit.correlation("inner"):
        START
    await asyncio.sleep(0.01)
    gc.collect()
asyncio.run(main())
"""
STARTS = {
    "callback": "asyncio.get_running_loop().call_soon(fail)",
    "task": "asyncio.ensure_future(job())",
}


@pytest.mark.parametrize("start", STARTS)
def test_work_that_was_started_in_a_correlation_belongs_to_it(log_path: Path, start: str) -> None:
    """A task or callback that nobody awaits fails under the id that it has inherited."""
    (event,), _, _ = run(INHERITED.replace("START", STARTS[start]), log_path)
    assert (event["event"], event["correlation_id"]) == ("uncaught_exception", "inner")


def test_an_exception_that_is_raised_again_elsewhere_belongs_there(log_path: Path) -> None:
    """One object in two correlations, one after the other: the last one counts."""
    code = """
error = ValueError("boom")
for name in ("first", "second"):
    try:
        with logkit.correlation(name): raise error
    except ValueError: pass
raise error
"""
    (event,), _, _ = run(code, log_path)
    assert event["correlation_id"] == "second"


def test_an_exception_can_go_to_another_process() -> None:
    """What is bound stays here: it may be something that cannot be pickled."""
    bound = logkit.bind(lock=threading.Lock())
    with pytest.raises(ValueError, match="boom") as caught, logkit.correlation("here"), bound:
        raise ValueError("boom")
    code = "import pickle, sys; print(repr(pickle.load(sys.stdin.buffer)), 'logkit' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], input=pickle.dumps(caught.value), capture_output=True
    )
    assert done.stdout == b"ValueError('boom') False\n"


def test_a_thread_is_named(log_path: Path) -> None:
    """Which of the threads has died can be read from the event."""
    (event,), _, _ = run(IN_THREAD, log_path)
    assert event["thread_name"] == "poller"


@pytest.mark.parametrize(
    "code",
    ["raise KeyboardInterrupt\n", "sys.exit(1)\n", IN_THREAD.replace("ValueError", "SystemExit")],
    ids=["interrupted", "exit", "thread_exit"],
)
def test_a_bot_that_is_stopped_has_not_crashed(log_path: Path, code: str) -> None:
    """Ctrl-C and sys.exit() are no events."""
    assert run(code, log_path)[0] == []


def test_the_crash_is_found_by_the_analysis(log_path: Path, tmp_path: Path) -> None:
    """``logkit query top_errors`` shows the exception that killed the bot."""
    run("raise ValueError('boom')\n", log_path)
    database = ["--db", str(tmp_path / "logkit.duckdb")]
    shell = [sys.executable, "-m", "logkit_analysis"]
    subprocess.run([*shell, "ingest", str(log_path), *database], check=True, capture_output=True)
    shown = subprocess.run(
        [*shell, "query", "top_errors", "--last", "1h", *database, "--format", "json"],
        check=True,
        capture_output=True,
    )
    (row,) = orjson.loads(shown.stdout)
    assert (row["event"], row["error_type"]) == ("uncaught_exception", "ValueError")
    assert row["last_message"] == "boom"
