"""Which stream a file is: by inode, by its first bytes, and by checksums of all that is consumed.

Each sign alone loses or doubles data. Inodes are used again, files begin with the same banner, a
truncated file grows past its old size, and a rotated file is copied or compressed. A file is
therefore the stream that we know only if its content bears it out.
"""

from __future__ import annotations

import os
import zlib
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from logkit_analysis.sources.compression import DAMAGED, decompressed
from logkit_analysis.sources.discovery import is_rotation, path_named
from logkit_analysis.streams import HEAD_BYTES, FileKey, LogStream

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from logkit_analysis.sources.reader import ByteStream
    from logkit_analysis.streams import Interval

_BLOCK_BYTES = 1024 * 1024
# What is read again of a file whose inode we know; all of it would take long in a big one.
_PROOF_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Match:
    """What a file is, as far as its bytes tell.

    Attributes:
        stream: The stream that it holds, ``None`` for a stream never seen before.
        is_behind: It holds only a part of what is already consumed of the stream.
        is_unsure: It may be the stream's copy, or another file that begins alike; if it stays as
            it is, it is another file.
    """

    stream: LogStream | None = None
    is_behind: bool = False
    is_unsure: bool = False


_NO_MATCH = Match()


def identify(file: ByteStream, name: str, key: FileKey, streams: Iterable[LogStream]) -> Match:
    """Return which of *streams* the file holds.

    Args:
        file: The decompressed bytes, at any position; where it holds all that is consumed of the
            stream it is found, it stands at the stream's position afterwards, else anywhere.
        name: The file's path as text.
        key: Its inode.
        streams: All that the store knows, oldest first.
    """
    file.seek(0)
    head = file.read(HEAD_BYTES)
    if not head:
        return _NO_MATCH
    is_unsure = False
    newest_first = list(streams)[::-1]
    for stream in sorted(newest_first, key=lambda stream: stream.key != key):
        match = _match_own(file, head, stream) if stream.key == key else _NO_MATCH
        # A file that was truncated in its place is written anew, but an inode may get to a copy.
        if match.stream is None and (stream.key, stream.path) != (key, name):
            match = _match_other(file, name, head, stream)
        if match.stream is not None:
            return match
        is_unsure = is_unsure or match.is_unsure
    return Match(is_unsure=is_unsure)


def _match_own(file: ByteStream, head: bytes, stream: LogStream) -> Match:
    """Match the file in which *stream* was last seen: head, last bytes, and checksums.

    A file that has become shorter is no match: it was truncated and is written anew.
    """
    if not head.startswith(stream.head) or not _has_tail(file, stream):
        return _NO_MATCH
    for intervals in _for_proof(stream.intervals):
        if intervals and _agreed_until(file, intervals) != intervals[-1].end:
            return _NO_MATCH
    file.seek(stream.position)
    return Match(stream)


def _for_proof(intervals: Sequence[Interval]) -> tuple[Sequence[Interval], Sequence[Interval]]:
    """Return the oldest and the newest of *intervals*, about `_PROOF_BYTES` of each."""
    end = intervals[-1].end
    first = next((n for n, it in enumerate(intervals) if it.end > _PROOF_BYTES), len(intervals))
    last = next(n for n, it in enumerate(intervals) if it.end > end - _PROOF_BYTES)
    return intervals[:first], intervals[max(first, last) :]


def _match_other(file: ByteStream, name: str, head: bytes, stream: LogStream) -> Match:
    """Match a file in which *stream* was never seen: a move, a copy, a compressed copy.

    A head shorter than `HEAD_BYTES` proves little, since many files begin with the same line: it
    counts only once the stream has left the file in which it was seen, or if the file is called
    as a rotated copy.
    """
    is_rotated = is_rotation(name, stream.path)
    if not head.startswith(stream.head):
        # The copy of a short log, made before lines that we have read since.
        is_copy = is_rotated and stream.head.startswith(head)
        return Match(stream, is_behind=True) if is_copy else _NO_MATCH
    is_short = len(stream.head) < HEAD_BYTES and is_at_home(stream)
    if is_short and not is_rotated:
        return _NO_MATCH
    agreed = _agreed_until(file, stream.intervals)
    if agreed is None or agreed < min(HEAD_BYTES, stream.position):
        return _NO_MATCH
    if agreed < stream.position:
        return _match_beginning(file, agreed, stream, is_rotated=is_rotated)
    return _match_short(file, stream) if is_short else Match(stream)


def _match_beginning(
    file: ByteStream, agreed: int, stream: LogStream, *, is_rotated: bool
) -> Match:
    """Match a file that ends within what is consumed, and of which we know the first bytes.

    The file in which we read the stream tells whether the rest is the same. If that is gone, the
    file's name decides: it was copied, then more was written and read, then it was truncated.
    """
    file.seek(agreed)
    is_same = _goes_on_like_home(file, agreed, stream)
    if is_same is None:
        file.seek(agreed)
        is_same = is_rotated or b"\n" not in file.read(_BLOCK_BYTES)
    return Match(stream, is_behind=True) if is_same else _NO_MATCH


def _match_short(file: ByteStream, stream: LogStream) -> Match:
    """Match a file that is called as a rotated copy and holds all of a short log that is at home.

    What it holds more is the log's own if that has it too; then it will be read there.
    """
    if not file.read(1):
        return Match(stream, is_behind=True)
    file.seek(stream.position)
    return Match(is_unsure=bool(_goes_on_like_home(file, stream.position, stream)))


def _has_ends(file: ByteStream, stream: LogStream) -> bool:
    file.seek(0)
    return file.read(len(stream.head)) == stream.head and _has_tail(file, stream)


def _has_tail(file: ByteStream, stream: LogStream) -> bool:
    file.seek(stream.position - len(stream.tail))
    return file.read(len(stream.tail)) == stream.tail


def _agreed_until(file: ByteStream, intervals: Sequence[Interval]) -> int | None:
    """Return up to which offset the file is known to hold what *intervals* stand for.

    That is less than all of them if it ends early: of an interval that it holds in part nobody can
    say more. ``None`` if it holds something else.
    """
    file.seek(intervals[0].start)
    for interval in intervals:
        crc, missing = 0, interval.end - interval.start
        while missing and (block := file.read(min(missing, _BLOCK_BYTES))):
            crc = zlib.crc32(block, crc)
            missing -= len(block)
        if missing:
            return interval.start
        if crc != interval.crc32:
            return None
    return intervals[-1].end


def _goes_on_like_home(file: ByteStream, offset: int, stream: LogStream) -> bool | None:
    """Return whether all that follows in the file is also in the file we know *stream* from.

    ``None`` if that does not hold the stream any more.
    """
    with suppress(*DAMAGED), _home(stream) as home:
        if home is None:
            return None
        home.seek(offset)
        while block := file.read(_BLOCK_BYTES):
            if home.read(len(block)) != block:
                # It may have been truncated just now, which proves nothing.
                return False if _has_ends(home, stream) else None
        return True
    return None


def is_at_home(stream: LogStream) -> bool:
    """Return whether the file in which *stream* was last seen still holds it."""
    with suppress(*DAMAGED), _home(stream) as home:
        return home is not None
    return False


@contextmanager
def _home(stream: LogStream) -> Iterator[ByteStream | None]:
    """Open the file in which *stream* was last seen, if it still holds it."""
    with Path(path_named(stream.path)).open("rb") as file:
        status = os.fstat(file.fileno())
        data, _ = decompressed(file)
        is_same = FileKey(status.st_dev, status.st_ino) == stream.key and _has_ends(data, stream)
        yield data if is_same else None
