"""Pipes, FIFOs, sockets and devices: written as they are, in whole lines as far as they allow."""

from __future__ import annotations

import errno
import os
import select
import stat
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from logkit.sinks.descriptors import close_if, file_id
from logkit.sinks.locks import try_lock, unlock
from logkit.sinks.outputs import GoneError, NotReadyError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from logkit.sinks.descriptors import FileId

_WAIT_S = 0.1
_FLAGS = os.O_WRONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
# Writes of at most this size do not mix with those of other processes.
_ATOMIC_BYTES = 4_096
_BATCH_BYTES = 65_536


class Stream:
    """What has no size and no past.

    Batches are small enough to be written in one piece. A line longer than that is written in
    parts, under a lock that the pipe itself carries, so that other logkit processes do not write
    between them. A descriptor of its own lets this process write without ever waiting for a
    reader.
    """

    def __init__(self, open_descriptor: Callable[[], int], place: str, *, comes_back: bool) -> None:
        self.place = place
        self.batch_bytes = _ATOMIC_BYTES
        self._open_descriptor = open_descriptor
        self._comes_back = comes_back
        self._descriptor = -1
        self._file_id: FileId | None = None
        self._is_pipe = False
        self._is_locked = False
        self._begun_bytes = 0

    def append(self, lines: bytes) -> int:
        """Write what the other end has room for; wait up to 0.1 s if it has none."""
        if self._file_id is None or file_id(self._descriptor) != self._file_id:
            self.close()
            self._open()
        if self._is_pipe and not self._is_locked and not try_lock(self._descriptor):
            time.sleep(_WAIT_S / 10)
            return 0
        self._is_locked = self._is_pipe
        try:
            return self._write(lines)
        except BrokenPipeError as error:
            self.close()
            raise (NotReadyError if self._comes_back else GoneError)(*error.args) from error
        finally:
            if self._is_locked and not self._begun_bytes:
                unlock(self._descriptor)
                self._is_locked = False

    def close(self) -> None:
        """Close this process's own descriptor."""
        close_if(self._descriptor, self._file_id)
        self._descriptor, self._file_id = -1, None
        self._is_locked, self._begun_bytes = False, 0

    forget = close

    def _open(self) -> None:
        try:
            self._descriptor = self._open_descriptor()
        except OSError as error:
            if error.errno == errno.ENXIO:  # a FIFO that nobody reads
                raise NotReadyError(*error.args) from error
            raise
        self._file_id = file_id(self._descriptor)
        self._is_pipe = stat.S_ISFIFO(os.fstat(self._descriptor).st_mode)
        self.batch_bytes = _ATOMIC_BYTES if self._is_pipe else _BATCH_BYTES

    def _write(self, lines: bytes) -> int:
        try:
            written = os.write(self._descriptor, lines[self._begun_bytes :])
        except BlockingIOError:
            self._wait_for_room()
            return 0
        total = self._begun_bytes + written
        whole = lines.rfind(b"\n", 0, total) + 1
        self._begun_bytes = total - whole
        return whole

    def _wait_for_room(self) -> None:
        poll = select.poll()
        poll.register(self._descriptor, select.POLLOUT)
        poll.poll(_WAIT_S * 1_000)


def open_path(path: Path) -> Stream:
    """Return a stream for a FIFO or device; a FIFO's next reader goes on where the last one left.

    Raises:
        OSError: It cannot be opened, for another reason than that nobody reads yet.
    """
    stream = Stream(lambda: os.open(path, _FLAGS), str(path), comes_back=True)
    with suppress(NotReadyError):
        stream._open()
    return stream


def open_descriptor(descriptor: int, place: str) -> Stream:
    """Return a stream for what this process has open already, such as its standard output.

    Args:
        descriptor: Its number; it is not closed with the stream.
        place: What a person calls it.

    Raises:
        OSError: Nothing is open under that number.
    """
    os.fstat(descriptor)
    return Stream(lambda: _own_descriptor(descriptor), place, comes_back=False)


def _own_descriptor(descriptor: int) -> int:
    """Open the same pipe again, since what this process changes must not change for others.

    Anything but a pipe, and a pipe that belongs to another user, is shared as it is.
    """
    if stat.S_ISFIFO(os.fstat(descriptor).st_mode):
        with suppress(OSError):
            return os.open(f"/proc/self/fd/{descriptor}", _FLAGS)
    return os.dup(descriptor)
