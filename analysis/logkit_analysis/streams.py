"""A log stream as the store remembers it: where it was seen and what has been consumed."""

from __future__ import annotations

from dataclasses import dataclass, field

HEAD_BYTES = 1024
TAIL_BYTES = 256


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


@dataclass(frozen=True, slots=True)
class FileKey:
    """A file's identity to the operating system."""

    device: int
    inode: int


@dataclass(slots=True)
class LogStream:
    """A sequence of bytes that grows at its end, wherever it is kept.

    Attributes:
        path: Where it was last seen.
        key: Which file it was last seen in.
        source_id: Its number in the store, ``None`` until something of it is committed.
        head: Its first bytes as far as they are committed, up to `HEAD_BYTES`.
        intervals: What is committed, in order, from offset 0 without a gap.
        format: Name of the format of its lines, ``None`` until it is decided.
    """

    path: str
    key: FileKey
    source_id: int | None = None
    head: bytes = b""
    intervals: list[Interval] = field(default_factory=list)
    format: str | None = None

    @property
    def position(self) -> int:
        """Offset of the first byte that is not committed."""
        return self.intervals[-1].end if self.intervals else 0

    @property
    def tail(self) -> bytes:
        """The committed bytes just before the position."""
        return self.intervals[-1].tail if self.intervals else b""
