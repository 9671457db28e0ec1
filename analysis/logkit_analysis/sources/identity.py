"""Which stream a file is: by inode, by its first bytes, and by the bytes before our position.

Each sign alone loses or doubles data. Inodes are used again, files begin with the same banner, a
truncated file grows past its old size, and a rotated file is copied or compressed. A file is
therefore the stream that we know only if its content bears it out.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from logkit_analysis.streams import HEAD_BYTES, TAIL_BYTES, FileKey, Interval, LogStream

if TYPE_CHECKING:
    from collections.abc import Iterable

    from logkit_analysis.sources.reader import ByteStream

_BLOCK_BYTES = 1024 * 1024


def checksum(data: bytes, start: int) -> Interval:
    """Return the interval that *data*, found at offset *start*, makes once it is consumed."""
    return Interval(start, start + len(data), zlib.crc32(data), data[-TAIL_BYTES:])


def skip_consumed(file: ByteStream, stream: LogStream, *, is_thorough: bool) -> bool:
    """Move *file* from its start to the stream's position, if it holds the stream's bytes.

    Args:
        file: Opened at offset 0 of the decompressed bytes.
        stream: What it may be.
        is_thorough: Compare every consumed byte by checksum, not only the head and the tail.

    Returns:
        Whether the bytes agree; if not, the file's position is anywhere.
    """
    if file.read(len(stream.head)) != stream.head:
        return False
    if is_thorough:
        file.seek(0)
        return all(_has_interval(file, interval) for interval in stream.intervals)
    file.seek(stream.position - len(stream.tail))
    return file.read(len(stream.tail)) == stream.tail


def _has_interval(file: ByteStream, interval: Interval) -> bool:
    crc, left = 0, interval.end - interval.start
    while left:
        block = file.read(min(left, _BLOCK_BYTES))
        if not block:
            return False
        crc = zlib.crc32(block, crc)
        left -= len(block)
    return crc == interval.crc32


def candidates(
    key: FileKey, head: bytes, streams: Iterable[LogStream]
) -> list[tuple[LogStream, bool]]:
    """Return the streams that a file may be, likeliest first, and whether each needs proof.

    Args:
        key: The file's inode.
        head: Its first bytes, up to `HEAD_BYTES`.
        streams: All that the store knows.

    A stream last seen in this very inode needs only its head and tail compared. Any other with
    the same first bytes (moved, copied or compressed since) needs its checksum; a head shorter
    than `HEAD_BYTES` proves nothing there, since many files begin with the same line.
    """
    alike = [stream for stream in reversed(list(streams)) if head.startswith(stream.head)]
    same_file = [(stream, False) for stream in alike if stream.key == key]
    elsewhere = [(s, True) for s in alike if s.key != key and len(s.head) == HEAD_BYTES]
    return same_file + elsewhere
