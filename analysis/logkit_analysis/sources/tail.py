"""A plain file that grows: opened once, read where the store left it, again and again."""

from __future__ import annotations

import fcntl
import os
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from logkit_analysis.sources.discovery import path_text
from logkit_analysis.streams import FileKey, LogStream

if TYPE_CHECKING:
    from typing import Self

# The kernel's clock for file times moves in steps of up to 10 ms: until then a file may change
# again and look the same.
_CLOCK_STEP_S = 0.05
_RECENT_BYTES = 16 * 1024


@dataclass(frozen=True, slots=True)
class FileState:
    """What tells that a file has changed."""

    size: int
    modified_ns: int
    link_count: int

    @classmethod
    def of(cls, status: os.stat_result) -> Self:
        """Return the state that *status* tells of."""
        return cls(status.st_size, status.st_mtime_ns, status.st_nlink)


@dataclass(slots=True)
class Tail:
    """An open file and the stream that it holds.

    Attributes:
        path: Under which name it was last found.
        key: Its inode.
        descriptor: Open for reading.
        stream: What it holds; ``None`` while that is not known.
        is_named: Whether one of the names that we follow still leads to it.
        is_sibling: Whether it is only the rotated copy of a file that we follow.
        is_read: Whether every whole line of it is committed, as far as it is known.
        opened_at: When it was opened, on the caller's clock.
        changed_at: When it was last seen to change.
        settle_at: From when on it is worth finding out again what it holds.
        state: As it was when it last changed.
    """

    path: str
    key: FileKey
    descriptor: int
    opened_at: float
    changed_at: float
    stream: LogStream | None = None
    is_named: bool = True
    is_sibling: bool = False
    is_read: bool = False
    settle_at: float = 0.0
    state: FileState = field(default=FileState(-1, -1, 1))
    _is_fresh: bool = True
    _recent: bytes = b""
    _recent_end: int = -1

    @property
    def name(self) -> str:
        """The path as text."""
        return path_text(self.path)

    @property
    def place(self) -> str:
        """The absolute path as text, its links as they are."""
        return path_text(os.path.abspath(self.path))

    @classmethod
    def open(cls, path: str, now: float) -> Self:
        """Open *path*.

        Raises:
            OSError: It cannot be opened.
        """
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        status = os.fstat(descriptor)
        return cls(path, FileKey(status.st_dev, status.st_ino), descriptor, now, now)

    def close(self) -> None:
        """Give the descriptor back."""
        os.close(self.descriptor)

    def has_changed(self, now: float) -> bool:
        """Look at the file; return whether it may be other than before."""
        status = os.fstat(self.descriptor)
        state = FileState.of(status)
        was_fresh = self._is_fresh
        self._is_fresh = time.time() - status.st_mtime < _CLOCK_STEP_S
        if state != self.state:
            self.state, self.changed_at = state, now
            return True
        return was_fresh

    def has_writer(self) -> bool:
        """Return whether a process has the file open for writing, as far as that can be told.

        The kernel grants no read lease on such a file. Network mounts grant none at all, and only
        the owner of a file may ask.
        """
        try:
            fcntl.fcntl(self.descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        except BlockingIOError:
            return True
        except (OSError, AttributeError):
            return False
        fcntl.fcntl(self.descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
        return False

    def still_holds_stream(self) -> bool:
        """Return whether the bytes before the stream's position are where they were.

        Lines may end alike for longer than the stream's tail; so the first bytes count too, and
        all that we remember of what we read last.
        """
        stream = self.stream
        if stream is None or os.fstat(self.descriptor).st_size < stream.position:
            return False
        before = self._before(stream)
        return self._holds(stream.head, 0) and self._holds(before, stream.position - len(before))

    def _before(self, stream: LogStream) -> bytes:
        """Return what we know of the bytes just before the position of *stream*."""
        return self._recent if self._recent_end == stream.position else stream.tail

    def still_holds(self, data: bytes) -> bool:
        """Return whether *data*, just read behind the position, was not written over meanwhile.

        Its end is remembered.
        """
        stream = self.stream
        if stream is None or not self.still_holds_stream():
            return False
        end = stream.position + len(data)
        first, last = data[:_RECENT_BYTES], data[-_RECENT_BYTES:]
        if not (self._holds(first, stream.position) and self._holds(last, end - len(last))):
            return False
        self._recent = (self._before(stream) + last)[-_RECENT_BYTES:]
        self._recent_end = end
        return True

    def _holds(self, data: bytes, offset: int) -> bool:
        return os.pread(self.descriptor, len(data), offset) == data

    def read_lines(self, limit: int) -> tuple[bytes, bool]:
        """Return the whole lines behind the stream's position, about *limit* bytes of them.

        A line longer than *limit* comes whole. What follows the last newline is left. The second
        value tells whether there is no further whole line.
        """
        if self.stream is None:
            return b"", True
        blocks: list[bytes] = []
        offset = self.stream.position
        while block := os.pread(self.descriptor, limit, offset):
            offset += len(block)
            cut = block.rfind(b"\n") + 1
            if cut:
                is_end = offset >= os.fstat(self.descriptor).st_size
                return b"".join([*blocks, block[:cut]]), is_end
            blocks.append(block)
        return b"", True

    def read_rest(self) -> bytes:
        """Return all that is behind the stream's position."""
        if self.stream is None:
            return b""
        size = max(0, os.fstat(self.descriptor).st_size - self.stream.position)
        return os.pread(self.descriptor, size, self.stream.position)
