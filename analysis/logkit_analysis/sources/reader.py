"""A byte stream as chunks that end at a line's end.

A chunk knows the offset of its first byte in the decompressed stream, so that every line has an
address. A last line without its newline is never handed out as part of a chunk.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# A row group of DuckDB: chunks of just so many lines are stored without rewriting.
CHUNK_LINES = 122_880
_CHUNK_BYTES = 64 * 1024 * 1024
_BLOCK_BYTES = 4 * 1024 * 1024


class Readable(Protocol):
    """Bytes in order."""

    def read1(self, size: int, /) -> bytes:
        """Return up to *size* bytes as soon as there are any; none at the end."""


class ByteStream(Readable, Protocol):
    """Decompressed bytes, read from their start."""

    def read(self, size: int, /) -> bytes:
        """Return *size* bytes, fewer only at the end."""

    def seek(self, offset: int, /) -> int:
        """Move to *offset*."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some whole lines of a stream.

    Attributes:
        data: The bytes; every line ends with a newline, except a last one that is *unfinished*.
        start: Offset of the first byte in the decompressed stream.
        is_unfinished: Whether this is the stream's last line, without its newline.
        may_go_on: Whether it is the stream's last record, which later lines may continue.
    """

    data: bytes
    start: int
    is_unfinished: bool = False
    may_go_on: bool = False

    @property
    def end(self) -> int:
        """Offset just behind the last byte."""
        return self.start + len(self.data)


def read_chunks(stream: Readable, start: int, *, chunk_lines: int = CHUNK_LINES) -> Iterator[Chunk]:
    """Yield the rest of *stream*, whose next byte has offset *start*.

    A chunk has *chunk_lines* lines, or fewer where that would be more than 64 MiB; a longer line
    is a chunk of its own. What follows the last newline comes at the end as one unfinished chunk.
    When the stream fails, the whole lines before that come first and then its error.
    """
    pending: list[bytes] = []
    size = lines = 0
    try:
        while block := stream.read1(_BLOCK_BYTES):
            while block:
                found = block.count(b"\n")
                is_long = found and size + len(block) >= _CHUNK_BYTES
                if not is_long and lines + found < chunk_lines:
                    pending.append(block)
                    size, lines = size + len(block), lines + found
                    break
                cut = _end_of_line(block, min(found, chunk_lines - lines))
                pending.append(block[:cut])
                begun, start, block = start, start + size + cut, block[cut:]
                size = lines = 0
                yield Chunk(_joined(pending), begun)
    except Exception:
        yield from _last_chunks(_joined(pending), start, has_end=False)
        raise
    yield from _last_chunks(_joined(pending), start, has_end=True)


def cut_at_records(chunks: Iterator[Chunk], settled: Callable[[bytes], int]) -> Iterator[Chunk]:
    """Yield the bytes of *chunks* so that no record is cut in two.

    Args:
        chunks: Whole lines in order.
        settled: Tells how many bytes hold records that no later line can continue.

    The last record may go on where *settled* says so; it comes as a chunk of its own. When the
    stream fails, it comes before the error, since nobody knows whether more will be found.
    """
    rest = Chunk(b"", 0)
    try:
        for chunk in chunks:
            joined = replace(chunk, data=rest.data + chunk.data, start=chunk.start - len(rest.data))
            cut = settled(joined.data)
            rest = replace(joined, data=joined.data[cut:], start=joined.start + cut)
            if not rest.data:
                yield joined
            elif cut:
                yield Chunk(joined.data[:cut], joined.start)
            # Their bytes must not stay for as long as the next chunk takes to come.
            del chunk, joined
    except Exception:
        if rest.data:
            yield rest
        raise
    if rest.data:
        yield replace(rest, may_go_on=True)


def _joined(pieces: list[bytes]) -> bytes:
    """Return *pieces* as one, and let go of them: they are as large as the chunk."""
    whole = b"".join(pieces)
    pieces.clear()
    return whole


def _end_of_line(block: bytes, count: int) -> int:
    """Return the offset behind the *count*-th newline of *block*."""
    return len(block) - len(block.split(b"\n", count)[count])


def _last_chunks(rest: bytes, start: int, *, has_end: bool) -> Iterator[Chunk]:
    cut = rest.rfind(b"\n") + 1
    if cut:
        yield Chunk(rest[:cut], start)
    if cut < len(rest) and has_end:
        yield Chunk(rest[cut:], start + cut, is_unfinished=True)
