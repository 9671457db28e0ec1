"""A disk or reader that is slow, full or dead costs the bot neither time nor memory."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import sys
import termios
import time
from typing import TYPE_CHECKING, Any

import orjson

import logkit
from tests.logkit.sinks.patience import PATIENT

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    Events = Callable[[], list[dict[str, Any]]]
    Start = Callable[..., subprocess.Popen[bytes]]

COUNT = 5_000
# A pipe holds 64 KiB: most of the events come while the writer waits for the reader.
INTO_A_FULL_PIPE = f"""
for n in range(1_000): log.info("counted", n=n)
sys.stdin.readline()
for n in range(1_000, {COUNT}): log.info("counted", n=n)
sys.stderr.write("logged\\n")
sys.stderr.flush()
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
sys.stdin.readline()
for n in range(1_000): log.info("counted", n=n)
logkit.flush()
sys.stderr.write(json.dumps(logkit.stats()))
"""


def go_on(bot: subprocess.Popen[bytes]) -> None:
    """Give the bot the line for which it waits."""
    assert bot.stdin is not None
    bot.stdin.write(b"\n")
    bot.stdin.flush()


def let_log_into_a_full_pipe(bot: subprocess.Popen[bytes], pipe: int) -> None:
    """Let the bot go on once *pipe* is filling up; return when it has logged all."""
    assert bot.stderr is not None
    while waiting_bytes(pipe) < 32_768:
        time.sleep(0.001)
    go_on(bot)
    assert bot.stderr.readline() == b"logged\n"


def waiting_bytes(pipe: int) -> int:
    """Return how much of what was written into *pipe* is still to be read."""
    count = bytearray(4)
    fcntl.ioctl(pipe, termios.FIONREAD, count)
    return int.from_bytes(count, sys.byteorder)


def tell(figures: str) -> None:
    """Print what was measured; ``pytest -rP`` shows it."""
    sys.stdout.write(f"{figures}\n")


def test_no_call_waits_for_a_reader_that_has_stopped(start_bot: Start, log_path: Path) -> None:
    """While the reader of a FIFO takes nothing, all calls return; later every event arrives."""
    os.mkfifo(log_path)
    bot = start_bot(INTO_A_FULL_PIPE)
    with log_path.open("rb") as reader:
        let_log_into_a_full_pipe(bot, reader.fileno())
        events = [orjson.loads(line) for line in reader]
    assert [event["n"] for event in events if event["event"] == "counted"] == list(range(COUNT))


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
    output, _ = bot.communicate(timeout=60)
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
        "print(flush=True)\n"
        "sys.stdin.readline()\n",
        ring_bytes=262_144,
    )
    assert bot.stdout is not None
    bot.stdout.readline()
    with log_path.open("rb") as reader:
        go_on(bot)
        events = [orjson.loads(line) for line in reader]
    reports = [event for event in events if event["event"] == "logkit_stats"]
    dropped = reports[-1]["dropped_info"]
    assert 0 < dropped == reports[-1]["dropped"]
    assert len(events) - len(reports) + dropped == 5_000
    numbers = {event["seq"] for event in events}
    assert max(numbers) - len(numbers) == dropped


def test_standard_output_that_nobody_reads_stops_no_call(start_bot: Start) -> None:
    """With a full pipe all calls return; the events come once it is read, in whole lines."""
    bot = start_bot(INTO_A_FULL_PIPE, path=None)
    assert bot.stdout is not None
    let_log_into_a_full_pipe(bot, bot.stdout.fileno())
    assert [orjson.loads(line).get("n") for line in bot.stdout] == list(range(COUNT))


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
    go_on(bot)
    assert bot.wait(60) == 0
    assert bot.stderr is not None
    counts = json.loads(bot.stderr.read())
    assert counts["accepted"] == counts["written"] + counts["dropped"] >= 1_000
    assert counts["dropped_by_level"]["info"] > 0


def test_a_stopped_sibling_stops_only_writing(start_bot: Start, log_path: Path) -> None:
    """A process that is stopped while it writes does not block the calls of another for good."""
    sibling = start_bot("while True: log.info('busy', text='x' * 5_000)")
    for _ in range(20):
        time.sleep(0.02)
        sibling.send_signal(signal.SIGSTOP)
        logkit.configure("bot", path=log_path)
        logkit.get_logger("bot").info("while_stopped")
        sibling.send_signal(signal.SIGCONT)
    assert logkit.flush()


def test_a_file_that_cannot_be_written_is_told_once_and_so_is_its_return(
    start_bot: Start, log_path: Path
) -> None:
    """Standard error names path and reason, however many writes fail in the meantime."""
    bot = start_bot(FULL_FOR_A_WHILE)
    _, told = bot.communicate(timeout=60)
    refused, returned = told.decode().splitlines()
    assert refused.startswith(f"logkit: cannot write to {log_path}: File too large;")
    assert returned.startswith(f"logkit: writing to {log_path} again, after ")


def test_a_dead_disk_does_not_keep_the_bot_from_ending(start_bot: Start, tmp_path: Path) -> None:
    """When nothing can be written, the process ends without waiting, and has said why."""
    bot = start_bot(
        f"{PATIENT}for n in range(1_000): log.info('counted', n=n)",
        path="/dev/full",
        ring_dir=str(tmp_path),
    )
    _, told = bot.communicate(timeout=60)
    assert bot.returncode == 0
    assert told.decode().count("cannot write to /dev/full: No space left on device") == 1


def test_a_reader_that_has_stopped_is_given_up_at_the_end(
    start_bot: Start, log_path: Path, tmp_path: Path
) -> None:
    """A full pipe that nobody empties is given up after 2 s; what waits stays in the ring."""
    os.mkfifo(log_path)
    bot = start_bot(INTO_A_FULL_PIPE, ring_dir=str(tmp_path))
    with log_path.open("rb") as reader:
        let_log_into_a_full_pipe(bot, reader.fileno())
        assert bot.wait(60) == 0
    assert list(tmp_path.glob("*.ring"))
