"""Ring files on disk: their names, who may use them, and which have lost their owner."""

from __future__ import annotations

import os
import stat
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from logkit.sinks.descriptors import close_if, file_id
from logkit.sinks.locks import try_lock
from logkit.sinks.notices import say
from logkit.sinks.ring import Ring, UnreadableRingError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from logkit.sinks.destination import Destination
    from logkit.sinks.ring import Owner

_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - files there are opened without following links
_NEW_FLAGS = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0)
_OLD_FLAGS = os.O_RDWR | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)
_RING_MODE = 0o600
_MIN_AGE_S = 60.0

_abandoned: list[Ring] = []


class RingFile:
    """A ring and the locked file that holds it; a dead process holds no lock.

    Attributes:
        ring: The ring.
        path: The file, or ``None`` for a ring in memory alone.
    """

    def __init__(self, ring: Ring, path: Path | None = None, descriptor: int = -1) -> None:
        self.ring = ring
        self.path = path
        self._descriptor = descriptor
        self._file_id = file_id(descriptor)

    def keep(self) -> None:
        """Lock the file again if the bot has closed the descriptor that held the lock."""
        if self.path is None or file_id(self._descriptor) == self._file_id:
            return
        # The mapping has a descriptor of its own, which is lost as well. Closing the mapping would
        # close what the bot has meanwhile opened under that number.
        _abandoned.append(self.ring)
        with suppress(OSError):
            self._descriptor = os.open(self.path, _OLD_FLAGS)
            try_lock(self._descriptor)

    def put_away(self) -> None:
        """Let go of the ring, and delete the file unless lines are left in it."""
        if self.path is not None and not self.ring.used:
            with suppress(OSError):
                self.path.unlink()
        self.close()

    def close(self) -> None:
        """Let go of the file, which then counts as left behind by its owner."""
        self.keep()
        with suppress(BufferError):  # a log call that was interrupted by what closes the ring
            if self.ring not in _abandoned:
                self.ring.close()
        close_if(self._descriptor, self._file_id)
        self._descriptor = -1


def default_directories() -> list[Path]:
    """Return where rings are kept unless somebody says otherwise: shared memory, then temp."""
    temporary = Path(tempfile.gettempdir())
    return [_SHARED_MEMORY, temporary] if sys.platform == "linux" else [temporary]


def create(directories: list[Path], capacity: int, owner: Owner) -> RingFile:
    """Make a ring in the first of *directories* that has room, or else in memory alone."""
    # Not the instance alone: a new configuration makes a second ring while the first is drained.
    name = f"{_prefix(owner.destination)}{owner.instance}-{os.urandom(3).hex()}.ring"
    for directory in directories:
        path = directory / name
        with suppress(OSError):
            return create_file(path, capacity, owner)
    places = " and ".join(map(str, directories))
    say(f"no room for the ring in {places}; events that wait will not survive this process")
    return RingFile(Ring.create(-1, capacity, owner))


def create_file(path: Path, capacity: int, owner: Owner) -> RingFile:
    """Make a ring in a new file of mode 0600.

    Raises:
        OSError: There is no room, no permission or no such directory.
    """
    descriptor = os.open(path, _NEW_FLAGS, _RING_MODE)
    try:
        try_lock(descriptor)
        return RingFile(Ring.create(descriptor, capacity, owner), path, descriptor)
    except OSError:
        os.close(descriptor)
        path.unlink()
        raise


def left_behind(
    directories: list[Path],
    destination: Destination | None = None,
    complain: Callable[[Path, UnreadableRingError], None] = lambda *_: None,
) -> Iterator[RingFile]:
    """Yield the rings of dead processes of this user, oldest first.

    Args:
        directories: Where to look.
        destination: Where the processes logged to; ``None`` for anywhere.
        complain: Called with each ring that cannot be read, and why; it stays.
    """
    prefix = _user_prefix() if destination is None else _prefix(destination)
    found = [file for directory in directories for file in directory.glob(f"{prefix}*.ring")]
    for file in sorted(found, key=_age, reverse=True):
        try:
            orphan = _adopt(file)
        except UnreadableRingError as error:
            complain(file, error)
        except OSError:  # gone meanwhile, or not ours to open
            continue
        else:
            if orphan:
                yield orphan


def _age(file: Path) -> float:
    try:
        return time.time() - file.stat().st_mtime
    except OSError:
        return 0.0


def _adopt(path: Path) -> RingFile | None:
    descriptor = os.open(path, _OLD_FLAGS)
    status = os.fstat(descriptor)
    # Shared memory is open to all users, and a ring says which file is to be written.
    is_own = stat.S_ISREG(status.st_mode) and status.st_uid == _user_id()
    if not is_own or not try_lock(descriptor) or os.fstat(descriptor).st_nlink == 0:
        os.close(descriptor)
        return None
    try:
        ring = Ring.load(descriptor)
    except UnreadableRingError:
        os.close(descriptor)
        raise
    if ring is not None:
        return RingFile(ring, path, descriptor)
    if time.time() - status.st_mtime > _MIN_AGE_S:  # a younger one may be about to be laid out
        path.unlink()
    os.close(descriptor)
    return None


def _prefix(destination: Destination) -> str:
    return f"{_user_prefix()}{destination.key}-"


def _user_prefix() -> str:
    return f"logkit-{_user_id()}-"


def _user_id() -> int:
    return os.geteuid() if sys.platform != "win32" else 0
