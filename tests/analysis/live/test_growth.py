"""What is added to files that are watched: all of it once, whatever is done to them."""

from __future__ import annotations

import os
import shutil
import threading
import time
from functools import partial
from typing import TYPE_CHECKING

import pytest
from logkit_analysis.live.filters import Selection
from logkit_analysis.sources.pace import Pace
from logkit_analysis.stopping import StopSignal

from tests.analysis.live.viewer import append, line, numbers, viewing

if TYPE_CHECKING:
    from pathlib import Path

ERRORS = Selection("error")
# A file with more than a kilobyte is told by its first bytes, a shorter one is not.
SIZES = pytest.mark.parametrize("size", [2, 40], ids=["short", "long"])


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Return the path of a log that is not there yet."""
    return tmp_path / "bot.log"


def test_what_comes_before_the_first_look(log: Path) -> None:
    """What was there and what is new meet without a hole and without an overlap."""
    append(log, line(0), line(1))
    with viewing(log) as viewer:
        append(log, line(2))
        begun = numbers(viewer.last(10))
        append(log, line(3))
        assert [*begun, *viewer.until_quiet()] == [0, 1, 2, 3]


def test_a_line_without_a_time_keeps_its_place(log: Path) -> None:
    """Behind the line before it, whatever other files bring."""
    other = log.with_name("other.log")
    for path in (log, other):
        path.touch()
    with viewing(log, other) as viewer:
        untimed = b'{"event":"counted","seq":2}\n'
        append(log, line(0), line(1, second=20), untimed, line(3, second=40))
        append(other, line(4, second=10), line(5, second=30))
        assert viewer.until_quiet() == [0, 4, 1, 2, 5, 3]


def test_a_clock_that_jumps_holds_nothing_back(log: Path) -> None:
    """A line from the future is shown as it comes, and so are those after it."""
    log.touch()
    with viewing(log) as viewer:
        append(log, line(0), line(1, second=10**8), line(2, second=5))
        assert viewer.until_quiet() == [0, 1, 2]
        append(log, line(3))
        assert viewer.until_quiet() == [0, 1, 2, 3]


@SIZES
def test_who_still_writes_into_a_rotated_file(log: Path, size: int) -> None:
    """Its lines are shown as long as it is open."""
    append(log, *map(line, range(size)))
    with viewing(log) as viewer, log.open("ab", buffering=0) as old:
        old.write(line(100))
        log.rename(log.with_name("bot.log.1"))
        append(log, line(101))
        old.write(line(102))
        assert sorted(viewer.until_quiet()) == [100, 101, 102]
        old.write(line(103))
        assert sorted(viewer.until_quiet()) == [100, 101, 102, 103]


@SIZES
def test_a_file_that_is_moved_away(
    log: Path, size: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """It is read to its end, also a last line that has no newline."""
    append(log, *map(line, range(size)))
    with viewing(log) as viewer:
        append(log, line(100), line(101)[:-1])
        log.rename(tmp_path_factory.mktemp("elsewhere") / "bot")
        assert viewer.until_quiet() == [100, 101]


@SIZES
@pytest.mark.parametrize("new", [1, 60], ids=["less than before", "more than before"])
def test_copy_and_truncate(log: Path, size: int, new: int) -> None:
    """The copy says nothing new, and the new lines are all shown however many there are."""
    append(log, *map(line, range(size)))
    with viewing(log) as viewer:
        append(log, line(100))
        assert viewer.until_quiet() == [100]
        shutil.copy(log, log.with_name("bot.log.1"))
        os.truncate(log, 0)
        append(log, *map(line, range(200, 200 + new)))
        assert viewer.until_quiet() == [100, *range(200, 200 + new)]


def test_a_file_written_anew_from_the_same_first_line(log: Path) -> None:
    """A banner does not make another run of the bot look like the one before."""
    append(log, line(0), *[line(1)] * 20)
    with viewing(log) as viewer:
        assert viewer.until_quiet() == []
        log.write_bytes(line(0) + line(2) * 30)
        assert viewer.until_quiet() == [0, *[2] * 30]


def test_delete_and_create(log: Path) -> None:
    """What was written before the deletion is shown, and so is the new file."""
    append(log, line(0))
    with viewing(log) as viewer:
        append(log, line(1))
        log.unlink()
        assert viewer.until_quiet() == [1]
        append(log, line(2), line(3))
        assert viewer.until_quiet() == [1, 2, 3]


@pytest.mark.parametrize("argument", ["", "*.log"], ids=["folder", "glob"])
def test_new_files_are_found(log: Path, argument: str) -> None:
    """A file that comes later is shown from its start."""
    append(log, line(0))
    with viewing(f"{log.parent}/{argument}") as viewer:
        assert viewer.until_quiet() == []
        new = log.with_name("new.log")
        append(new, line(1))
        assert viewer.until_quiet() == [1]
        assert sorted(viewer.files.names) == [str(log), str(new)]


def test_a_file_that_cannot_be_read(log: Path) -> None:
    """It is named once, and the others go on."""
    append(log, line(0))
    unreadable = log.with_name("unreadable.log")
    # Also for root, who may read any file.
    unreadable.symlink_to("/proc/self/mem")
    with viewing(unreadable, log) as viewer:
        append(log, line(1))
        assert viewer.until_quiet() == [1]
    assert viewer.said == [f"cannot read {unreadable}: Input/output error; trying again"]


def test_records_of_several_lines_are_shown_whole(log: Path) -> None:
    """A traceback waits for its end: the next record, or a silence."""
    head = b"2026-03-19 12:00:0%d,123 ERROR bot: it failed\nTraceback (most recent call last):\n"
    log.write_bytes((head % 0 + b"ValueError: 0\n") * 20)
    os.utime(log, (1, 1))
    with viewing(log, pace=Pace().times(0.2)) as viewer:
        append(log, head % 1)
        assert viewer.look() == []
        append(log, b"ValueError: 1\n", head % 2, b"ValueError: 2\n")
        viewer.until(lambda: len(viewer.seen) >= 2)
    assert [event.columns["error_message"] for event in viewer.seen] == ["1", "2"]


def test_lines_that_are_no_events(log: Path) -> None:
    """They are shown with the reason, unless something is filtered."""
    log.touch()
    with viewing(log) as viewer:
        append(log, b'{"seq":\xff\n', line(1))
        viewer.until(lambda: len(viewer.seen) == 2)
        append(log, b"{]\n", line(2, level="error"))
        viewer.until(lambda: len(viewer.seen) == 3, ERRORS)
    reject, *others = viewer.seen
    assert reject.reject_reason is not None
    assert reject.columns["message"] == '{"seq":\\xff'
    assert numbers(others) == [1, 2]


def test_more_bytes_than_a_look_takes(log: Path) -> None:
    """A burst comes in pieces, so that memory stays flat, and all of it is shown."""
    log.touch()
    with viewing(log) as viewer:
        append(log, line(1, pad=2_000) * 10_000, line(2, level="error"))
        looks = 0
        while not viewer.look(ERRORS):
            looks += 1
        assert numbers(viewer.seen) == [2]
        assert looks > 1
        assert viewer.files.lag_bytes == 0


def test_a_line_longer_than_a_look(log: Path) -> None:
    """It is shown whole."""
    log.touch()
    with viewing(log) as viewer:
        append(log, line(1, pad=10_000_000), line(2))
        assert viewer.until_quiet() == [1, 2]


@pytest.mark.parametrize("is_told", [True, False], ids=["a signal", "a change"])
def test_what_ends_a_wait(log: Path, *, is_told: bool) -> None:
    """Being told to stop, or a change of a file."""
    log.touch()
    stop = StopSignal()
    with viewing(log, pace=Pace(look_interval_s=200.0)) as viewer:
        viewer.look()
        timer = threading.Timer(0.2, stop.set if is_told else partial(append, log, line(1)))
        timer.start()
        started = time.monotonic()
        viewer.files.wait(stop)
        assert time.monotonic() - started < 100
        timer.join()
        viewer.until(lambda: is_told or numbers(viewer.seen) == [1])


def test_nothing_is_written(log: Path) -> None:
    """No file is made, changed or locked beside what is watched."""
    append(log, line(0))
    before = log.stat()
    with viewing(log.parent) as viewer:
        viewer.last(5)
        viewer.until_quiet()
    assert list(log.parent.iterdir()) == [log]
    assert log.stat().st_mtime_ns == before.st_mtime_ns
