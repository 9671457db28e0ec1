"""Locks between processes."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING

from logkit.sinks.descriptors import close_if, file_id

if sys.platform != "win32":
    import fcntl

if TYPE_CHECKING:
    from pathlib import Path

    from logkit.sinks.descriptors import FileId

_LOCK_MODE = 0o640


def try_lock(descriptor: int) -> bool:
    """Lock the open file for this process if nobody else has; return whether it is ours now."""
    if sys.platform == "win32":
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # somebody else's, or a file system that has no locks to tell
        return False
    return True


def unlock(descriptor: int) -> None:
    """Give the lock back, also where a forked child holds a copy of the descriptor."""
    if sys.platform != "win32":
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_UN)


class PathLock:
    """A context manager: one process at a time, by a lock on a side file.

    Where the side file cannot be made (a directory without write permission) or locked, the
    block runs without.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = -1
        self._file_id: FileId | None = None

    def __enter__(self) -> None:
        if sys.platform == "win32":
            return
        with contextlib.suppress(OSError):
            flags = os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC
            self._descriptor = os.open(self._path, flags, _LOCK_MODE)
            self._file_id = file_id(self._descriptor)
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        if self._descriptor >= 0:
            unlock(self._descriptor)
        self.forget()

    def forget(self) -> None:
        """Close the descriptor; in a forked child this leaves the parent's lock alone."""
        close_if(self._descriptor, self._file_id)
        self._descriptor = -1
