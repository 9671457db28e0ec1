"""The ring: who may log into it when, where it lives, and who may read it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import orjson
import pytest

import logkit
from logkit.counters import Counters
from logkit.sinks.destination import Destination
from logkit.sinks.files import RotatingFile
from logkit.sinks.ring import Owner
from logkit.sinks.ring_files import RingFile, create, left_behind
from logkit.sinks.ring_sink import RingSink

if TYPE_CHECKING:
    from pathlib import Path

LINE = b'{"timestamp":"2026-01-01T00:00:00Z","level":"info","event":"counted"}\n'


def owner(path: Path) -> Owner:
    return Owner("instance", time.time(), Destination("bot", str(path)))


def test_a_line_logged_in_the_middle_of_another_is_written_after_it(
    log_path: Path, tmp_path: Path
) -> None:
    """Whatever interrupts a log call (a signal handler, a finaliser) may log itself."""
    counters = Counters()
    sink: RingSink

    def create_ring() -> RingFile:
        sink.write(LINE.replace(b"counted", b"nested"), "info")
        return create([tmp_path], 262_144, owner(log_path))

    sink = RingSink(
        RotatingFile(log_path),
        counters,
        create_ring=create_ring,
        recover=lambda output: None,
        report=lambda _: LINE,
    )
    sink.write(LINE, "info")
    assert sink.flush(5.0)
    sink.close()
    written = [orjson.loads(line)["event"] for line in log_path.read_bytes().splitlines()]
    assert written == ["counted", "nested"]
    assert counters.snapshot()["written"] == counters.snapshot()["accepted"] == 2


def test_what_is_logged_after_the_end_is_written_directly(log_path: Path) -> None:
    """A late atexit function or daemon thread still reaches the file."""
    code = (
        "import atexit, sys, threading\n"
        "atexit.register(lambda: log.info('last_words'))\n"
        "import logkit\n"
        f"logkit.configure('bot', path={str(log_path)!r})\n"
        "log = logkit.get_logger('bot')\n"
        "log.info('started')\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    written = [orjson.loads(line)["event"] for line in log_path.read_bytes().splitlines()]
    assert written == ["started", "last_words"]


def test_a_new_configuration_takes_over_without_loss(log_path: Path, ring_dir: Path) -> None:
    """While threads log, configure() may change settings again and again."""
    is_over = threading.Event()
    counts = [0, 0]

    def work(worker: int) -> None:
        while not is_over.is_set():
            logkit.get_logger("bot").info("counted", worker=worker, n=counts[worker])
            counts[worker] += 1
            time.sleep(0.0005)

    logkit.configure("bot", path=log_path)
    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(2)]
    for thread in threads:
        thread.start()
    for size in range(300_000, 300_010):
        logkit.configure("bot", path=log_path, ring_bytes=size)
    is_over.set()
    for thread in threads:
        thread.join()
    assert logkit.flush()
    assert len(list(ring_dir.iterdir())) == 1
    events = [orjson.loads(line) for line in log_path.read_bytes().splitlines()]
    for worker in range(2):
        numbers = [event["n"] for event in events if event["worker"] == worker]
        assert sorted(numbers) == list(range(counts[worker]))


def test_without_room_for_a_file_the_ring_is_in_memory(tmp_path: Path, log_path: Path) -> None:
    """A full or missing ring directory costs the survival of a crash, and nothing else."""
    ring_file = create([tmp_path / "missing"], 262_144, owner(log_path))
    assert ring_file.path is None
    ring_file.ring.push(LINE)
    assert ring_file.ring.peek(1_000) == LINE
    ring_file.put_away()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, who can give files away")
def test_rings_of_other_users_are_not_touched(tmp_path: Path, log_path: Path) -> None:
    """Shared memory is open to all; a ring says which file to write, so only one's own count."""
    ring_file = create([tmp_path], 262_144, owner(log_path))
    ring_file.ring.push(LINE)
    ring_file.close()
    assert ring_file.path is not None
    os.chown(ring_file.path, 65_534, 65_534)
    assert list(left_behind([tmp_path])) == []
    assert ring_file.path.exists()


@pytest.mark.parametrize("content", [b"", b"no ring", bytes(300_000)])
def test_a_file_that_is_no_ring_is_left_alone_at_first(tmp_path: Path, content: bytes) -> None:
    """It may be one that another process is about to lay out."""
    path = tmp_path / f"logkit-{os.geteuid()}-0123456789ab-instance.ring"
    path.write_bytes(content)
    assert list(left_behind([tmp_path])) == []
    assert path.exists()


def test_standard_output_is_recovered_too(tmp_path: Path) -> None:
    """What a killed bot had not yet printed is printed by the next start of the same service."""
    service = f"bot_{tmp_path.name}_{os.getpid()}"
    code = (
        f"import logkit, os; logkit.configure({service!r})\n"
        "for n in range(1000): logkit.get_logger('bot').info('counted', n=n)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    killed = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert killed.returncode == -signal.SIGKILL
    again = f"import logkit; logkit.configure({service!r})"
    next_start = subprocess.run([sys.executable, "-c", again], stdout=subprocess.PIPE, check=True)
    events = map(orjson.loads, (killed.stdout + next_start.stdout).splitlines())
    # The last batch may come twice, recognisable by its numbers.
    assert {event["n"] for event in events} == set(range(1_000))


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("LOGKIT_RING_BYTES", "1000", "ring_bytes is '1000'; it must be a whole number of at"),
        ("LOGKIT_COMPRESS", "maybe", "compress is 'maybe'; it must be true or false"),
        ("LOGKIT_RING_DIR", "/proc/none", "cannot use ring_dir '/proc/none'"),
    ],
)
def test_settings_that_cannot_be_used_are_named(
    monkeypatch: pytest.MonkeyPatch, log_path: Path, variable: str, value: str, told: str
) -> None:
    """A wrong value in the environment is one clear error at the start."""
    monkeypatch.setenv(variable, value)
    with pytest.raises(logkit.ConfigurationError) as raised:
        logkit.configure("bot", path=log_path)
    assert told in str(raised.value)
