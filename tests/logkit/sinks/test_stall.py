"""A disk or reader that is slow, full or dead costs the bot neither time nor memory."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from typing import TYPE_CHECKING, Any

import orjson

import logkit

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    Events = Callable[[], list[dict[str, Any]]]
    Start = Callable[..., subprocess.Popen[bytes]]

STALL_S = 2.0
TIMED = f"""
import json
slowest = count = 0
deadline = time.perf_counter() + {STALL_S} + 0.5
while (started := time.perf_counter()) < deadline:
    log.info("counted", n=count)
    slowest = max(slowest, time.perf_counter() - started)
    count += 1
    time.sleep(0.0005)
"""
DEAD = """
import json
def peak_kib():
    return int(open("/proc/self/status").read().split("VmHWM:")[1].split()[0])
before = peak_kib()
for n in range(200_000):
    (log.error if n % 500 == 0 else log.info)("counted", n=n)
print(json.dumps([logkit.stats(), peak_kib() - before]), flush=True)
os._exit(0)
"""
FULL_FOR_A_WHILE = """
import json, resource
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
resource.setrlimit(resource.RLIMIT_FSIZE, (50_001, hard))
for n in range(1_000): log.info("counted", n=n)
logkit.flush(0.5)
while_full = logkit.stats()
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
print(json.dumps([while_full, logkit.flush()]), flush=True)
"""
CLOSED_PIPE = """
import json
logkit.configure("bot", path=None)
sys.stdin.read(0)
time.sleep(0.5)
for n in range(1_000): log.info("counted", n=n)
logkit.flush()
sys.stderr.write(json.dumps(logkit.stats()))
"""


def tell(figures: str) -> None:
    """Print what was measured; ``pytest -rP`` shows it."""
    sys.stdout.write(f"{figures}\n")


def test_no_call_waits_for_a_reader_that_has_stopped(start_bot: Start, log_path: Path) -> None:
    """The reader of a FIFO stops for 2 s: no call is slow, and afterwards every event arrives."""
    os.mkfifo(log_path)
    bot = start_bot(TIMED + "print(json.dumps([count, slowest * 1e3]), flush=True)\n")
    with log_path.open("rb") as reader:
        first = reader.readline()
        time.sleep(STALL_S)
        lines = [first, *reader.readlines()]
    output, _ = bot.communicate(timeout=20)
    count, slowest_ms = json.loads(output)
    tell(f"{count} calls during a stall of {STALL_S} s; the slowest took {slowest_ms:.2f} ms")
    numbers = [event["n"] for event in map(orjson.loads, lines) if event["event"] == "counted"]
    assert numbers == list(range(count))
    # The aim is 5 ms; what is asserted is only that no call waited for the reader.
    assert slowest_ms < STALL_S * 1_000 / 2


def test_a_dead_disk_costs_bounded_memory_and_every_drop_is_counted(
    start_bot: Start, tmp_path: Path
) -> None:
    """200,000 events into a full disk: the ring and no more, exact counts, room for errors."""
    bot = start_bot(DEAD, path="/dev/full", ring_bytes=1_048_576, ring_dir=str(tmp_path))
    output, _ = bot.communicate(timeout=60)
    counts, grown_kib = json.loads(output)
    tell(f"memory grew by {grown_kib} KiB; the ring has 1,024")
    assert grown_kib < 1_024 + 12 * 1_024
    assert counts["accepted"] == 200_000
    assert counts["written"] == 0
    assert counts["pending"] + counts["dropped"] == 200_000
    assert counts["dropped"] == sum(counts["dropped_by_level"].values())
    assert counts["write_errors"] > 0
    # 400 errors fill half of the reserved eighth: none of them is lost.
    assert "error" not in counts["dropped_by_level"]


def test_a_disk_that_was_full_for_a_while_loses_nothing(
    start_bot: Start, read_events: Events
) -> None:
    """Writes fail half-way; when there is room again, each event is there once, and the tale."""
    bot = start_bot(FULL_FOR_A_WHILE)
    output, _ = bot.communicate(timeout=30)
    while_full, could_flush = json.loads(output)
    assert while_full["pending"] > 0
    assert while_full["dropped"] == 0
    assert could_flush
    events = read_events()
    assert [event["n"] for event in events if event["event"] == "counted"] == list(range(1_000))
    (report,) = [event for event in events if event["event"] == "logkit_stats"]
    assert report["level"] == "warning"
    assert report["write_errors"] > 0
    assert report["accepted"] == report["written"] + report["pending"] + report["dropped"]


def test_drops_are_told_in_the_log_once_there_is_room(start_bot: Start, log_path: Path) -> None:
    """``logkit_stats`` says how many events of which level are missing, and seq shows where."""
    os.mkfifo(log_path)
    bot = start_bot(
        "for n in range(5_000): (log.error if n % 50 == 0 else log.info)('counted', n=n)\n"
        "print(flush=True)\n",
        ring_bytes=262_144,
    )
    assert bot.stdout is not None
    bot.stdout.readline()
    with log_path.open("rb") as reader:
        events = [orjson.loads(line) for line in reader]
    reports = [event for event in events if event["event"] == "logkit_stats"]
    dropped = reports[-1]["dropped_info"]
    assert 0 < dropped == reports[-1]["dropped"]
    assert len(events) - len(reports) + dropped == 5_000
    numbers = {event["seq"] for event in events}
    assert max(numbers) - len(numbers) == dropped


def test_standard_output_that_nobody_reads_stops_no_call(start_bot: Start) -> None:
    """A full pipe costs no time; all events come once it is read again, in whole lines."""
    bot = start_bot(
        "logkit.configure('bot', path=None)\n" + TIMED.replace("0.0005", "0.0001"), path=None
    )
    assert bot.stdout is not None
    time.sleep(STALL_S)
    numbers = [orjson.loads(line).get("n") for line in bot.stdout]
    assert numbers == list(range(len(numbers)))
    assert len(numbers) > 1_000


def test_a_reader_that_comes_back_gets_what_has_happened_meanwhile(log_path: Path) -> None:
    """A FIFO without a reader is no fault: events wait for the next one."""
    os.mkfifo(log_path)
    logkit.configure("bot", path=log_path)
    log = logkit.get_logger("bot")
    for round_number in range(3):
        log.info("counted", n=round_number)
        with log_path.open("rb") as reader:
            assert orjson.loads(reader.readline())["n"] == round_number
    assert logkit.stats()["dropped"] == 0


def test_a_pipe_that_is_closed_for_good_is_counted_and_left(start_bot: Start) -> None:
    """When the other end of standard output is gone, the bot goes on and ends as usual."""
    bot = start_bot(CLOSED_PIPE)
    assert bot.stdout is not None
    bot.stdout.close()
    assert bot.wait(20) == 0
    assert bot.stderr is not None
    counts = json.loads(bot.stderr.read())
    assert counts["accepted"] == counts["written"] + counts["dropped"] >= 1_000
    assert counts["dropped_by_level"]["info"] > 0


def test_a_stopped_sibling_stops_only_writing(start_bot: Start, log_path: Path) -> None:
    """A process that is stopped while it writes does not block the calls of another."""
    sibling = start_bot("while True: log.info('busy', text='x' * 5_000)")
    for _ in range(20):
        time.sleep(0.02)
        sibling.send_signal(signal.SIGSTOP)
        logkit.configure("bot", path=log_path)
        started = time.perf_counter()
        logkit.get_logger("bot").info("while_stopped")
        assert time.perf_counter() - started < 0.5
        sibling.send_signal(signal.SIGCONT)
    assert logkit.flush()


def test_a_file_that_cannot_be_written_is_told_once_and_so_is_its_return(
    start_bot: Start, log_path: Path
) -> None:
    """Standard error names path and reason, however many writes fail in the meantime."""
    bot = start_bot(FULL_FOR_A_WHILE)
    _, told = bot.communicate(timeout=30)
    refused, returned = told.decode().splitlines()
    assert refused.startswith(f"logkit: cannot write to {log_path}: File too large;")
    assert returned.startswith(f"logkit: writing to {log_path} again, after ")


def test_a_dead_disk_does_not_keep_the_bot_from_ending(start_bot: Start, tmp_path: Path) -> None:
    """When nothing can be written, the process ends without waiting, and has said why."""
    bot = start_bot(
        "for n in range(1_000): log.info('counted', n=n)\nprint(flush=True)\n",
        path="/dev/full",
        ring_dir=str(tmp_path),
    )
    assert bot.stdout is not None
    bot.stdout.readline()
    started = time.perf_counter()
    _, told = bot.communicate(timeout=20)
    tell(f"ended after {time.perf_counter() - started:.2f} s")
    assert time.perf_counter() - started < 2
    assert told.decode().count("cannot write to /dev/full: No space left on device") == 1


def test_a_reader_that_has_stopped_delays_the_end_by_less_than_five_seconds(
    start_bot: Start, log_path: Path, tmp_path: Path
) -> None:
    """A full pipe that nobody empties is given up after 2 s; what waits stays in the ring."""
    os.mkfifo(log_path)
    bot = start_bot(
        "for n in range(5_000): log.info('counted', n=n)\nprint(flush=True)\n",
        ring_dir=str(tmp_path),
    )
    with log_path.open("rb"):
        assert bot.stdout is not None
        bot.stdout.readline()
        started = time.perf_counter()
        bot.wait(timeout=20)
        took_s = time.perf_counter() - started
    tell(f"ended after {took_s:.2f} s")
    assert took_s < 4.5
