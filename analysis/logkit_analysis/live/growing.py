"""One open log file: what is in it already, and what is added."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from logkit_analysis.parsers.chunk_parser import ChunkParser, StreamParser
from logkit_analysis.sources.discovery import path_text
from logkit_analysis.streams import FileKey

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Self

    from logkit_analysis.parsers.batch import Batch

_BLOCK_BYTES = 1 << 20
_FIRST_WINDOW_BYTES = 256 * 1024
_WINDOW_GROWTH = 8
_TAIL_BYTES = 256


class GrowingFile:
    """A file that stays open, whatever becomes of its name.

    Args:
        path: As the user wrote it.
        descriptor: Open for reading; closed by `close`.
        parser: Of all files.

    Attributes:
        name: The path as text.
        key: Which file it is, whatever it is called.
        position: Offset of the first byte that was not read.
        is_named: Whether one of the names that are watched leads to it.
        changed_at: When it was last seen to grow, on the clock of `time.monotonic`.
    """

    def __init__(self, path: str, descriptor: int, parser: ChunkParser) -> None:
        status = os.fstat(descriptor)
        self.name = path_text(path)
        self.key = FileKey(status.st_dev, status.st_ino)
        self.position = 0
        self.is_named = True
        self.changed_at = time.monotonic()
        self._descriptor = descriptor
        self._parser = parser
        self._stream = self._new_stream()
        self._before = b""
        self._seen_end = -1

    @classmethod
    def open(cls, path: str, parser: ChunkParser) -> Self:
        """Open *path*.

        Raises:
            OSError: It cannot be opened.
        """
        flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK
        return cls(path, os.open(path, flags), parser)

    def close(self) -> None:
        """Give the descriptor back."""
        os.close(self._descriptor)

    @property
    def size(self) -> int:
        """How many bytes it has."""
        return os.fstat(self._descriptor).st_size

    @property
    def lag_bytes(self) -> int:
        """How many bytes were not read yet."""
        return max(0, self.size - self.position)

    def head(self, size: int) -> bytes:
        """Return its first bytes."""
        return os.pread(self._descriptor, size, 0)

    def go_to_end(self) -> None:
        """Read on behind the last whole line, as though all before had been read."""
        start = end = self.size
        while start > 0:
            start = max(0, end - _BLOCK_BYTES)
            block = os.pread(self._descriptor, end - start, start)
            if (cut := block.rfind(b"\n") + 1) or not start:
                self._move_to(start + cut)
                return
            end = start

    def last_parts(self) -> Iterator[tuple[Batch, bool]]:
        """Yield what is before the position: the last lines, then more of them, in the end all.

        The second value tells whether it is all.
        """
        window = _FIRST_WINDOW_BYTES
        while True:
            start = max(0, self.position - window)
            data = os.pread(self._descriptor, self.position - start, start)
            cut = data.find(b"\n") + 1 if start else 0
            stream = self._new_stream()
            yield stream.parse(data[cut:], start + cut), not start
            if not start:
                return
            window *= _WINDOW_GROWTH

    def read(self, limit: int, silence_s: float) -> Batch | None:
        """Return the whole records that are new, about *limit* bytes of them, if there are any.

        Args:
            limit: How many bytes to read; a longer line is read whole.
            silence_s: After so long a silence nothing continues the last record any more.
        """
        if not self._is_as_before():
            self._start_again()
        data = self._whole_lines(limit)
        if not data:
            return None
        now = time.monotonic()
        settled = self._stream.settled(data)
        if self.position + len(data) != self._seen_end:
            self._seen_end, self.changed_at = self.position + len(data), now
        if settled < len(data) and now - self.changed_at >= silence_s:
            settled = len(data)
        if not settled:
            return None
        batch = self._stream.parse(data[:settled], self.position)
        self._move_to(self.position + settled)
        return batch

    def read_rest(self) -> Batch | None:
        """Return what is left, also without a newline: nobody writes here any more."""
        data = os.pread(self._descriptor, self.lag_bytes, self.position)
        if not data:
            return None
        batch = self._stream.parse(data, self.position)
        self._move_to(self.position + len(data))
        return batch

    def _whole_lines(self, limit: int) -> bytes:
        blocks: list[bytes] = []
        offset = self.position
        while block := os.pread(self._descriptor, limit, offset):
            offset += len(block)
            if cut := block.rfind(b"\n") + 1:
                return b"".join([*blocks, block[:cut]])
            blocks.append(block)
        return b""

    def _is_as_before(self) -> bool:
        """Return whether the bytes before the position are those that were read."""
        start = self.position - len(self._before)
        return os.pread(self._descriptor, len(self._before), start) == self._before

    def _start_again(self) -> None:
        """Read from the start: the file was truncated or written anew."""
        self._stream = self._new_stream()
        self._move_to(0)

    def _move_to(self, position: int) -> None:
        self.position = position
        start = max(0, position - _TAIL_BYTES)
        self._before = os.pread(self._descriptor, position - start, start)

    def _new_stream(self) -> StreamParser:
        written_at = datetime.fromtimestamp(os.fstat(self._descriptor).st_mtime, UTC)
        return StreamParser(self._parser, None, written_at)
