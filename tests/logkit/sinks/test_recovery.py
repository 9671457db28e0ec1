"""Recovery writes exactly what is missing, however the dead process left the file."""

from __future__ import annotations

import gzip
import time
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logkit.sinks.destination import Destination
from logkit.sinks.files import RotatingFile
from logkit.sinks.recovery import recover
from logkit.sinks.ring import HEAD_WORD, TAIL_WORD, Owner, Ring

CAPACITY = 262_144


def line(instance: str, seq: int, text: str = "") -> bytes:
    return (
        orjson.dumps({"event": "counted", "text": text, "instance": instance, "seq": seq}) + b"\n"
    )


def ring_of(lines: list[bytes], *, taken: int = 0) -> Ring:
    ring = Ring.create(-1, CAPACITY, Owner("dead", time.time(), Destination("bot")))
    for text in lines:
        ring.push(text)
    ring.advance(sum(map(len, lines[:taken])))
    return ring


def whole_lines(path: Path) -> list[bytes]:
    content = b"".join(
        gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
        for file in sorted(path.parent.glob("bot.log*"), reverse=True)
        if file.suffix != ".lock"
    )
    return content.splitlines(keepends=True)


def segments(lines: list[bytes], cuts: list[int]) -> list[list[bytes]]:
    bounds = [0, *sorted(min(cut, len(lines)) for cut in cuts), len(lines)]
    return [lines[start:end] for start, end in pairwise(bounds)]


@given(
    count=st.integers(1, 40),
    written=st.integers(0, 40),
    noted=st.integers(0, 40),
    torn_bytes=st.integers(0, 70),
    others=st.integers(0, 5),
    rotations=st.lists(st.integers(0, 45), max_size=3),
    form=st.sampled_from(["", ".gz"]),
)
def test_every_line_is_there_once_however_the_process_died(
    *,
    count: int,
    written: int,
    noted: int,
    torn_bytes: int,
    others: int,
    rotations: list[int],
    form: str,
) -> None:
    """Killed after a write and before it was noted, in the middle of a line, around a rotation."""
    lines = [line("dead", seq) for seq in range(count)]
    foreign = [line("alive", seq, '"instance":"dead"') for seq in range(others)]
    written = min(written, count)
    torn = lines[written][:torn_bytes] if written < count else b""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "bot.log"
        *rotated, newest = segments(lines[:written] + foreign, rotations)
        for number, segment in enumerate(reversed(rotated), start=1):
            content = b"".join(segment)
            backup = Path(f"{path}.{number}{form}")
            backup.write_bytes(gzip.compress(content) if form else content)
        path.write_bytes(b"".join(newest) + torn)
        recover(ring_of(lines, taken=min(noted, written)), RotatingFile(path))
        found = whole_lines(path)
    assert sorted(found) == sorted(lines + foreign)
    assert [text for text in found if text in foreign] == foreign


def test_a_recovery_that_is_killed_can_be_repeated(tmp_path: Path) -> None:
    """Lines that a first recovery has written are not written again."""
    lines = [line("dead", seq) for seq in range(100)]
    file = RotatingFile(tmp_path / "bot.log")
    assert recover(ring_of(lines), file) == 100
    assert recover(ring_of(lines), file) == 0
    assert whole_lines(tmp_path / "bot.log") == lines


def test_a_large_file_is_searched_from_its_end(tmp_path: Path) -> None:
    """Lines are found across blocks, and the search ends at an older line of the instance."""
    path = tmp_path / "bot.log"
    lines = [line("dead", seq) for seq in range(100)]
    noise = b"".join(line("alive", seq, "x" * 1_000) for seq in range(5_000))
    path.write_bytes(b"".join(lines[:50]) + noise + b"".join(lines[50:60]) + noise)
    assert recover(ring_of(lines, taken=50), RotatingFile(path)) == 40
    found = whole_lines(path)
    assert [found.count(text) for text in lines] == [1] * 100


@pytest.mark.parametrize("start", [0, 1, CAPACITY - 1, CAPACITY - 50, 3 * CAPACITY - 7])
def test_a_ring_gives_back_what_was_put_in(start: int) -> None:
    """Wherever in the ring lines lie, also across its end, they come out whole and in order."""
    ring = ring_of([])
    ring.words[HEAD_WORD] = ring.words[TAIL_WORD] = start
    lines = [line("dead", seq, "x" * (seq % 300)) for seq in range(500)]
    taken = b""
    for text in lines:
        ring.push(text)
        if len(text) % 3:
            batch = ring.peek(200)
            ring.advance(len(batch))
            taken += batch
            assert batch.endswith(b"\n")
    assert taken + ring.peek(CAPACITY) == b"".join(lines)
