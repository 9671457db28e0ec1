"""Bots that do odd things at odd moments: no event is lost, nothing is harmed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no fork, no signals")

PRELUDE = """
import asyncio, atexit, logkit, os, resource, shutil, signal, sys, threading, time
logkit.configure("bot", path="bot.log")
log = logkit.get_logger("bot")
"""
FROM_DEL = """
class Kept:
    def __del__(self): log.info("deleted")
sys.modules["kept"] = Kept()
kept = Kept()
"""
IN_A_HANDLER = """
def fork(*_):
    child = os.fork()
    if child == 0:
        log.info("child")
        os._exit(0 if logkit.flush() else 1)
    assert os.waitpid(child, 0)[1] == 0
    log.info("parent")
    signal.setitimer(signal.ITIMER_REAL, 0.005)
signal.signal(signal.SIGALRM, fork)
signal.setitimer(signal.ITIMER_REAL, 0.005)
for _ in range(8_000): log.info("busy")
signal.signal(signal.SIGALRM, signal.SIG_IGN)
"""
FROM_THREADS = """
def work():
    for _ in range(3_000): log.info("busy")
threads = [threading.Thread(target=work) for _ in range(3)]
for thread in threads: thread.start()
for _ in range(5):
    child = os.fork()
    if child == 0:
        log.info("child")
        os._exit(0 if logkit.flush() else 1)
    assert os.waitpid(child, 0)[1] == 0
for thread in threads: thread.join()
"""
TRACED = """
def trace(frame, event, argument):
    log.info("traced")
    return trace
def work(): pass
sys.settrace(trace)
work()
sys.settrace(None)
"""
CANCELLED = """
count = 0
async def work():
    global count
    while True:
        log.info("worked")
        count += 1
        await asyncio.sleep(0)
async def main():
    for _ in range(20):
        task = asyncio.create_task(work())
        await asyncio.sleep(0.001)
        task.cancel()
        await asyncio.wait([task])
asyncio.run(main())
for _ in range(5_000 - count): log.info("worked")
"""
DAEMON = """
log.info("before")
if os.fork(): os._exit(0)
os.setsid()
if os.fork(): os._exit(0)
os.closerange(0, 256)
os.chdir("/")
log.info("after")
"""
CLOSED = """
log.info("before")
logkit.flush()
os.closerange(3, 256)
own = [open(f"own{number}", "w") for number in range(8)]
for _ in range(100): log.info("after")
assert logkit.flush()
logkit.configure("bot", path="bot.log", level="debug")
log.info("again")
for file in own:
    file.write("mine")
    file.close()
    assert open(file.name).read() == "mine"
"""
A_FOLDER_INSTEAD = """
log.info("before")
logkit.flush()
os.rename("bot.log", "old")
os.mkdir("bot.log")
log.info("meanwhile")
assert not logkit.flush(0.2)
os.rmdir("bot.log")
os.rename("old", "bot.log")
assert logkit.flush()
"""
WITHOUT_DESCRIPTORS = """
log.info("before")
logkit.flush()
limits = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (3, limits[1]))
for _ in range(100): log.info("meanwhile")
logkit.flush(0.2)
resource.setrlimit(resource.RLIMIT_NOFILE, limits)
"""
ANOTHER_PROGRAM = """
log.info("before")
code = "import logkit; logkit.configure('bot', path='bot.log'); "
code += "logkit.get_logger('bot').info('after')"
os.execv(sys.executable, [sys.executable, "-c", code])
"""
ODDITIES: dict[str, tuple[str, dict[str, int]]] = {
    "from_del_at_the_end": (FROM_DEL, {"deleted": 2}),
    "from_atexit": ("atexit.register(lambda: log.info('ended'))", {"ended": 1}),
    "from_a_thread_after_main": (
        "threading.Thread(target=lambda: (time.sleep(0.1), log.info('late'))).start()",
        {"late": 1},
    ),
    "fork_in_a_signal_handler": (IN_A_HANDLER, {"busy": 8_000}),
    "fork_while_threads_log": (FROM_THREADS, {"busy": 9_000, "child": 5}),
    "in_a_trace_function": (TRACED, {"traced": 3}),
    "in_cancelled_tasks": (CANCELLED, {"worked": 5_000}),
    "deep_in_a_recursion": (
        (
            "def fall(): log.info('fell'); fall()\n"
            "try: fall()\nexcept RecursionError: log.exception('fell_too_deep')"
        ),
        {"fell_too_deep": 1},
    ),
    "daemon": (DAEMON, {"before": 1, "after": 1}),
    "all_descriptors_closed": (CLOSED, {"before": 1, "after": 100, "again": 1}),
    "standard_streams_closed": (
        "os.close(1); os.close(2); sys.stdout = sys.stderr = None; log.info('after')",
        {"after": 1},
    ),
    "another_folder": ("os.chdir('/'); log.info('after')", {"after": 1}),
    "file_deleted": (
        "log.info('before'); logkit.flush(); os.unlink('bot.log'); log.info('after')",
        {"after": 1},
    ),
    "a_folder_instead": (A_FOLDER_INSTEAD, {"before": 1, "meanwhile": 1}),
    "without_descriptors": (WITHOUT_DESCRIPTORS, {"before": 1, "meanwhile": 100}),
    "another_program": (ANOTHER_PROGRAM, {"before": 1, "after": 1}),
    "clock_that_goes_back": (
        (
            "import logkit.pipeline as p; p.time_ns = lambda: 4 * 10**18; log.info('later')\n"
            "p.time_ns = lambda: 10**9; log.info('earlier')"
        ),
        {"later": 1, "earlier": 1},
    ),
}


@pytest.mark.parametrize(("code", "expected"), ODDITIES.values(), ids=ODDITIES)
def test_every_event_is_there_once(tmp_path: Path, code: str, expected: dict[str, int]) -> None:
    """The process ends by itself, and the file holds whole lines."""
    rings = tmp_path / "rings"
    done = subprocess.run(
        [sys.executable, "-c", PRELUDE + code],
        cwd=tmp_path,
        env={**os.environ, "LOGKIT_RING_DIR": str(rings)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    deadline = time.monotonic() + 60
    while rings.exists() and any(rings.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.02)  # a daemon still runs when its parent has ended
    events = [json.loads(line) for line in (tmp_path / "bot.log").read_bytes().splitlines()]
    counts = Counter(event["event"] for event in events)
    assert {name: counts[name] for name in expected} == expected
    instances: dict[str, list[int]] = {}
    for event in events:
        instances.setdefault(event["instance"], []).append(event["seq"])
    assert all(len(set(numbers)) == len(numbers) for numbers in instances.values())
