"""Forks, workers of multiprocessing, signals: each event once, from an instance of its own."""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
import time
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import orjson
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Events = Callable[[], list[dict[str, Any]]]
    Start = Callable[..., subprocess.Popen[bytes]]

FORKS = """
log.info("counted", who="parent", n=0)
children = []
for who in range(4):
    child = os.fork()
    if child == 0:
        for n in range(500): log.info("counted", who=f"child_{who}", n=n)
        END
    children.append(child)
for n in range(1, 500): log.info("counted", who="parent", n=n)
for child in children: os.waitpid(child, 0)
"""
FORK_FROM_THREADS = """
import threading
stop = False
def work():
    n = 0
    while not stop:
        log.info("counted", who="thread", n=n)
        n += 1
        time.sleep(0.001)
threads = [threading.Thread(target=work) for _ in range(3)]
for thread in threads: thread.start()
for who in range(30):
    child = os.fork()
    if child == 0:
        log.info("counted", who=f"child_{who}", n=0)
        logkit.flush()
        os._exit(0)
    os.waitpid(child, 0)
stop = True
for thread in threads: thread.join()
"""
SIGNALS = """
import itertools
numbers = itertools.count()
def on_signal(number, frame): log.warning("signalled", n=next(numbers))
signal.signal(signal.SIGALRM, on_signal)
signal.setitimer(signal.ITIMER_REAL, 0.0002, 0.0002)
for n in range(20_000): log.info("counted", n=n)
signal.setitimer(signal.ITIMER_REAL, 0)
log.info("ended", signals=next(numbers))
"""
WORKERS = """
import multiprocessing, sys
import logkit

def work(path, who):
    logkit.configure("bot", path=path)
    for n in range(300): logkit.get_logger("bot").info("counted", who=who, n=n)

if __name__ == "__main__":
    logkit.configure("bot", path=sys.argv[1])
    context = multiprocessing.get_context(sys.argv[2])
    workers = [context.Process(target=work, args=(sys.argv[1], who)) for who in range(3)]
    for worker in workers: worker.start()
    for worker in workers: worker.join()
    sys.stdout.write(open(sys.argv[1]).read())
"""
DAEMON = """
if os.fork(): os._exit(0)
os.setsid()
if os.fork(): os._exit(0)
log.info("counted", n=0)
"""


def numbers_by_instance(events: list[dict[str, Any]]) -> dict[str, list[int]]:
    numbers: dict[str, list[int]] = defaultdict(list)
    for event in events:
        numbers[event["instance"]].append(event["seq"])
    return numbers


@pytest.mark.parametrize(
    "end", ["sys.exit(0)", "os._exit(0)", "os.kill(os.getpid(), signal.SIGKILL)"]
)
def test_forked_children_lose_nothing(start_bot: Start, read_events: Events, end: str) -> None:
    """Parent and children, however they end, write each event once, each with its own counter."""
    assert start_bot(FORKS.replace("END", end)).wait(60) == 0
    start_bot("").wait(60)
    events = read_events()
    for who in ("parent", "child_0", "child_1", "child_2", "child_3"):
        assert [e["n"] for e in events if e["who"] == who] == list(range(500))
    numbers = numbers_by_instance(events)
    assert len(numbers) == 5
    assert all(sorted(seen) == list(range(1, 501)) for seen in numbers.values())
    assert len({(event["instance"], event["pid"]) for event in events}) == 5


def test_a_fork_in_the_middle_of_other_threads_work_is_harmless(
    start_bot: Start, read_events: Events
) -> None:
    """Locks that other threads hold at the fork do not bind the child, nor its end the parent."""
    assert start_bot(FORK_FROM_THREADS).wait(60) == 0
    events = read_events()
    assert sorted(e["who"] for e in events if e["who"] != "thread") == sorted(
        f"child_{who}" for who in range(30)
    )
    for seen in numbers_by_instance(events).values():
        assert sorted(seen) == list(range(1, len(seen) + 1))


def test_a_daemon_that_forks_away_writes_on(start_bot: Start, read_events: Events) -> None:
    """The usual double fork after configure() costs no event."""
    bot = start_bot("log.info('before', n=1)\n" + DAEMON)
    bot.communicate(timeout=60)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and len(read_events()) < 2:
        start_bot("").wait(60)
    assert sorted(event["n"] for event in read_events()) == [0, 1]


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_workers_of_multiprocessing_lose_nothing(
    tmp_path: Path, log_path: Path, method: str
) -> None:
    """They skip atexit, and yet all they have logged is in the file once they have ended."""
    script = tmp_path / "workers.py"
    script.write_text(WORKERS)
    command = [sys.executable, str(script), str(log_path), method]
    done = subprocess.run(command, check=True, timeout=60, stdout=subprocess.PIPE)
    events = [orjson.loads(line) for line in done.stdout.splitlines()]
    assert sorted((e["who"], e["n"]) for e in events) == [
        (who, n) for who in range(3) for n in range(300)
    ]


def test_a_signal_handler_may_log_in_the_middle_of_a_log_call(
    start_bot: Start, read_events: Events
) -> None:
    """No deadlock and no torn or lost line, at thousands of signals a second."""
    assert start_bot(SIGNALS).wait(60) == 0
    events = read_events()
    assert [e["n"] for e in events if e["event"] == "counted"] == list(range(20_000))
    signals = [e["n"] for e in events if e["event"] == "signalled"]
    assert sorted(signals) == list(range(events[-1]["signals"]))
    assert len(signals) > 10
    (seen,) = numbers_by_instance(events).values()
    assert sorted(seen) == list(range(1, len(events) + 1))
