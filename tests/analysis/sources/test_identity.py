"""Which stream a file holds: told by its content, whatever it is called and wherever it lies."""

from __future__ import annotations

import io
import random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from logkit_analysis.sources.identity import identify
from logkit_analysis.streams import FileKey, LogStream, intervals_of, joined

if TYPE_CHECKING:
    from pathlib import Path

    from logkit_analysis.sources.identity import Match

OTHER = FileKey(0, 999)
LINES = [b'{"event":"tick","seq":%06d,"note":"%s"}\n' % (n, b"x" * (n % 90)) for n in range(3000)]
LONG = b"".join(LINES)


def stream_of(data: bytes, path: Path, *, pieces: int = 1, key: FileKey | None = None) -> LogStream:
    """Return the stream of a log at *path* of which *data* was read in some pieces."""
    if key is None:
        path.write_bytes(data)
        key = FileKey(path.stat().st_dev, path.stat().st_ino)
    stream = LogStream(str(path), key, source_id=1, head=data[:1024])
    size = max(1, len(data) // pieces)
    for start in range(0, len(data), size):
        stream.intervals += intervals_of(data[start : start + size], start, data[:start][-256:])
    return stream


def look(data: bytes, name: str, stream: LogStream, key: FileKey = OTHER) -> Match:
    """Identify a file of *data* at a path called *name*."""
    return identify(io.BytesIO(data), name, key, [stream])


@given(st.integers(1, 300_000), st.integers(1, 40), st.booleans())
def test_checksums_stand_for_every_byte(size: int, pieces: int, is_joined: bool) -> None:
    """Intervals follow each other, and no byte can change unnoticed, joined or not."""
    data = random.Random(size).randbytes(size)
    stream = LogStream("x", OTHER, head=data[:1024])
    step = max(1, size // pieces)
    for start in range(0, size, step):
        stream.intervals += intervals_of(data[start : start + step], start, data[:start][-256:])
    if is_joined:
        stream.intervals = joined(stream.intervals)
    ends = [interval.end for interval in stream.intervals]
    assert [interval.start for interval in stream.intervals] == [0, *ends[:-1]]
    assert ends[-1] == size
    assert stream.tail == data[-256:]
    place = random.Random(pieces).randrange(size)
    changed = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
    assert look(data, "x", stream).stream is stream
    assert look(changed, "x", stream).stream is None


@pytest.mark.parametrize("size", [500, 5_000, 100_000])
@pytest.mark.parametrize("pieces", [1, 7])
@given(share=st.floats(0.01, 0.99))
def test_a_cut_copy_is_behind(
    tmp_path_factory: pytest.TempPathFactory, size: int, pieces: int, share: float
) -> None:
    """A rotated copy that ends within what is read gives nothing; the original may be gone."""
    path = tmp_path_factory.mktemp("logs") / "app.log"
    data = LONG[:size]
    stream = stream_of(data, path, pieces=pieces)
    copy = data[: max(1, int(size * share))]
    for _ in ("at home", "gone"):
        match = look(copy, str(path.with_name("app.log.1")), stream)
        assert (match.stream, match.is_behind) == (stream, True)
        path.unlink(missing_ok=True)


@pytest.mark.parametrize("size", [500, 5_000, 100_000])
@given(place=st.floats(0.0, 0.999), more=st.integers(0, 3000))
def test_a_file_that_begins_alike_is_another(
    tmp_path_factory: pytest.TempPathFactory, size: int, place: float, more: int
) -> None:
    """One byte makes it so, wherever it is, also beyond what checksums tell."""
    path = tmp_path_factory.mktemp("logs") / "app.log"
    data = LONG[:size]
    stream = stream_of(data, path)
    at = int(size * place)
    other = data[:at] + b"#" + data[at + 1 : at + 1 + more]
    for name in ("app.log.1", "other.log"):
        assert look(other, str(path.with_name(name)), stream).stream is None


@pytest.mark.parametrize("size", [500, 5_000])
def test_the_same_inode(tmp_path: Path, size: int) -> None:
    """It grew, it was truncated, or it was written anew with the same beginning and end."""
    path = tmp_path / "app.log"
    data = LONG[:size]
    stream = stream_of(data, path)
    assert look(data + b"more\n", str(path), stream, stream.key).stream is stream
    assert look(data[: size // 2], str(path), stream, stream.key).stream is None
    middle = size // 3
    anew = data[:middle] + b"#" + data[middle + 1 :] + b"more\n"
    assert look(anew, str(path), stream, stream.key).stream is None


def test_the_inode_of_the_original_gets_to_a_copy(tmp_path: Path) -> None:
    """Then it is a copy, not a truncated original."""
    path = tmp_path / "app.log"
    stream = stream_of(LONG[:5_000], path)
    path.unlink()
    match = look(LONG[:4_000], str(path.with_name("app.log.2.gz")), stream, stream.key)
    assert (match.stream, match.is_behind) == (stream, True)


def test_a_short_log_that_is_at_home(tmp_path: Path) -> None:
    """Another file with the same first line is another log, unless it is called as its copy."""
    path = tmp_path / "app.log"
    stream = stream_of(LONG[:300], path)
    assert look(LONG[:300], str(tmp_path / "bot.log"), stream).stream is None
    rotated = str(tmp_path / "app.log.1")
    assert look(LONG[:300], rotated, stream).is_behind
    path.write_bytes(LONG[:400])
    assert look(LONG[:400], rotated, stream).is_unsure
    assert not look(LONG[:300] + b"else\n", rotated, stream).is_unsure
    path.unlink()
    assert look(LONG[:400], rotated, stream).stream is stream
