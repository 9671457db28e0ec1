"""A log stream as the store remembers it: where it was seen and what has been consumed."""

from __future__ import annotations

from dataclasses import dataclass, field

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
        tail: Its last bytes, up to `TAIL_BYTES`.
    """

    start: int
    end: int
    crc32: int
    tail: bytes


def joined(intervals: list[Interval]) -> list[Interval]:
    """Return *intervals*, which follow each other, as few; the newest stay apart.

    A copy of the stream's file that ends among the newest can then still be told by them.
    """
    whole = intervals[0]
    for other in intervals[1:-_NEWEST_APART]:
        crc32 = joined_crc32(whole.crc32, other.crc32, other.end - other.start)
        whole = Interval(whole.start, other.end, crc32, other.tail)
    return [whole, *intervals[max(1, len(intervals) - _NEWEST_APART) :]]


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
