"""A log file that several processes may share, with rotation."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from logkit.counters import Counters
from logkit.sinks.backups import compress_backups, lock_path, rotate
from logkit.sinks.descriptors import close_if, file_id
from logkit.sinks.locks import PathLock

if TYPE_CHECKING:
    from pathlib import Path

    from logkit.sinks.descriptors import FileId

_FILE_MODE = 0o640
# More than any line has.
_LONGEST_LINE_BYTES = 128 * 1024
_APPEND = os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


class RotatingFile:
    """A log file, mode 0640, that is renamed to ``path.1`` before it grows past a size.

    Several processes may write to one path and rotate it. Each batch is written under a lock on
    ``path.lock``, to the file that is at the path at that moment. A line that somebody's death has
    left unfinished is ended first, so that it swallows no other.
    """

    batch_bytes = 524_288

    def __init__(
        self,
        path: Path,
        *,
        max_bytes: int | None = None,
        backups: int = 5,
        compress: bool = False,
        counters: Counters | None = None,
    ) -> None:
        self.path = path
        self.place = str(path)
        self.lock = PathLock(lock_path(path))
        self._max_bytes = max_bytes
        self._backups = backups
        self._compress = compress
        self._counters = counters or Counters()
        self._descriptor = -1
        self._file_id: FileId | None = None
        self._known_size = -1

    def open(self) -> None:
        """Open the file now, so that a path that cannot be used is known at the start."""
        self._open()
        if self._compress:
            self._start_compression()

    def append(self, lines: bytes) -> int:
        """Write as many of *lines* as the file has room for, rotating it if it has none."""
        with self.lock:
            return self.append_locked(lines)

    def append_locked(self, lines: bytes) -> int:
        """Do what ``append`` does, for a caller that holds ``lock``."""
        size = self._current_size()
        if size != self._known_size:
            size += self._end_torn_line(size)
        fitting = self._fitting(lines, size)
        if not fitting:
            size = self._rotate()
            fitting = self._fitting(lines, size) or len(lines)
        return self._write(lines[:fitting], size)

    def end_torn_line(self, lines: bytes) -> int:
        """End the last line of the file if it is not; the caller holds ``lock``.

        Args:
            lines: What is to be written next. If the file ends within the first of them, the rest
                of that one is what ends it.

        Returns:
            How many bytes of *lines* the file holds then.
        """
        size = self._current_size()
        torn = self._torn_line(size)
        first = lines[: lines.find(b"\n") + 1]
        if not torn or not first.startswith(torn):
            self._end_torn_line(size)
            return 0
        self._write(first[len(torn) :], size)
        return len(first)

    def close(self) -> None:
        """Close the file; a later ``append`` opens it again."""
        close_if(self._descriptor, self._file_id)
        self._descriptor, self._file_id, self._known_size = -1, None, -1

    def forget(self) -> None:
        """In a forked child: let go of the parent's files without touching its lock."""
        self.lock.forget()
        self.close()

    def _current_size(self) -> int:
        """Return the bytes in the file at the path, opening it if it is not the open one."""
        try:
            status = self.path.stat()
        except FileNotFoundError:
            return self._open()
        found = status.st_dev, status.st_ino
        if found != self._file_id or found != file_id(self._descriptor):
            return self._open()
        return status.st_size

    def _open(self) -> int:
        self.close()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._descriptor = os.open(self.path, os.O_RDWR | _APPEND, _FILE_MODE)
        except PermissionError:  # a file that this user may write but not read
            self._descriptor = os.open(self.path, os.O_WRONLY | _APPEND, _FILE_MODE)
        status = os.fstat(self._descriptor)
        self._file_id = status.st_dev, status.st_ino
        return status.st_size

    def _fitting(self, lines: bytes, size: int) -> int:
        """Return the bytes of the whole lines that fit, but never less than a line if empty."""
        if self._max_bytes is None or size + len(lines) <= self._max_bytes:
            return len(lines)
        fitting = lines.rfind(b"\n", 0, max(self._max_bytes - size, 0)) + 1
        return fitting or (0 if size else lines.index(b"\n") + 1)

    def _rotate(self) -> int:
        """Rotate and return the size of the new file, or of the old one if that is refused."""
        self.close()
        try:
            rotate(self.path, self._backups)
        except OSError:
            self._counters.write_errors += 1
        else:
            if self._compress:
                self._start_compression()
        return self._open()

    def _start_compression(self) -> None:
        thread = threading.Thread(
            target=compress_backups, args=(self.path,), name="logkit-compress", daemon=True
        )
        with suppress(RuntimeError):  # no more threads: the next rotation tries again
            thread.start()

    def _end_torn_line(self, size: int) -> int:
        """Write a newline if the last of *size* bytes is none; return the bytes written."""
        try:
            is_torn = size > 0 and os.pread(self._descriptor, 1, size - 1) != b"\n"
        except (AttributeError, OSError):
            is_torn = True  # unreadable here: a blank line costs nothing, a swallowed line does
        return os.write(self._descriptor, b"\n") if is_torn else 0

    def _torn_line(self, size: int) -> bytes:
        """Return what follows the last newline of the file, as far as it can be read."""
        begin = max(0, size - _LONGEST_LINE_BYTES)
        try:
            end = os.pread(self._descriptor, size - begin, begin)
        except (AttributeError, OSError):
            return b""
        return end[end.rfind(b"\n") + 1 :]

    def _write(self, lines: bytes, size: int) -> int:
        self._known_size = -1
        written = 0
        try:
            while written < len(lines):
                written += os.write(self._descriptor, lines[written:] if written else lines)
        except OSError:
            whole = lines.rfind(b"\n", 0, written) + 1
            self._cut_back(size + written, size + whole)
            if not whole:
                raise
            return whole
        self._known_size = size + written
        return written

    def _cut_back(self, size: int, whole_size: int) -> None:
        """Take the half of a line away that a full disk has let through."""
        with suppress(OSError):
            if size > whole_size and os.fstat(self._descriptor).st_size == size:
                os.ftruncate(self._descriptor, whole_size)
