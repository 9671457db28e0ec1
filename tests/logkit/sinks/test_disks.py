"""A real disk that stalls (a frozen file system) and one that dies (an aborted journal).

Where this machine does not let tests mount a file, they are named among those that were not run.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from tests.logkit.sinks.patience import PATIENT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Start = Callable[..., subprocess.Popen[bytes]]

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="file systems are frozen on Linux only"),
    pytest.mark.needs_program("fsfreeze", "mkfs.ext4", "mount", "e2fsck"),
]

# A process that writes to a frozen file system cannot even be killed.
LONGEST_FREEZE_S = 60

IN_A_LOOP = """
import asyncio
async def main():
    for n in range(1_000):
        log.info("counted", n=n)
        await asyncio.sleep(0.0005)
log.info("counted", n=-1)
logkit.flush()
print("started", flush=True)
sys.stdin.readline()
asyncio.run(main())
print("true", flush=True)
"""
AT_FULL_SPEED = """
import json
def peak_kib():
    return int(open("/proc/self/status").read().split("VmHWM:")[1].split()[0])
for n in range(100): log.info("counted", n=n)
logkit.flush()
print("started", flush=True)
sys.stdin.readline()
before = peak_kib()
started = time.perf_counter()
for n in range(50_000): (log.error if n % 500 == 0 else log.info)("counted", n=n)
took = time.perf_counter() - started
print(json.dumps([logkit.stats(), took, peak_kib() - before]), flush=True)
sys.stdin.readline()
could_flush = logkit.flush()
print(json.dumps([logkit.stats(), could_flush]), flush=True)
"""


class Disk:
    """A file system in a file, with a folder where it is mounted."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "disk"
        self._image = folder / "image"
        self.path.mkdir()
        with self._image.open("wb") as image:
            image.truncate(16 * 1_048_576)
        _run("mkfs.ext4", "-q", "-F", str(self._image))
        self._guard: subprocess.Popen[bytes] | None = None

    def mount(self) -> None:
        """Mount it; skip the test where that is not allowed."""
        options = ("-o", "loop,errors=remount-ro")
        done = subprocess.run(
            ["mount", *options, self._image, self.path], capture_output=True, text=True
        )
        if done.returncode:
            pytest.skip(f"needs leave to mount a file: {done.stderr.strip()}")

    def freeze(self) -> None:
        """Let every write wait, for a while at most."""
        thaw_later = f"sleep {LONGEST_FREEZE_S}; fsfreeze --unfreeze '{self.path}'"
        self._guard = subprocess.Popen(["sh", "-c", thaw_later], start_new_session=True)
        _run("fsfreeze", "--freeze", str(self.path))

    @property
    def is_frozen(self) -> bool:
        """Whether writes still wait."""
        return self._guard is not None and self._guard.poll() is None

    def thaw(self) -> None:
        """Let writes go on."""
        if self._guard is not None:
            subprocess.run(["fsfreeze", "--unfreeze", self.path], capture_output=True)
            os.killpg(self._guard.pid, 9)
            self._guard.wait()
            self._guard = None

    def die(self) -> None:
        """Let the file system find an error, after which it takes no more writes."""
        _run("sync", "--file-system", str(self.path))
        device = Path(_run("findmnt", "--noheadings", "--output", "SOURCE", str(self.path)).strip())
        Path(f"/sys/fs/ext4/{device.name}/trigger_fs_error").write_text("1")

    def repair(self) -> None:
        """Check it, and mount it again."""
        self.unmount()
        subprocess.run(["e2fsck", "-p", self._image], capture_output=True)
        self.mount()

    def unmount(self) -> None:
        """Take it away."""
        self.thaw()
        subprocess.run(["umount", "--lazy", self.path], capture_output=True)


def _run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """Return a mounted disk of 16 MiB; ``log_path`` is a file on it."""
    made = Disk(tmp_path)
    made.mount()
    yield made
    made.unmount()


@pytest.fixture
def log_path(disk: Disk) -> Path:
    """Return a path on the disk."""
    return disk.path / "bot.log"


def told_by(bot: subprocess.Popen[bytes]) -> Any:
    assert bot.stdout is not None
    return json.loads(bot.stdout.readline())


def has_started(bot: subprocess.Popen[bytes]) -> bool:
    assert bot.stdout is not None
    return bot.stdout.readline() == b"started\n"


def go_on(bot: subprocess.Popen[bytes]) -> None:
    assert bot.stdin is not None
    bot.stdin.write(b"\n")
    bot.stdin.flush()


def test_an_event_loop_does_not_feel_a_stalled_disk(
    disk: Disk, log_path: Path, start_bot: Start
) -> None:
    """While the disk stalls every call returns, the loop goes on, and no event is lost."""
    bot = start_bot(IN_A_LOOP)
    assert has_started(bot)
    disk.freeze()
    go_on(bot)
    assert told_by(bot)
    assert disk.is_frozen
    disk.thaw()
    assert bot.wait(60) == 0
    events = map(orjson.loads, log_path.read_bytes().splitlines())
    assert [event["n"] for event in events if event["event"] == "counted"] == [-1, *range(1_000)]


def test_a_disk_that_answers_nothing_costs_bounded_memory(
    disk: Disk, log_path: Path, start_bot: Start
) -> None:
    """50,000 events while it hangs: the ring and no more, each drop counted, room for errors."""
    bot = start_bot(AT_FULL_SPEED, ring_bytes=1_048_576)
    assert has_started(bot)
    disk.freeze()
    go_on(bot)
    while_frozen, took_s, grown_kib = told_by(bot)
    assert disk.is_frozen
    disk.thaw()
    go_on(bot)
    afterwards, could_flush = told_by(bot)
    assert bot.wait(60) == 0
    sys.stdout.write(
        f"50,000 events in {took_s:.2f} s with a frozen disk: {while_frozen['dropped']} dropped, "
        f"memory grew by {grown_kib} KiB, the ring has 1,024\n"
    )
    assert while_frozen["accepted"] == 50_100
    assert while_frozen["dropped"] > 0
    assert while_frozen["accepted"] == sum(
        while_frozen[name] for name in ("written", "pending", "dropped")
    )
    assert "error" not in while_frozen["dropped_by_level"]
    assert grown_kib < 1_024 + 12 * 1_024
    assert could_flush
    lines = log_path.read_bytes().splitlines()
    counted = sum(orjson.loads(line)["event"] == "counted" for line in lines)
    assert counted == 50_100 - afterwards["dropped"]


def test_a_disk_that_dies_is_told_and_what_waits_comes_after_its_repair(
    disk: Disk, log_path: Path, start_bot: Start
) -> None:
    """The file system turns read-only: one line on standard error, no wait at the end, no loss."""
    bot = start_bot(
        f"{PATIENT}for n in range(100): log.info('counted', n=n)\nlogkit.flush()\n"
        "print('started', flush=True)\nsys.stdin.readline()\n"
        "for n in range(100, 1_000): log.info('counted', n=n)\n"
        "print(logkit.flush(0.5), flush=True)\n"
    )
    assert has_started(bot)
    disk.die()
    go_on(bot)
    assert bot.stdout is not None
    assert bot.stdout.readline() == b"False\n"
    _, told = bot.communicate(timeout=60)
    assert bot.returncode == 0
    assert told.decode().count(f"cannot write to {log_path}: Read-only file system") == 1
    disk.repair()
    start_bot("").wait(60)
    events = [orjson.loads(line) for line in log_path.read_bytes().splitlines()]
    assert [event["n"] for event in events if event["event"] == "counted"] == list(range(1_000))
