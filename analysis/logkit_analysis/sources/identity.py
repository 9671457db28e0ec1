"""Which stream a file is: by inode, by its first bytes, and by the bytes before our position.

Each sign alone loses or doubles data. Inodes are used again, files begin with the same banner, a
truncated file grows past its old size, and a rotated file is copied or compressed. A file is
therefore the stream that we know only if its content bears it out.
"""

from __future__ import annotations

import os
import zlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from logkit_analysis.sources.compression import DAMAGED, decompressed
from logkit_analysis.sources.discovery import path_named
from logkit_analysis.streams import HEAD_BYTES, TAIL_BYTES, FileKey, Interval, LogStream

if TYPE_CHECKING:
    from collections.abc import Iterable

    from logkit_analysis.sources.reader import ByteStream

_BLOCK_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Match:
    """What a file is, as far as its bytes tell.

    Attributes:
        stream: The stream that it holds, ``None`` for a stream never seen before.
        is_behind: It holds only a part of what is already consumed of the stream.
        is_unsure: It may be the stream's copy in the making, or another file that begins alike;
            if it stays as it is, it is another file.
    """

    stream: LogStream | None = None
    is_behind: bool = False
    is_unsure: bool = False


def checksum(data: bytes, start: int) -> Interval:
    """Return the interval that *data*, found at offset *start*, makes once it is consumed."""
    return Interval(start, start + len(data), zlib.crc32(data), data[-TAIL_BYTES:])


def identify(file: ByteStream, path: str, key: FileKey, streams: Iterable[LogStream]) -> Match:
    """Return which of *streams* the file holds.

    Args:
        file: The decompressed bytes, at any position; where it holds all that is consumed of the
            stream it is found, it stands at the stream's position afterwards, else anywhere.
        path: The file's path.
        key: Its inode.
        streams: All that the store knows, oldest first.
    """
    file.seek(0)
    head = file.read(HEAD_BYTES)
    is_unsure = False
    newest_first = list(streams)[::-1]
    for stream in sorted(newest_first, key=lambda stream: stream.key != key):
        match = _match_own(file, head, stream) if stream.key == key else None
        match = match or _match_other(file, path, head, stream)
        if match.stream is not None:
            return match
        is_unsure = is_unsure or match.is_unsure
    return Match(is_unsure=is_unsure)


def _match_own(file: ByteStream, head: bytes, stream: LogStream) -> Match | None:
    """Match the file in which *stream* was last seen: its head and the bytes before our position.

    A file that has become shorter is no match: it was truncated and is written anew.
    """
    if head.startswith(stream.head) and _has_tail(file, stream):
        return Match(stream)
    return None


def _match_other(file: ByteStream, path: str, head: bytes, stream: LogStream) -> Match:
    """Match a file in which *stream* was never seen: a move, a copy, a compressed copy.

    A head shorter than `HEAD_BYTES` proves little, since many files begin with the same line: it
    counts only once the stream has left the file in which it was seen.
    """
    is_alike = head.startswith(stream.head)
    if not is_alike:
        is_part = bool(head) and stream.head.startswith(head)
        return Match(is_unsure=is_part and _is_rotation(path, stream.path))
    if len(stream.head) < HEAD_BYTES and is_at_home(stream):
        return Match(is_unsure=_is_rotation(path, stream.path))
    agreed, is_cut_short = _agreed_intervals(file, stream)
    if agreed == len(stream.intervals):
        file.seek(stream.position)
        return Match(stream)
    if is_cut_short and agreed and _is_rotation(path, stream.path):
        # logrotate's copytruncate: what was written after its copy we have read already.
        return Match(stream, is_behind=True)
    return Match(is_unsure=is_cut_short)


def _has_tail(file: ByteStream, stream: LogStream) -> bool:
    file.seek(stream.position - len(stream.tail))
    return file.read(len(stream.tail)) == stream.tail


def _agreed_intervals(file: ByteStream, stream: LogStream) -> tuple[int, bool]:
    """Return how many of the stream's intervals the file holds, and whether it ends too early."""
    file.seek(0)
    for index, interval in enumerate(stream.intervals):
        crc, missing = 0, interval.end - interval.start
        while missing and (block := file.read(min(missing, _BLOCK_BYTES))):
            crc = zlib.crc32(block, crc)
            missing -= len(block)
        if missing or crc != interval.crc32:
            return index, missing > 0
    return len(stream.intervals), False


def _is_rotation(path: str, original: str) -> bool:
    """Return whether *path* is called as a rotated *original* would be: app.log.1, app.log-2026."""
    return path != original and path.startswith((f"{original}.", f"{original}-"))


def is_at_home(stream: LogStream) -> bool:
    """Return whether the file in which *stream* was last seen still holds it."""
    with suppress(*DAMAGED), Path(path_named(stream.path)).open("rb") as file:
        status = os.fstat(file.fileno())
        data, _ = decompressed(file)
        return FileKey(status.st_dev, status.st_ino) == stream.key and _has_tail(data, stream)
    return False
