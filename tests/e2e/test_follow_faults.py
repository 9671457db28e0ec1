"""Kills, full disks, damaged and replaced databases: nothing lost, nothing counted twice."""

from __future__ import annotations

import fcntl
import random
import resource
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from tests.e2e.following import append, wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.following import Follower, Ledger


def soak(*values: object) -> object:
    """Return a case that takes minutes."""
    return pytest.param(*values, marks=[pytest.mark.soak, pytest.mark.timeout(1800)])


@pytest.mark.parametrize("kills", [24, soak(1000)])
def test_killed_within_milliseconds_of_a_commit(
    follower: Follower, ledger: Ledger, log: Path, kills: int
) -> None:
    """Before, in and after it: while it takes the lock, writes the log or empties the log."""
    rng = random.Random(kills)
    lock = follower.database.with_name("store.duckdb.lock")
    for number in range(kills):
        append(log, ledger.lines(rng.randrange(2_000), width=300))
        before = follower.stamp()
        follower.start(log, pace=0.02)
        for _ in range(rng.randrange(6)):
            before = _spin_until_changed(follower, before)
            append(log, ledger.lines(rng.randrange(500), width=300))
        if number % 3:
            _spin_until_changed(follower, before)
            _spin(rng.choice([0.0, 0.0005, 0.002, 0.006]) * rng.random())
        else:
            _spin_until_locked(lock)
            _spin(0.05 * rng.random())
        follower.kill()
    follower.start(log, pace=1)
    follower.check(ledger, log=log)


def _spin_until_changed(follower: Follower, before: object) -> object:
    """Return the stamp of the database as soon as it is not *before*; give up after a while."""
    end = time.perf_counter() + 5
    while (now := follower.stamp()) == before and time.perf_counter() < end:
        pass
    return now


def _spin_until_locked(lock: Path) -> None:
    """Return as soon as somebody has the database open for writing, or after a while."""
    end = time.perf_counter() + 5
    with lock.open("rb") as file:
        while time.perf_counter() < end:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            fcntl.flock(file, fcntl.LOCK_UN)


def _spin(seconds: float) -> None:
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


@pytest.mark.parametrize("cuts", [12, soak(400)])
def test_the_log_of_the_database_ends_anywhere(
    follower: Follower, ledger: Ledger, log: Path, cuts: int
) -> None:
    """The same log, cut at as many places: it opens, and what is missing is read again, once."""
    follower.start(log)
    for _ in range(4):
        append(log, ledger.lines(20))
        follower.wait_for(ledger)
    follower.kill()
    database, wal = follower.database, follower.database.with_name("store.duckdb.wal")
    contents, data = database.read_bytes(), wal.read_bytes()
    for number in range(cuts):
        database.write_bytes(contents)
        wal.write_bytes(data[: len(data) * number // cuts])
        ingest = follower.nursery.start(
            ["ingest", str(log), "--db", str(database)],
            folder=log.parent,
            stdout=log.with_name("out"),
            stderr=log.with_name("err"),
        )
        assert ingest.wait(60) == 0
        assert follower.seen() == ledger.written, (number, log.with_name("err").read_text())


@pytest.mark.parametrize("damages", [4, soak(60)])
def test_the_log_of_the_database_is_damaged(
    follower: Follower, ledger: Ledger, log: Path, damages: int
) -> None:
    """As a loss of power may leave it: cut anywhere, or ending in zeros or noise."""
    rng = random.Random(damages)
    wal = follower.database.with_name("store.duckdb.wal")
    follower.start(log, pace=0.1)
    for number in range(damages):
        for _ in range(rng.randrange(1, 6)):
            append(log, ledger.lines(30))
            follower.wait_for(ledger)
        follower.kill()
        data = wal.read_bytes()
        at = rng.randrange(len(data)) if number % 4 else len(data) * 9 // 10
        end = (b"", bytes(9000), rng.randbytes(9000))[number % 3]
        wal.write_bytes(data[:at] + end)
        follower.start(log)
        follower.wait_for(ledger)
    follower.check(ledger, log=log)


def test_a_full_disk_and_then_room_again(follower: Follower, ledger: Ledger, log: Path) -> None:
    """It is told once; what could not be written is read again and stored later."""
    append(log, ledger.lines(100))
    follower.start(log)
    follower.wait_for(ledger)
    for number in range(1, 3):
        _limit_file_size(follower, 100_000)
        append(log, ledger.lines(1000, width=200))
        wait_until(lambda: follower.said.count("trying again") == number, "the trouble is told")  # noqa: B023
        append(log, ledger.lines(1000, width=200))
        time.sleep(0.5)
        _limit_file_size(follower, resource.RLIM_INFINITY)
        follower.wait_for(ledger)
    assert follower.said.count("can be written again") == 2
    _limit_file_size(follower, 100_000)
    append(log, ledger.lines(1000, width=200))
    wait_until(lambda: follower.said.count("trying again") == 3, "the trouble is told")
    assert follower.stop().code == 0
    follower.start(log)
    follower.check(ledger, log=log)


@pytest.mark.soak
@pytest.mark.needs_program("mount", "umount")
def test_a_file_system_without_room(follower: Follower, ledger: Ledger, log: Path) -> None:
    """A real one that is full, with a database that has no room even for its log."""
    place = log.with_name("small")
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(place)])
    if mounted.returncode:
        pytest.skip("may not mount")
    follower.database = place / "store.duckdb"
    filler = place / "filler"
    try:
        append(log, ledger.lines(100))
        follower.start(log, pace=0.2)
        follower.wait_for(ledger)
        for number in range(1, 4):
            with suppress(OSError):
                filler.write_bytes(bytes(8_000_000))
            append(log, ledger.lines(1_000, width=200))
            wait_until(lambda: follower.said.count("trying again") == number, "it is told")  # noqa: B023
            if number == 3:
                follower.kill()
            filler.unlink()
            if number == 3:
                follower.start(log)
            follower.wait_for(ledger)
        follower.check(ledger, log=log)
    finally:
        follower.clean_up()
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def _limit_file_size(follower: Follower, size: int) -> None:
    resource.prlimit(follower.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def test_a_burst_while_it_is_stopped(follower: Follower, ledger: Ledger, log: Path) -> None:
    """A laptop that slept, a container that was paused: 100 MB have come meanwhile."""
    append(log, ledger.lines(10))
    follower.start(log)
    follower.wait_for(ledger)
    follower.process.send_signal(signal.SIGSTOP)
    for _ in range(100):
        append(log, ledger.lines(2_000, width=460))
    follower.process.send_signal(signal.SIGCONT)
    follower.wait_for(ledger, within_s=120)
    follower.check(ledger)


def test_the_database_is_deleted(follower: Follower, ledger: Ledger, log: Path) -> None:
    """It is made anew, and all that is still there is read into it."""
    log.write_bytes(ledger.lines(50))
    follower.start(log)
    follower.wait_for(ledger)
    for pattern in ("store.duckdb", "store.duckdb*", "store.duckdb.wal"):
        for path in follower.database.parent.glob(pattern):
            path.unlink()
        append(log, ledger.lines(50))
        follower.wait_for(ledger)
    assert "was deleted" in follower.said
    follower.check(ledger)


def test_an_older_copy_takes_the_database_s_place(
    follower: Follower, ledger: Ledger, log: Path
) -> None:
    """What the copy does not hold is read again; neither a gap nor a double line remains."""
    log.write_bytes(ledger.lines(50))
    follower.start(log)
    follower.wait_for(ledger)
    follower.stop()
    files = [follower.database, follower.database.with_name("store.duckdb.wal")]
    saved = [path.with_name(f"saved.{path.name}") for path in files]
    for path, copy in zip(files, saved, strict=True):
        shutil.copy(path, copy)
    for is_in_place in (True, False):
        follower.start(log)
        append(log, ledger.lines(50))
        follower.wait_for(ledger)
        for path, copy in zip(files, saved, strict=True):
            other = path.with_suffix(".new")
            shutil.copy(copy, path if is_in_place else other)
            if not is_in_place:
                other.replace(path)
        append(log, ledger.lines(50))
        follower.wait_for(ledger)
        follower.kill()
    follower.start(log)
    follower.check(ledger)


@pytest.mark.parametrize("commits", [70, soak(10_000)])
def test_many_small_commits(follower: Follower, ledger: Ledger, log: Path, commits: int) -> None:
    """The database stays as small and as whole as if all had come at once."""
    follower.start(log, pace=0.02)
    for _ in range(commits):
        stamp = follower.stamp()
        append(log, ledger.lines(2))
        wait_until(lambda: follower.stamp() != stamp, "a commit")  # noqa: B023
    follower.wait_for(ledger)
    size = sum(path.stat().st_size for path in follower.database.parent.glob("store.duckdb*"))
    assert size < 3_000_000 + commits * 200
    follower.check(ledger)
    assert len(row_groups(follower)) <= 3


def test_a_quiet_moment_is_used_to_tidy_up(follower: Follower, ledger: Ledger, log: Path) -> None:
    """Pieces that big commits left one by one become one, while nobody waits for a commit."""
    append(log, ledger.lines(1))
    follower.start(log, pace=0.6)
    follower.wait_for(ledger)
    while len(row_groups(follower)) < 4:
        append(log, ledger.lines(8_000, width=600))
        wait_until(lambda: follower.seen() == ledger.written, "the burst is stored")
    wait_until(lambda: len(row_groups(follower)) == 1, "the pieces are joined")
    follower.check(ledger)


def row_groups(follower: Follower) -> list[int]:
    """Return the sizes of the row groups in which the events are stored."""
    found = follower.rows(
        "select max(count) from pragma_storage_info('events') "
        "where column_name = 'level' and segment_type <> 'VALIDITY' group by row_group_id"
    )
    return [size for (size,) in found]
