"""A plain file that grows: opened once, read where the store left it, again and again."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from logkit_analysis.sources.discovery import path_text
from logkit_analysis.streams import TAIL_BYTES, FileKey, LogStream

if TYPE_CHECKING:
    from typing import Self


@dataclass(frozen=True, slots=True)
class FileState:
    """What tells that a file has changed."""

    size: int
    modified_ns: int
    link_count: int


@dataclass(slots=True)
class Tail:
    """An open file and the stream that it holds.

    Attributes:
        path: Under which name it was last found.
        key: Its inode.
        descriptor: Open for reading.
        stream: What it holds; ``None`` while that is not known.
        is_named: Whether one of the names that we follow still leads to it.
        is_behind: Whether it holds only what is already consumed of the stream.
        is_sibling: Whether it is only the rotated copy of a file that we follow.
        is_read: Whether every whole line of it is committed.
        opened_at: When it was opened, on the caller's clock.
        changed_at: When it was last seen to change.
        state: As it was then.
    """

    path: str
    key: FileKey
    descriptor: int
    opened_at: float
    changed_at: float
    stream: LogStream | None = None
    is_named: bool = True
    is_behind: bool = False
    is_sibling: bool = False
    is_read: bool = False
    state: FileState = field(default=FileState(-1, -1, 1))

    @property
    def name(self) -> str:
        """The path as text."""
        return path_text(self.path)

    @property
    def place(self) -> str:
        """The absolute path as text."""
        return path_text(os.path.abspath(self.path))  # noqa: PTH100 resolves no links

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
        """Look at the file; return whether its size, time or links are other than before."""
        status = os.fstat(self.descriptor)
        state = FileState(status.st_size, status.st_mtime_ns, status.st_nlink)
        if state == self.state:
            return False
        self.state, self.changed_at = state, now
        return True

    def still_holds_stream(self) -> bool:
        """Return whether the bytes before the stream's position are where they were."""
        stream = self.stream
        if stream is None or os.fstat(self.descriptor).st_size < stream.position:
            return False
        return self._holds(stream.tail, stream.position - len(stream.tail))

    def still_holds(self, data: bytes) -> bool:
        """Return whether *data*, just read behind the position, was not written over meanwhile."""
        stream = self.stream
        if stream is None or not self.still_holds_stream():
            return False
        return self._holds(data[:TAIL_BYTES], stream.position)

    def _holds(self, data: bytes, offset: int) -> bool:
        return os.pread(self.descriptor, len(data), offset) == data

    def read_lines(self, limit: int) -> bytes:
        """Return the whole lines behind the stream's position, about *limit* bytes of them.

        A line longer than *limit* comes whole. What follows the last newline is left.
        """
        if self.stream is None:
            return b""
        data = b""
        while block := os.pread(self.descriptor, limit, self.stream.position + len(data)):
            data += block
            cut = data.rfind(b"\n") + 1
            if cut:
                return data[:cut]
        return b""

    def read_rest(self) -> bytes:
        """Return all that is behind the stream's position."""
        if self.stream is None:
            return b""
        size = max(0, os.fstat(self.descriptor).st_size - self.stream.position)
        return os.pread(self.descriptor, size, self.stream.position)
