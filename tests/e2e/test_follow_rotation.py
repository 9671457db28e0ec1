"""Rotated files while ``logkit follow`` reads them: nothing lost, nothing counted twice."""

from __future__ import annotations

import gzip
import itertools
import os
import shutil
import signal
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.e2e.following import append, wait_until

if TYPE_CHECKING:
    from tests.e2e.following import Follower, Ledger

# A file with more than a kilobyte is told by its first bytes, a shorter one is not.
SIZES = pytest.mark.parametrize("count", [3, 60], ids=["short", "long"])


@SIZES
def test_rename_and_create(follower: Follower, ledger: Ledger, log: Path, count: int) -> None:
    """The old file is read to its end, also what its writer adds after the new one is there."""
    log.write_bytes(ledger.lines(count))
    follower.start(log)
    follower.wait_for(ledger)
    with log.open("ab") as old:
        old.write(ledger.lines(count))
        log.rename(log.with_name("app.log.1"))
        log.write_bytes(ledger.lines(count))
        old.write(ledger.lines(count))
        old.flush()
        follower.wait_for(ledger)
        old.write(ledger.lines(count))
    follower.check(ledger, log=log)


def test_a_file_renamed_out_of_sight_is_drained(
    follower: Follower, ledger: Ledger, log: Path, tmp_path: Path
) -> None:
    """Its descriptor is held for some seconds after its last change."""
    log.write_bytes(ledger.lines(20))
    follower.start(log, pace=0.2)
    follower.wait_for(ledger)
    with log.open("ab") as old:
        log.rename(tmp_path / "elsewhere")
        for _ in range(8):
            old.write(ledger.lines(5))
            old.flush()
            append(log, ledger.lines(2))
            follower.wait_for(ledger)
    follower.check(ledger, log=log)


@SIZES
def test_rename_while_nobody_looks(
    follower: Follower, ledger: Ledger, log: Path, count: int
) -> None:
    """The unread tail of the old file is found again, and so is a file that came and went."""
    log.write_bytes(ledger.lines(count))
    follower.start(log)
    follower.wait_for(ledger)
    follower.kill()
    append(log, ledger.lines(count))
    log.rename(log.with_name("app.log.2"))
    log.with_name("app.log.1").write_bytes(ledger.lines(count))
    log.write_bytes(ledger.lines(count))
    follower.start(log)
    follower.check(ledger, log=log)


@pytest.mark.parametrize(
    "rotated",
    ["app.log.1", "app.log-20260319", "app-2026-03-19.log", "app.2026-03-19_12-00-00_000000.log"],
    ids=["numbered", "logrotate's date", "log4j's date", "loguru's date"],
)
def test_names_of_rotated_files(
    follower: Follower, ledger: Ledger, log: Path, rotated: str
) -> None:
    """Two rotations while nobody looks: the tail of one file, and another whole one."""
    log.write_bytes(ledger.lines(30))
    follower.start(log)
    follower.wait_for(ledger)
    follower.kill()
    append(log, ledger.lines(5))
    log.rename(log.with_name("app.log.0" if rotated == "app.log.1" else f"{rotated}.0"))
    log.with_name(rotated).write_bytes(ledger.lines(40))
    log.write_bytes(ledger.lines(5))
    follower.start(log)
    follower.check(ledger, log=log)


def test_a_file_renamed_to_anything_while_nobody_looks(
    follower: Follower, ledger: Ledger, log: Path
) -> None:
    """Its inode leads to its unread tail."""
    log.write_bytes(ledger.lines(3))
    follower.start(log.parent / "app.*")
    follower.wait_for(ledger)
    follower.stop()
    append(log, ledger.lines(3))
    log.rename(log.with_name("what was it again"))
    log.write_bytes(ledger.lines(3))
    follower.start(log.parent / "app.*")
    follower.check(ledger, log.parent / "app.*", log=log)


def test_old_rotated_files_are_not_asked_for(follower: Follower, ledger: Ledger, log: Path) -> None:
    """Following a path reads it and what it becomes; what lay beside it before stays unread."""
    for name, data in (("app.log.1", b"{}\n" * 500), ("app.log.2.gz", gzip.compress(b"{}\n"))):
        log.with_name(name).write_bytes(data)
        os.utime(log.with_name(name), (1, 1))
    log.write_bytes(ledger.lines(5))
    follower.start(log)
    follower.wait_for(ledger)
    log.rename(log.with_name("app.log.3"))
    log.write_bytes(ledger.lines(5))
    follower.check(ledger, log=log)


@SIZES
@pytest.mark.parametrize("late", [0, 4], ids=["", "lines come between copy and truncation"])
def test_copytruncate(follower: Follower, ledger: Ledger, log: Path, count: int, late: int) -> None:
    """The copied lines are never read twice."""
    log.write_bytes(ledger.lines(count))
    follower.start(log)
    follower.wait_for(ledger)
    for _ in range(3):
        shutil.copy(log, log.with_name("app.log.1"))
        append(log, ledger.lines(late))
        follower.wait_for(ledger)
        os.truncate(log, 0)
        append(log, ledger.lines(count // 2))
        follower.wait_for(ledger)
        log.with_name("app.log.1").rename(log.with_name("app.log.2"))
    follower.check(ledger, log=log)


@SIZES
@pytest.mark.parametrize("is_down", [True, False], ids=["while it is down", "while it is stopped"])
def test_the_unread_tail_is_in_the_copy(
    follower: Follower, ledger: Ledger, log: Path, count: int, is_down: bool
) -> None:
    """Lines that follow had not read when the file was copied and truncated come from the copy."""
    log.write_bytes(ledger.lines(count))
    follower.start(log)
    follower.wait_for(ledger)
    follower.kill() if is_down else follower.process.send_signal(signal.SIGSTOP)
    append(log, ledger.lines(count))
    shutil.copy(log, log.with_name("app.log.1"))
    os.truncate(log, 0)
    append(log, ledger.lines(2 * count + 20))
    follower.start(log) if is_down else follower.process.send_signal(signal.SIGCONT)
    follower.check(ledger, log=log)


@SIZES
def test_log_and_copy_come_while_nobody_looks(
    follower: Follower, ledger: Ledger, log: Path, count: int
) -> None:
    """Both are new to us; more was written before the truncation, which comes later."""
    log.write_bytes(ledger.lines(count))
    shutil.copy(log, log.with_name("app-2026-03-19.log"))
    append(log, ledger.lines(2))
    follower.start(log.parent)
    follower.wait_for(ledger)
    os.truncate(log, 0)
    append(log, ledger.lines(1))
    follower.check(ledger, log.parent, log=log)


def test_original_and_copy_are_one_stream(follower: Follower, ledger: Ledger, log: Path) -> None:
    """Both have lines that are new to us; one of them gives them, in one cycle."""
    log.write_bytes(ledger.lines(50))
    follower.start(log)
    follower.wait_for(ledger)
    follower.process.send_signal(signal.SIGSTOP)
    append(log, ledger.lines(50))
    shutil.copy(log, log.with_name("app.log.1"))
    follower.process.send_signal(signal.SIGCONT)
    follower.check(ledger, log=log)


def test_a_copy_under_any_name_is_not_counted_again(
    follower: Follower, ledger: Ledger, log: Path
) -> None:
    """Backups beside the log in a folder that is followed, made twice, and compressed."""
    log.write_bytes(ledger.lines(200))
    follower.start(log.parent, pace=0.2)
    follower.wait_for(ledger)
    shutil.copy(log, log.with_name("backup.log"))
    append(log, ledger.lines(20))
    follower.wait_for(ledger)
    shutil.copy(log, log.with_name("backup.log"))
    log.with_name("before.log.gz").write_bytes(gzip.compress(log.read_bytes()))
    log.with_name("later.log").write_bytes(ledger.lines(20))
    follower.check(ledger, log.parent, log=log)


def test_copytruncate_while_its_writer_goes_on(
    follower: Follower, ledger: Ledger, log: Path
) -> None:
    """Always some lines unread; only between copy and truncation it holds its breath."""
    is_over, breath = threading.Event(), threading.Lock()

    def write() -> None:
        while not is_over.wait(0.001):
            with breath:
                append(log, ledger.lines(10, width=200))

    append(log, ledger.lines(200))
    follower.start(log)
    follower.wait_for(ledger)
    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(4, 0, -1):
            time.sleep(0.4)
            with breath:
                shutil.copy(log, log.with_name(f"app.log.{number}"))
                os.truncate(log, 0)
    finally:
        is_over.set()
        writer.join()
    follower.check(ledger, log=log)


def test_an_inode_comes_back_while_it_runs(follower: Follower, ledger: Ledger, log: Path) -> None:
    """Once the deleted file is let go, another file may get its inode: it is another stream."""
    append(log, ledger.lines(50))
    follower.start(log, pace=0.1)
    follower.wait_for(ledger)
    for count in (50, 20, 300):
        inode = log.stat().st_ino
        log.unlink()
        wait_until(lambda: inode not in _open_inodes(follower.pid), "the file is let go")  # noqa: B023
        for attempt in range(1000):
            # Others may be faster to get it.
            log.write_bytes(b"")
            if log.stat().st_ino == inode:
                break
            log.rename(log.with_name(f"taken{attempt}"))
        append(log, ledger.lines(count))
        follower.wait_for(ledger)
    follower.check(ledger, log=log)


def _open_inodes(pid: int) -> set[int]:
    found = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):
            found.add(descriptor.stat().st_ino)
    return found


def test_a_copy_that_ends_in_the_first_piece(follower: Follower, ledger: Ledger, log: Path) -> None:
    """Copied first, read in one piece after more lines came, truncated last."""
    log.write_bytes(ledger.lines(700, width=100))
    shutil.copy(log, log.with_name("app.log.1"))
    append(log, ledger.lines(300, width=100))
    follower.start(log)
    follower.wait_for(ledger)
    os.truncate(log, 0)
    append(log, ledger.lines(5))
    follower.check(ledger, log=log)


@pytest.mark.parametrize("count", [5, 400], ids=["short", "long"])
@pytest.mark.parametrize("unread", [0, 3], ids=["all read", "with an unread tail"])
def test_a_rotated_file_is_compressed(
    follower: Follower, ledger: Ledger, log: Path, count: int, unread: int
) -> None:
    """What is read is not read again; the tail is read from the compressed file."""
    log.write_bytes(ledger.lines(count))
    follower.start(log, pace=0.2)
    follower.wait_for(ledger)
    follower.process.send_signal(signal.SIGSTOP)
    append(log, ledger.lines(unread))
    log.with_name("app.log.1.gz").write_bytes(gzip.compress(log.read_bytes()))
    log.write_bytes(ledger.lines(count))
    follower.process.send_signal(signal.SIGCONT)
    follower.check(ledger, log=log)


def test_a_half_written_gz_waits(follower: Follower, ledger: Ledger, log: Path) -> None:
    """It is read once it is whole, and then once."""
    log.write_bytes(ledger.lines(10))
    follower.start(log, pace=0.2)
    follower.wait_for(ledger)
    follower.kill()
    packed = gzip.compress(log.read_bytes() + ledger.lines(3000))
    log.write_bytes(ledger.lines(10))
    other = log.with_name("app.log.1.gz")
    other.write_bytes(packed[: len(packed) // 2])
    follower.start(log)
    wait_until(lambda: len(follower.seen()) >= 20, "the plain file is read")
    for place in range(len(packed) // 2, len(packed), 1 + len(packed) // 8):
        append(other, packed[place : place + 1 + len(packed) // 8])
        time.sleep(0.1)
    follower.check(ledger, log=log)


def test_a_link_is_switched(follower: Follower, ledger: Ledger, log: Path) -> None:
    """The old file is read to its end, also if the switch came while nobody looked."""
    link = log.with_name("current.log")
    targets = [log.with_name(f"app-2026-03-{day}.log") for day in (1, 2, 3)]
    targets[0].write_bytes(ledger.lines(30))
    link.symlink_to(targets[0].name)
    follower.start(link)
    follower.wait_for(ledger)
    for old, new in itertools.pairwise(targets):
        append(old, ledger.lines(3))
        new.write_bytes(ledger.lines(30))
        link.unlink()
        link.symlink_to(new.name)
        append(old, ledger.lines(3))
        if new == targets[2]:
            follower.kill()
            append(old, ledger.lines(3))
            follower.start(link)
        follower.wait_for(ledger)
    follower.check(ledger, log=link)


def test_delete_and_create(follower: Follower, ledger: Ledger, log: Path) -> None:
    """What the writer of the deleted file still adds is read, even after a long silence."""
    count = 5
    log.write_bytes(ledger.lines(count))
    follower.start(log, pace=0.2)
    follower.wait_for(ledger)
    with log.open("ab") as old:
        log.unlink()
        old.write(ledger.lines(count))
        old.flush()
        log.write_bytes(ledger.lines(count))
        follower.wait_for(ledger)
        time.sleep(1.5)
        old.write(ledger.lines(count) + ledger.lines(1)[:-1])
    follower.check(ledger, log=log)


@pytest.mark.parametrize(
    "count", [0, 10, 40, 200], ids=["no more", "less", "exactly as much", "more"]
)
def test_truncate_and_write_anew(follower: Follower, ledger: Ledger, log: Path, count: int) -> None:
    """Whatever its new length: while follow runs, and between two of its looks."""
    log.write_bytes(lines(ledger, 40))
    follower.start(log)
    follower.wait_for(ledger)
    for stopped in (False, True):
        if stopped:
            follower.process.send_signal(signal.SIGSTOP)
        with log.open("r+b") as file:
            file.truncate(0)
            file.write(lines(ledger, count))
        follower.process.send_signal(signal.SIGCONT)
        follower.wait_for(ledger)
        append(log, lines(ledger, 40 - count if count < 40 else 0))
        follower.wait_for(ledger)
    follower.check(ledger, log=log)


def lines(ledger: Ledger, count: int) -> bytes:
    """Return *count* lines of equal length that end alike."""
    return b"".join(ledger.lines(1).rstrip().ljust(600) + b"\n" for _ in range(count))
