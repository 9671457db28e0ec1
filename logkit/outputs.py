"""Where bytes end: a file with rotation that several processes may share, or standard output."""

from __future__ import annotations

import os
import stat
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

if sys.platform != "win32":
    import fcntl

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FILE_MODE = 0o640
_APPEND = (
    os.O_APPEND | os.O_CREAT | os.O_CLOEXEC if sys.platform != "win32" else os.O_APPEND | os.O_CREAT
)


class Output(Protocol):
    """What takes whole lines."""

    def append(self, lines: bytes) -> None:
        """Write *lines*, which end with a newline.

        Raises:
            OSError: Not all of them could be written.
        """

    def close(self) -> None:
        """Release the file; a later ``append`` opens it again."""


class StandardOutput:
    """The process's standard output, as it is at each write."""

    def append(self, lines: bytes) -> None:
        """Write *lines* to the file descriptor, or to what stands in for it in a test."""
        stream = sys.stdout
        if stream is None:
            raise OSError("this process has no standard output")
        try:
            descriptor = stream.fileno()
        except (OSError, ValueError, AttributeError):
            stream.write(lines.decode())
            return
        write_whole(descriptor, lines)

    def close(self) -> None:
        """Leave standard output open: it belongs to the process."""


class RotatingFile:
    """A log file, mode 0640, that is renamed to ``path.1`` before it grows past a size.

    Several processes may write to one path and rotate it: each write is one ``O_APPEND`` call,
    each looks first whether the file at the path is still the one that is open, and a rename
    happens under a lock on ``path.lock``. A FIFO is written as it is.
    """

    def __init__(self, path: Path, *, max_bytes: int | None = None, backups: int = 5) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._backups = backups
        self._descriptor = -1
        self._file_id: tuple[int, int] | None = None
        self._is_torn = False

    def open(self) -> None:
        """Open the file now, so that a path that cannot be used is known at the start."""
        self._open()

    def append(self, lines: bytes) -> None:
        """Write *lines* at the end of the file, rotating it first if they do not fit."""
        size = self._current_size()
        if self._max_bytes is not None and size and size + len(lines) > self._max_bytes:
            self._rotate(len(lines))
        if self._is_torn:
            # The last write stopped half-way; the rest of its line must not swallow this one.
            write_whole(self._descriptor, b"\n")
            self._is_torn = False
        try:
            write_whole(self._descriptor, lines)
        except TornWriteError:
            self._is_torn = True
            raise

    def close(self) -> None:
        """Close the file; a later ``append`` opens it again."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor, self._file_id = -1, None

    def _current_size(self) -> int:
        """Return the bytes in the file at the path, opening it if it is not the open one."""
        try:
            status = self._path.stat()
        except FileNotFoundError:
            return self._open()
        if (status.st_dev, status.st_ino) != self._file_id:
            return self._open()
        return status.st_size

    def _open(self) -> int:
        self.close()
        self._path.parent.mkdir(parents=True, exist_ok=True)
        # Opened for both, a FIFO without a reader does not make the process wait.
        access = os.O_RDWR if self._path.is_fifo() else os.O_WRONLY
        self._descriptor = os.open(self._path, access | _APPEND, _FILE_MODE)
        status = os.fstat(self._descriptor)
        self._file_id = (status.st_dev, status.st_ino)
        self._is_torn = stat.S_ISREG(status.st_mode) and not _ends_with_newline(self._path, status)
        return status.st_size if stat.S_ISREG(status.st_mode) else 0

    def _rotate(self, incoming_bytes: int) -> None:
        with self._rotation_lock():
            # Another process may have rotated while this one waited for the lock.
            size = self._current_size()
            if size and self._max_bytes is not None and size + incoming_bytes > self._max_bytes:
                for number in range(self._backups - 1, 0, -1):
                    if self._backup(number).exists():
                        self._backup(number).replace(self._backup(number + 1))
                self.close()
                self._path.replace(self._backup(1))
                self._open()

    def _backup(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")

    @contextmanager
    def _rotation_lock(self) -> Iterator[None]:
        lock_path = self._path.with_name(f"{self._path.name}.lock")
        descriptor = os.open(lock_path, os.O_RDWR | os.O_CREAT, _FILE_MODE)
        try:
            if sys.platform != "win32":
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


class TornWriteError(OSError):
    """A write stopped after some of its bytes."""


def write_whole(descriptor: int, data: bytes) -> None:
    """Write all of *data*.

    Raises:
        OSError: Nothing was written.
        TornWriteError: A part was written.
    """
    written = os.write(descriptor, data)
    while written < len(data):
        try:
            written += os.write(descriptor, data[written:])
        except OSError as error:
            raise TornWriteError(*error.args) from error


def _ends_with_newline(path: Path, status: os.stat_result) -> bool:
    if status.st_size == 0:
        return True
    try:
        with path.open("rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read(1) == b"\n"
    except OSError:  # write-only for this user: a blank line costs nothing, a swallowed one does
        return False
