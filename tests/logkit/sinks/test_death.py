"""What was logged survives every kind of death, and comes exactly once."""

from __future__ import annotations

import gzip
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import logkit
from logkit.sinks.destination import Destination

if TYPE_CHECKING:
    from collections.abc import Callable

    Events = Callable[[], list[dict[str, Any]]]
    Start = Callable[..., subprocess.Popen[bytes]]

COUNT = "for n in range(1000): log.info('counted', n=n)\n"
DEATHS = {
    "SIGKILL": "os.kill(os.getpid(), signal.SIGKILL)",
    "SIGSEGV": "os.kill(os.getpid(), signal.SIGSEGV)",
    "SIGTERM": "os.kill(os.getpid(), signal.SIGTERM)",
    "SIGABRT": "os.abort()",
    "os._exit": "os._exit(1)",
    "SystemExit": "sys.exit(1)",
    "exception": "raise RuntimeError",
    "no_thread_switch": "sys.setswitchinterval(100); os._exit(1)",
}


BUSY = """
import mmap, threading
with open(sys.argv[2], "r+b") as file:
    returned = memoryview(mmap.mmap(file.fileno(), 4_096)).cast("Q")
def work(worker):
    for n in range(1_000_000):
        log.info("counted", worker=worker, n=n, text="x" * (n % 700))
        returned[worker] = n + 1
        if n % 50 == 0: time.sleep(0.004)
for worker in range(3): threading.Thread(target=work, args=(worker,)).start()
"""


@pytest.mark.parametrize("death", DEATHS.values(), ids=DEATHS)
@pytest.mark.parametrize("pause_s", [0, 0.015, 0.1], ids=["at_once", "mid_batch", "drained"])
def test_no_event_is_lost_and_none_comes_twice(
    start_bot: Start, read_events: Events, ring_dir: Path, death: str, pause_s: float
) -> None:
    """After any death and the next start, the file holds each of 1,000 events once."""
    bot = start_bot(f"{COUNT}time.sleep({pause_s})\n{death}")
    assert bot.wait(60) != 0
    start_bot("").wait(60)
    written = [event["n"] for event in read_events() if event["event"] == "counted"]
    assert sorted(written) == list(range(1_000))
    assert list(ring_dir.iterdir()) == []


@pytest.mark.parametrize("busy_s", [0.05, 0.15, 0.3, 0.5])
@pytest.mark.parametrize("compress", [False, True], ids=["plain", "compressed"])
def test_each_event_whose_call_returned_is_there_once(
    start_bot: Start, read_events: Events, tmp_path: Path, busy_s: float, *, compress: bool
) -> None:
    """Killed at any moment, with three threads logging and files rotating all the time."""
    counts_path = tmp_path / "counts"
    counts_path.write_bytes(bytes(4_096))
    bot = start_bot(
        BUSY, str(counts_path), max_bytes=40_000, backups=900, ring_bytes=2**26, compress=compress
    )
    while not any(counts_path.read_bytes()):
        time.sleep(0.001)
    time.sleep(busy_s)
    bot.kill()
    bot.wait()
    start_bot("").wait(60)
    events = read_events()
    returned = memoryview(counts_path.read_bytes()).cast("Q")
    for worker in range(3):
        numbers = sorted(event["n"] for event in events if event["worker"] == worker)
        # The call that was going on may or may not have come far enough.
        assert numbers == list(range(len(numbers)))
        assert returned[worker] <= len(numbers) <= returned[worker] + 1


def test_a_backup_is_there_in_one_form_only(
    start_bot: Start, read_events: Events, log_path: Path
) -> None:
    """Killed when the compressed form was in place and the plain one not yet removed."""
    start_bot(f"{COUNT}logkit.flush()", max_bytes=40_000, backups=9).wait(60)
    plain = log_path.with_name("bot.log.2")
    plain.with_name("bot.log.2.gz").write_bytes(gzip.compress(plain.read_bytes()))
    start_bot(DEATHS["SIGKILL"]).wait(60)
    start_bot("").wait(60)
    assert not plain.exists()
    assert sorted(event["n"] for event in read_events() if "n" in event) == list(range(1000))


def test_the_next_start_may_have_other_settings(
    start_bot: Start, read_events: Events, log_path: Path
) -> None:
    """Service, ring size, level and rotation may change; what was left is written all the same."""
    start_bot(COUNT + DEATHS["os._exit"]).wait(60)
    logkit.configure("other", path=log_path, level="error", ring_bytes=262_144, max_bytes=50_000)
    assert logkit.flush()
    events = read_events()
    assert sorted(event["n"] for event in events) == list(range(1_000))
    assert {event["service"] for event in events} == {"bot"}


def test_the_command_recovers_without_the_bot(start_bot: Start, read_events: Events) -> None:
    """``python -m logkit recover`` writes what is left, and a second run adds nothing."""
    start_bot(COUNT + DEATHS["SIGKILL"]).wait(60)
    for _ in range(2):
        command = [sys.executable, "-m", "logkit", "recover"]
        subprocess.run(command, check=True, capture_output=True)
        assert sorted(event["n"] for event in read_events()) == list(range(1_000))


@pytest.mark.skipif(sys.platform != "linux", reason="shared memory has no folder here")
def test_rings_are_in_shared_memory_by_default(
    log_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A ring is a file of mode 0600 in /dev/shm while the bot lives, and gone afterwards."""
    monkeypatch.delenv("LOGKIT_RING_DIR")
    logkit.configure("bot", path=log_path)
    key = Destination("bot", str(log_path)).key
    (ring,) = Path("/dev/shm").glob(f"logkit-*-{key}-*.ring")
    assert ring.stat().st_mode & 0o777 == 0o600
    logkit.configure("bot", path=log_path.with_name("other.log"))
    assert not ring.exists()


def test_a_ring_directory_of_ones_own_survives_a_reboot(
    start_bot: Start, read_events: Events, tmp_path: Path
) -> None:
    """``ring_dir`` keeps the ring on a disk: mode 0600, found by the command and the next start."""
    rings = tmp_path / "rings"
    start_bot(COUNT + DEATHS["SIGKILL"], ring_dir=str(rings)).wait(60)
    (ring,) = rings.iterdir()
    assert ring.suffix == ".ring"
    assert ring.stat().st_mode & 0o777 == 0o600
    command = [sys.executable, "-m", "logkit", "recover", "--ring-dir", str(rings)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert "recovered" in done.stderr
    assert sorted(event["n"] for event in read_events()) == list(range(1_000))
    assert list(rings.iterdir()) == []


def test_a_living_process_is_not_recovered(
    start_bot: Start, read_events: Events, log_path: Path
) -> None:
    """A second process on the same path leaves the first one's ring alone."""
    first = start_bot("log.info('first', n=0); print(flush=True); input(); log.info('first', n=1)")
    assert first.stdout is not None
    first.stdout.readline()
    start_bot("log.info('second', n=2)").wait(60)
    first.communicate(b"\n", timeout=60)
    assert sorted(event["n"] for event in read_events()) == [0, 1, 2]


def test_a_flush_also_delivers_for_dead_workers(
    start_bot: Start, read_events: Events, log_path: Path
) -> None:
    """A long-lived process writes out what its killed siblings have left."""
    logkit.configure("bot", path=log_path)
    start_bot(COUNT + DEATHS["SIGKILL"]).wait(60)
    assert logkit.flush()
    assert len(read_events()) == 1_000
