"""A byte stream as chunks that end at a line's end.

A chunk knows the offset of its first byte in the decompressed stream, so that every line has an
address. A last line without its newline is never handed out as part of a chunk.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

CHUNK_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some whole lines of a stream.

    Attributes:
        data: The bytes; every line ends with a newline, except a last one that is *unfinished*.
        start: Offset of the first byte in the decompressed stream.
        is_unfinished: Whether this is the stream's last line, without its newline.
    """

    data: bytes
    start: int
    is_unfinished: bool = False

    @property
    def end(self) -> int:
        """Offset just behind the last byte."""
        return self.start + len(self.data)


def read_chunks(
    stream: IO[bytes], start: int, *, chunk_bytes: int = CHUNK_BYTES
) -> Iterator[Chunk]:
    """Yield the rest of *stream*, whose next byte has offset *start*.

    Chunks hold about *chunk_bytes*; a longer line makes its chunk larger. What follows the last
    newline comes at the end as one unfinished chunk.
    """
    parts: list[bytes] = []
    while block := stream.read(chunk_bytes):
        cut = block.rfind(b"\n") + 1
        if not cut:
            parts.append(block)
            continue
        parts.append(block[:cut])
        chunk = Chunk(b"".join(parts), start)
        yield chunk
        start = chunk.end
        parts = [block[cut:]] if cut < len(block) else []
    if parts:
        yield Chunk(b"".join(parts), start, is_unfinished=True)
