"""A log stream as the store remembers it: where it was seen and what has been consumed."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from itertools import pairwise

from logkit_analysis.checksums import joined_crc32

HEAD_BYTES = 1024
TAIL_BYTES = 256
_NEWEST_APART = 100


@dataclass(frozen=True, slots=True)
class Interval:
    """A consumed part of a stream.

    Attributes:
        start: Offset of its first byte.
        end: Offset behind its last byte.
        crc32: Checksum of its bytes.
        tail: The stream's last bytes up to there, at most `TAIL_BYTES`.
    """

    start: int
    end: int
    crc32: int
    tail: bytes


def intervals_of(data: bytes, start: int, before: bytes) -> list[Interval]:
    """Return the intervals that *data*, found at offset *start*, makes once it is consumed.

    One ends with *data*, and others where the offset is a power of two from `HEAD_BYTES` on: so
    at least half of any copy of the stream's beginning can be told by their checksums.

    Args:
        data: Some bytes of a stream, at least one.
        start: Offset of the first.
        before: What precedes them, `TAIL_BYTES` of it or all there is.
    """
    end = start + len(data)
    borders = [start, *_powers_between(start, end), end]
    view = memoryview(data)
    return [
        Interval(
            first,
            last,
            zlib.crc32(view[first - start : last - start]),
            (before + data[max(0, last - start - TAIL_BYTES) : last - start])[-TAIL_BYTES:],
        )
        for first, last in pairwise(borders)
    ]


def _powers_between(start: int, end: int) -> list[int]:
    """Return the powers of two from `HEAD_BYTES` on that lie between, both exclusive."""
    first = max(HEAD_BYTES.bit_length() - 1, start.bit_length())
    return [1 << exponent for exponent in range(first, end.bit_length()) if 1 << exponent < end]


def joined(intervals: list[Interval]) -> list[Interval]:
    """Return *intervals*, which follow each other, as few; the newest stay apart.

    A copy of the stream's file that ends among the newest can then still be told by them, and an
    older one by those that end at powers of two.
    """
    count = max(1, len(intervals) - _NEWEST_APART)
    few = intervals[:1]
    for interval in intervals[1:count]:
        last = few[-1]
        if last.end >= HEAD_BYTES and last.end & (last.end - 1) == 0:
            few.append(interval)
        else:
            crc32 = joined_crc32(last.crc32, interval.crc32, interval.end - interval.start)
            few[-1] = Interval(last.start, interval.end, crc32, interval.tail)
    return few + intervals[count:]


@dataclass(frozen=True, slots=True)
class FileKey:
    """A file's identity to the operating system."""

    device: int
    inode: int


@dataclass(slots=True)
class LogStream:
    """A sequence of bytes that grows at its end, wherever it is kept.

    Attributes:
        path: Where it was last seen, absolute.
        key: Which file it was last seen in.
        source_id: Its number in the store, ``None`` until something of it is committed.
        head: Its first bytes as far as they are committed, up to `HEAD_BYTES`.
        intervals: What is committed, in order, from offset 0 without a gap.
        format: Name of the format of its lines, ``None`` until it is decided.
        name: The path as the user wrote it, for people; empty until this process has found it.
        committed_at: When something of it was last committed, seconds since 1970, 0 for never.
    """

    path: str
    key: FileKey
    source_id: int | None = None
    head: bytes = b""
    intervals: list[Interval] = field(default_factory=list)
    format: str | None = None
    name: str = ""
    committed_at: float = 0.0

    @property
    def position(self) -> int:
        """Offset of the first byte that is not committed."""
        return self.intervals[-1].end if self.intervals else 0

    @property
    def tail(self) -> bytes:
        """The committed bytes just before the position."""
        return self.intervals[-1].tail if self.intervals else b""

    def take_over(self, other: LogStream) -> None:
        """Become what *other*, the same stream, says."""
        self.head = other.head
        self.intervals = other.intervals
        self.format = other.format
        self.committed_at = other.committed_at
