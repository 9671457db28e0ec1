"""What is followed: files and lines of every kind, each read once."""

from __future__ import annotations

import gzip
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.e2e.following import append, wait_until

if TYPE_CHECKING:
    from tests.e2e.following import Follower, Ledger


def test_files_and_folders_that_appear_later(
    follower: Follower, ledger: Ledger, tmp_path: Path
) -> None:
    """A path, a folder and a glob may lead to nothing when follow starts."""
    place = tmp_path / "later"
    follower.start(place / "a.log", place / "folder", place / "*" / "globbed.log")
    place.mkdir()
    for path in (place / "a.log", place / "folder" / "deep" / "b.log", place / "x" / "globbed.log"):
        path.parent.mkdir(parents=True, exist_ok=True)
        append(path, ledger.lines(5))
        follower.wait_for(ledger)
        append(path, ledger.lines(5))
        follower.wait_for(ledger)
    shutil.rmtree(place)
    wait_until(lambda: not list(place.parent.glob("later/*")), "")
    (place / "folder").mkdir(parents=True)
    append(place / "folder" / "b.log", ledger.lines(5))
    follower.check(ledger)


def test_a_change_that_nobody_tells_of(follower: Follower, ledger: Ledger, log: Path) -> None:
    """Written through a link in another folder, which gives no notice, as on a network mount."""
    other = log.parent.parent / "elsewhere"
    log.write_bytes(ledger.lines(5))
    other.hardlink_to(log)
    follower.start(log)
    follower.wait_for(ledger)
    for _ in range(3):
        append(other, ledger.lines(5))
        follower.wait_for(ledger, within_s=60)
    follower.check(ledger, log=log)


def test_more_files_than_descriptors(follower: Follower, ledger: Ledger, log: Path) -> None:
    """500 files under a limit of 256: DuckDB, which dies without descriptors, keeps its own."""
    paths = [log.with_name(f"{number}.log") for number in range(500)]
    for path in paths:
        path.write_bytes(ledger.lines(1))
    follower.start(log.parent, descriptors=256)
    follower.wait_for(ledger, within_s=60)
    for path in paths:
        append(path, ledger.lines(1))
    paths[7].rename(paths[7].with_suffix(".log.1"))
    paths[7].write_bytes(ledger.lines(1))
    follower.wait_for(ledger, within_s=60)
    assert len([*Path(f"/proc/{follower.pid}/fd").iterdir()]) < 256 - 40
    follower.check(ledger)


def test_an_inode_is_used_again(follower: Follower, ledger: Ledger, log: Path) -> None:
    """Another file in the inode of a deleted one is another stream, whatever its length."""
    for count in (100, 3, 100, 300):
        follower.start(log)
        log.write_bytes(ledger.lines(count))
        follower.wait_for(ledger)
        follower.kill()
        inode = log.stat().st_ino
        log.unlink()
        for attempt in range(1000):
            # Others may be faster to get it.
            log.write_bytes(b"")
            if log.stat().st_ino == inode:
                break
            log.rename(log.with_name(f"taken{attempt}"))
    append(log, ledger.lines(1))
    follower.start(log)
    follower.check(ledger, log=log)


@pytest.mark.parametrize("size", [200, 1500, 5000])
def test_files_with_the_same_banner(
    follower: Follower, ledger: Ledger, log: Path, size: int
) -> None:
    """Each is a stream of its own: side by side, rotated, and written anew after a truncation."""
    banner = b'{"event":"banner","seq":-1,"note":"%s"}\n' % (b"-" * size)
    follower.start(log.parent)
    for path in (log, log.with_name("other.log"), log.with_name("third.log")):
        path.write_bytes(banner)
        append(path, ledger.lines(3))
        ledger.written[-1] += 1
        follower.wait_for(ledger)
    log.rename(log.with_name("app.log.1"))
    log.write_bytes(banner + ledger.lines(2))
    ledger.written[-1] += 1
    follower.wait_for(ledger)
    log.with_name("other.log").write_bytes(banner + ledger.lines(30))
    ledger.written[-1] += 1
    follower.check(ledger, log.parent, log=log)


def test_an_unfinished_line_waits_for_its_newline(
    follower: Follower, ledger: Ledger, log: Path
) -> None:
    """It is in no table before, however it is cut and however long it takes."""
    log.write_bytes(ledger.lines(2))
    follower.start(log)
    follower.wait_for(ledger)
    line = ledger.lines(1)
    other = log.with_name("app.log.1")
    with log.open("ab", buffering=0) as file:
        for piece in (line[:1], line[1:20], line[20:-1]):
            file.write(piece)
            append(other, b'{"seq":-5}\n')
            ledger.written[-5] += 1
            wait_until(lambda: follower.seen()[-5] == ledger.written[-5], "the other file is read")
            assert follower.seen().total() == 2 + ledger.written[-5]
        follower.kill()
        follower.start(log)
        append(other, b'{"seq":-5}\n')
        ledger.written[-5] += 1
        wait_until(lambda: follower.seen()[-5] == ledger.written[-5], "the other file is read")
        assert follower.seen().total() == 2 + ledger.written[-5]
        file.write(line[-1:])
    follower.check(ledger, log=log)


def test_ten_megabytes_in_one_line(follower: Follower, ledger: Ledger, log: Path) -> None:
    """Longer than what is read at once; as an event and as a reject."""
    follower.start(log)
    append(log, ledger.lines(2, width=10_000_000) + ledger.lines(3))
    follower.wait_for(ledger)
    assert follower.rows("select max(strlen(json_extract_string(fields, 'note'))) from events") == [
        (10_000_000,)
    ]
    follower.check(ledger, log=log)


def test_a_line_over_the_limit_is_kept_whole(follower: Follower, ledger: Ledger, log: Path) -> None:
    """An event of ten megabytes goes to quarantine if that is more than the user wants read."""
    follower.start(log, "--max-line-bytes", "9000000")
    append(log, ledger.lines(2, width=10_000_000) + ledger.lines(3))
    follower.wait_for(ledger)
    rejects = "select octet_length(raw) > 10000000, count(*) from quarantine where reason like "
    assert follower.rows(rejects + "'line_too_long%' group by all") == [(True, 2)]
    follower.check(ledger, log=log)


def test_odd_names(follower: Follower, ledger: Ledger, tmp_path: Path) -> None:
    """Spaces, quotes, newlines, bytes that are no UTF-8: of logs, of folders, of the database."""
    folder = tmp_path / "a b'\"\n;%s$1 ü"
    folder.mkdir()
    follower.database = folder / "my däta;base 'x'.duckdb"
    log = folder / os.fsdecode(b"a\xff.log")
    log.write_bytes(ledger.lines(50))
    follower.start(folder)
    follower.wait_for(ledger)
    log.rename(folder / os.fsdecode(b"b\xfe.log"))
    append(folder / os.fsdecode(b"b\xfe.log"), ledger.lines(5))
    log.write_bytes(ledger.lines(50))
    follower.check(ledger, folder, log=log)


def test_what_is_no_log_is_left_alone(follower: Follower, ledger: Ledger, log: Path) -> None:
    """The database itself in a glob, locks, pipes, dead links, folders, unreadable bytes."""
    follower.database = log.with_name("store.log")
    os.mkfifo(log.with_name("pipe.log"))
    log.with_name("dead.log").symlink_to("nowhere")
    log.with_name("folder.log").mkdir()
    log.with_name("empty.log").touch()
    log.with_name("broken.log.gz").write_bytes(gzip.compress(b"{}\n")[:8])
    log.write_bytes(ledger.lines(20))
    follower.start(log.with_name("*.log*"))
    follower.wait_for(ledger)
    append(log, ledger.lines(20))
    follower.check(ledger, log.with_name("*.log*"), log=log)
