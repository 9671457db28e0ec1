"""What logs held before anybody watched: found without reading all, also in rotated copies."""

from __future__ import annotations

import gzip
import os
import random
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from backports import zstd
from hypothesis import given
from hypothesis import strategies as st
from logkit_analysis.live.filters import Selection

from tests.analysis.live.viewer import START, append, line, numbers, viewing

if TYPE_CHECKING:
    from collections.abc import Callable

ERRORS = Selection("error")
MOST_READ = 6_000_000
BIG_LINES = 50_000
PACKERS = pytest.mark.parametrize(
    ("suffix", "packed"),
    [
        pytest.param("", bytes, id="plain"),
        pytest.param(".gz", gzip.compress, id="gz"),
        pytest.param(".zst", zstd.compress, id="zst"),
    ],
)


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a log of 33 MB: every 50th line is an error, some lines have no time."""
    path = tmp_path_factory.mktemp("big") / "big.log"
    untimed = b'{"seq":%d,"event":"counted","level":"error"}\n'
    path.write_bytes(
        b"".join(
            untimed % number
            if number % 20 == 13
            else line(number, level="info" if number % 50 else "error", pad=550)
            for number in range(BIG_LINES)
        )
    )
    return path


def bytes_read() -> int:
    """Return how much this process has read so far."""
    counts = dict(row.split(": ") for row in Path("/proc/self/io").read_text().splitlines())
    return int(counts["rchar"])


def test_no_lines_to_begin_with(big: Path) -> None:
    """That is possible."""
    with viewing(big) as viewer:
        assert viewer.last(0) == []


def test_the_last_lines_of_a_big_log_are_read_from_its_end(big: Path) -> None:
    """A log of any size begins at once."""
    before = bytes_read()
    with viewing(big) as viewer:
        assert numbers(viewer.last(50)) == list(range(BIG_LINES - 50, BIG_LINES))
    assert bytes_read() - before < MOST_READ


@pytest.mark.parametrize("first", [1, 4_350, 25_001, BIG_LINES - 50, BIG_LINES + 5])
def test_the_lines_since_a_time_in_a_big_log(big: Path, first: int) -> None:
    """All of them, wherever it is."""
    with viewing(big) as viewer:
        shown = viewer.since(first, ERRORS)
    assert shown == [number for number in range(0, BIG_LINES, 50) if number >= first]


def test_a_time_in_a_big_log_is_searched_for(big: Path) -> None:
    """The lines before it are left alone."""
    before = bytes_read()
    with viewing(big) as viewer:
        viewer.since(BIG_LINES - 100, ERRORS)
    assert bytes_read() - before < MOST_READ


def test_count_and_time_together(tmp_path: Path) -> None:
    """The last lines, none of them older."""
    append(tmp_path / "bot.log", *map(line, range(20)))
    with viewing(tmp_path) as viewer:
        assert viewer.since(10, count=3) == [17, 18, 19]
        assert viewer.since(10, count=15) == list(range(10, 20))


@PACKERS
def test_rotated_copies_that_reach_into_the_time(
    tmp_path: Path, suffix: str, packed: Callable[[bytes], bytes]
) -> None:
    """They are read as well, and never again."""
    for number in (1, 2, 3):
        begin = (3 - number) * 100
        path = tmp_path / f"bot.log.{number}{suffix}"
        path.write_bytes(packed(b"".join(map(line, range(begin, begin + 100)))))
        at = (START + timedelta(seconds=begin + 100)).timestamp()
        os.utime(path, (at, at))
    append(tmp_path / "bot.log", *map(line, range(300, 310)))
    with viewing(tmp_path / "bot.log") as viewer:
        assert viewer.since(150) == list(range(150, 310))
        assert viewer.until_quiet() == []


@PACKERS
@pytest.mark.parametrize("argument", ["", "bot.log", "bot.log*"], ids=["folder", "file", "glob"])
def test_the_last_lines_just_after_a_rotation(
    tmp_path: Path, argument: str, suffix: str, packed: Callable[[bytes], bytes]
) -> None:
    """What the new file lacks comes from the rotated one, of which nothing is new."""
    (tmp_path / f"bot.log.1{suffix}").write_bytes(packed(b"".join(map(line, range(100)))))
    log = tmp_path / "bot.log"
    append(log, *map(line, (100, 101)))
    with viewing(tmp_path / argument) as viewer:
        assert numbers(viewer.last(5)) == [97, 98, 99, 100, 101]
        append(log, line(102))
        assert viewer.until_quiet() == [102]


def test_a_rotation_within_a_second(tmp_path: Path) -> None:
    """Where many lines have the same time, those of the rotated file are still the earlier ones."""
    append(tmp_path / "bot.log.1", *(line(number, second=0) for number in range(100)))
    os.utime(tmp_path / "bot.log.1", (START.timestamp(), START.timestamp()))
    append(tmp_path / "bot.log", *(line(number, second=0) for number in range(100, 200)))
    with viewing(tmp_path / "bot.log") as viewer:
        assert numbers(viewer.last(50)) == list(range(150, 200))
        assert viewer.since(0) == list(range(200))


def test_the_last_lines_of_a_compressed_log_of_text(tmp_path: Path) -> None:
    """The record that is cut where reading begins is left out, not torn."""
    noise = random.Random(1).randbytes(200).hex()
    record = "2026-03-19 12:00:00,000 - bot - ERROR - failed {}\n" + f"  {noise}\n" * 20
    text = "".join(record.format(number) for number in range(2_000))
    (tmp_path / "bot.log.1.gz").write_bytes(gzip.compress(text.encode(), 1))
    with viewing(tmp_path / "bot.log") as viewer:
        events = viewer.last(5_000)
    assert not any(event.reject_reason for event in events)
    assert [event.columns["message"].split("\n")[0] for event in events[-2:]] == [
        "failed 1998",
        "failed 1999",
    ]
    assert 500 < len(events) < 2_000


def test_a_damaged_copy(tmp_path: Path) -> None:
    """What comes before the damage is shown, and the damage is told."""
    append(tmp_path / "bot.log", *map(line, (8_000, 8_001)))
    packed = gzip.compress(b"".join(map(line, range(8_000))))
    (tmp_path / "bot.log.1.gz").write_bytes(packed[: len(packed) // 2])
    with viewing(tmp_path / "bot.log") as viewer:
        shown = viewer.since(0)
        assert numbers(viewer.last(3)) == [8_000, 8_001]
    assert shown == [*range(len(shown) - 2), 8_000, 8_001]
    assert len(shown) > 2
    assert any("bot.log.1.gz: damaged" in text for text in viewer.said)


@given(
    seconds=st.lists(st.one_of(st.none(), st.integers(0, 40)), max_size=60),
    since=st.integers(0, 40),
)
def test_since_in_a_log_out_of_order(
    tmp_path_factory: pytest.TempPathFactory, seconds: list[int | None], since: int
) -> None:
    """No line of that time or later is missing, no earlier one is there."""
    log = tmp_path_factory.mktemp("log") / "bot.log"
    log.write_bytes(
        b"".join(
            b'{"seq":%d}\n' % number if second is None else line(number, second=second)
            for number, second in enumerate(seconds)
        )
    )
    with viewing(log) as viewer:
        shown = viewer.since(since)
    assert sorted(shown) == [
        number for number, second in enumerate(seconds) if second is not None and second >= since
    ]


def test_clocks_that_were_wrong(tmp_path: Path) -> None:
    """A line dated 1970 or 2099 misleads neither the search for a time nor the merging."""
    log, other = tmp_path / "bot.log", tmp_path / "other.log"
    wrong = [-(10**9), 2 * 10**9]
    append(
        log,
        *(
            line(number, pad=550, second=wrong[number % 2] if number % 90 < 2 else None)
            for number in range(20_000)
        ),
    )
    append(other, *(line(-1, second=second + 0.5) for second in range(19_995, 20_000)))
    with viewing(log, other) as viewer:
        for first in (9_000, 12_345, 19_990):
            shown = [number for number in viewer.since(first) if number >= first]
            assert shown == [n for n in range(first, 20_000) if n % 90 != 0]
        last = numbers(viewer.last(6))
    assert last == [19_997, -1, 19_998, -1, 19_999, -1]


def test_copies_are_not_shown_twice(tmp_path: Path) -> None:
    """Neither a second name of a log nor what logrotate is just compressing."""
    log, rotated = tmp_path / "bot.log", tmp_path / "bot.log.1"
    append(rotated, *map(line, range(5)))
    (tmp_path / "bot.log.1.gz").write_bytes(gzip.compress(rotated.read_bytes())[:-9])
    append(log, line(5))
    (tmp_path / "bot.log.newest").symlink_to(log)
    with viewing(log) as viewer:
        assert numbers(viewer.last(50)) == viewer.since(0) == list(range(6))
        assert viewer.until_quiet() == []
