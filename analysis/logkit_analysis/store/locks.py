"""Locks beside a database file, so that people's queries and our writer never collide.

DuckDB lets one process write and then no other may even read. Every opening of ours therefore
passes two ``flock`` locks, which the kernel frees when a process dies:

- *access*: shared by readers, exclusive for the writer, held while the database is open;
- *gate*: a writer holds it while it waits for access, and a reader passes through it before it
  asks for access. Without it, overlapping readers would keep a writer waiting for ever.

A third lock, *writer*, is held for a whole ``ingest`` or ``follow``: one writer per database.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING

from logkit_analysis.errors import AnalysisError
from logkit_analysis.store.access import DatabaseUnusableError, check_usable, owner_of
from logkit_analysis.store.holders import described, holders_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_POLL_SECONDS = 0.01
_PATIENCE_SECONDS = 1.0
_FOLLOW = "logkit follow"
_ENDLESS = ", which does not end by itself: stop it, or let it read these files too"
_CLOSED_TO_US = frozenset({errno.EACCES, errno.EROFS, errno.EPERM})


class DatabaseBusyError(AnalysisError):
    """Another process holds the database and did not let go in time."""


class WaitStoppedError(AnalysisError):
    """The process was asked to stop while it waited for a lock."""


def _say_nothing(_: str) -> None:
    pass


def _never() -> bool:
    return False


class Locks:
    """The locks of one database file.

    Args:
        database: The database file; the locks lie beside it.
        on_wait: Called once with a line of text when a wait lasts longer than a second.
        timeout_s: Seconds to wait before `DatabaseBusyError`; ``None`` waits for ever.
        is_stopped: Asked while we wait; once it says yes, `WaitStoppedError` ends the wait.
    """

    def __init__(
        self,
        database: Path,
        *,
        on_wait: Callable[[str], None] = _say_nothing,
        timeout_s: float | None = None,
        is_stopped: Callable[[], bool] = _never,
    ) -> None:
        # A database has one set of locks, whichever links lead to it.
        self.database = database.resolve()
        self.say = on_wait
        self.timeout_s = timeout_s
        self.is_stopped = is_stopped
        self._sole_writer: int | None = None

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Hold the database together with other readers.

        Where we may not make the lock files, no writer of ours is at work either, or it has made
        them already: then they are opened as they are.

        Raises:
            DatabaseBusyError: A writer did not let go in time.
        """
        with ExitStack() as held:
            with suppress(FileNotFoundError), self._locked("gate", fcntl.LOCK_SH):
                held.enter_context(self._locked("access", fcntl.LOCK_SH))
            yield

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the database alone; readers who come later wait.

        Raises:
            DatabaseBusyError: Readers or another writer did not let go in time.
        """
        with ExitStack() as held:
            with self._locked("gate", fcntl.LOCK_EX):
                held.enter_context(self._locked("access", fcntl.LOCK_EX))
            yield

    @contextmanager
    def sole_writer(self, command: str) -> Iterator[None]:
        """Be the only ingesting process of this database; *command* is named to others.

        Raises:
            DatabaseBusyError: Another writer did not end in time.
            DatabaseUnusableError: There can be no database of ours at the path.
        """
        check_usable(self.database, is_writer=True)
        with self._locked("writer", fcntl.LOCK_EX) as writer:
            os.ftruncate(writer, 0)
            os.pwrite(writer, f"{command} (PID {os.getpid()})".encode(), 0)
            self._sole_writer = writer
            try:
                yield
            finally:
                self._sole_writer = None
                os.ftruncate(writer, 0)

    def is_sole_writer(self) -> bool:
        """Return whether we are it, and the file behind that lock was not deleted meanwhile."""
        return self._sole_writer is not None and _is_at(self._sole_writer, self._path("writer"))

    @contextmanager
    def _locked(self, name: str, mode: int) -> Iterator[int]:
        path = self._path(name)
        wait = _Wait(self)
        while True:
            descriptor = _open(path, is_reader=mode == fcntl.LOCK_SH)
            try:
                while not _try_lock(descriptor, mode):
                    wait.on(descriptor)
                if not _is_at(descriptor, path):
                    # Deleted since we opened it: others lock its successor.
                    continue
                yield descriptor
                return
            finally:
                os.close(descriptor)

    def _path(self, name: str) -> Path:
        suffix = ".lock" if name == "access" else f".{name}.lock"
        return self.database.with_name(self.database.name + suffix)


class _Wait:
    """The patience of one attempt to get a lock."""

    def __init__(self, locks: Locks) -> None:
        self._locks = locks
        self._started = time.monotonic()
        self._is_said = False

    def on(self, descriptor: int) -> None:
        """Wait a moment for the lock of the open file; give up when it is time to."""
        locks = self._locks
        if locks.is_stopped():
            raise WaitStoppedError(f"stopped while waiting for {locks.database}")
        waited = time.monotonic() - self._started
        if locks.timeout_s is not None and waited > locks.timeout_s:
            raise DatabaseBusyError(
                f"{locks.database} is in use by {_named(descriptor, locks.database)}"
            )
        if not self._is_said and waited > _PATIENCE_SECONDS:
            holder = _named(descriptor, locks.database)
            hint = _ENDLESS if holder.startswith(_FOLLOW) else ""
            locks.say(f"waiting for {locks.database}, in use by {holder}{hint}")
            self._is_said = True
        time.sleep(_POLL_SECONDS)


def _open(path: Path, *, is_reader: bool) -> int:
    try:
        # Through a link in a folder of many users we would empty the file that it leads to.
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise DatabaseUnusableError(f"{path} is a link, which no lock of ours is") from error
        if error.errno not in _CLOSED_TO_US:
            raise
        if is_reader:
            with suppress(PermissionError):
                return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        raise _closed_to_us(path, error) from error


def _closed_to_us(path: Path, error: OSError) -> DatabaseUnusableError:
    whose = path if path.exists() else path.parent
    reason = (error.strerror or str(error)).lower()
    return DatabaseUnusableError(
        f"the database in {path.parent} cannot be used: {reason}; "
        f"{'its locks belong' if whose is path else 'the folder belongs'} to {owner_of(whose)}"
    )


def _try_lock(descriptor: int, mode: int) -> bool:
    try:
        fcntl.flock(descriptor, mode | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _named(descriptor: int, database: Path) -> str:
    """Return who holds the lock of the open file, for people."""
    writer = writer_of(database) or ""
    pids = holders_of(descriptor)
    names = [writer if f"(PID {pid})" in writer else described(pid) for pid in pids]
    return ", ".join(names) or writer or "a query of another logkit process"


def writer_of(database: Path) -> str | None:
    """Return which process writes to *database* for good, as it named itself, if one does."""
    path = database.with_name(f"{database.name}.writer.lock")
    try:
        with path.open("rb") as file:
            is_free = _try_lock(file.fileno(), fcntl.LOCK_SH)
            named = file.read().decode(errors="replace").strip()
    except OSError:
        return None
    return None if is_free else named or None
