"""Which stream a file is: by inode, by its first bytes, and by checksums of all that is consumed.

Each sign alone loses or doubles data. Inodes are used again, files begin with the same banner, a
truncated file grows past its old size, and a rotated file is copied or compressed. A file is
therefore the stream that we know only if its content bears it out.
"""

from __future__ import annotations

import os
import zlib
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import TYPE_CHECKING

from logkit_analysis.sources.compression import DAMAGED, decompressed
from logkit_analysis.sources.discovery import is_rotation, path_named
from logkit_analysis.streams import HEAD_BYTES, FileKey, LogStream

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

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


class _Agreement(Enum):
    """How a file's bytes go with all that is consumed of a stream."""

    WHOLE = auto()
    """It holds all of it."""
    ENDS_EARLY = auto()
    """It holds the first of it and no more."""
    NONE = auto()
    """It holds something else."""


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
        if stream.key == key:
            match = _match_own(file, head, stream)
        else:
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
    oldest, newest = _for_proof(stream.intervals)
    for intervals in (oldest, newest):
        if _agreement(file, intervals) is not _Agreement.WHOLE:
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
    if not head.startswith(stream.head):
        # The copy of a short log, made before lines that we have read since.
        is_copy = stream.head.startswith(head) and is_rotation(name, stream.path)
        return Match(stream, is_behind=True) if is_copy else _NO_MATCH
    is_rotated = is_rotation(name, stream.path)
    is_alike_only = len(stream.head) < HEAD_BYTES and is_at_home(stream)
    if is_alike_only and not is_rotated:
        return _NO_MATCH
    agreement = _agreement(file, stream.intervals)
    if agreement is _Agreement.ENDS_EARLY:
        return Match(stream, is_behind=True)
    if agreement is not _Agreement.WHOLE:
        return _NO_MATCH
    if is_alike_only:
        is_more = bool(file.read(1))
        return Match(is_unsure=True) if is_more else Match(stream, is_behind=True)
    return Match(stream)


def _has_tail(file: ByteStream, stream: LogStream) -> bool:
    file.seek(stream.position - len(stream.tail))
    return file.read(len(stream.tail)) == stream.tail


def _agreement(file: ByteStream, intervals: Sequence[Interval]) -> _Agreement:
    """Compare the file with *intervals*, which follow each other.

    A file that ends early agrees if it holds the first of them whole; of the last one that it
    holds in part nobody can say more.
    """
    if intervals:
        file.seek(intervals[0].start)
    for index, interval in enumerate(intervals):
        crc, missing = 0, interval.end - interval.start
        while missing and (block := file.read(min(missing, _BLOCK_BYTES))):
            crc = zlib.crc32(block, crc)
            missing -= len(block)
        if missing:
            return _Agreement.ENDS_EARLY if index else _Agreement.NONE
        if crc != interval.crc32:
            return _Agreement.NONE
    return _Agreement.WHOLE


def is_at_home(stream: LogStream) -> bool:
    """Return whether the file in which *stream* was last seen still holds it."""
    with suppress(*DAMAGED), Path(path_named(stream.path)).open("rb") as file:
        status = os.fstat(file.fileno())
        if FileKey(status.st_dev, status.st_ino) != stream.key:
            return False
        data, _ = decompressed(file)
        return _has_tail(data, stream)
    return False
