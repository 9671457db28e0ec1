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
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from logkit_analysis.errors import AnalysisError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_POLL_SECONDS = 0.01
_PATIENCE_SECONDS = 1.0


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
        self._database = database
        self._on_wait = on_wait
        self._timeout_s = timeout_s
        self._is_stopped = is_stopped

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Hold the database together with other readers.

        Where we may not make the lock files, no writer of ours is at work either, or it has made
        them already: then they are opened as they are.

        Raises:
            DatabaseBusyError: A writer did not let go in time.
        """
        with ExitStack() as stack:
            try:
                access = stack.enter_context(self._held("access", is_reader=True))
            except FileNotFoundError:
                yield
                return
            with self._held("gate", is_reader=True) as gate:
                self._lock(gate, fcntl.LOCK_SH)
                self._lock(access, fcntl.LOCK_SH)
            yield

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the database alone; readers who come later wait.

        Raises:
            DatabaseBusyError: Readers or another writer did not let go in time.
        """
        with self._held("access") as access:
            with self._held("gate") as gate:
                self._lock(gate, fcntl.LOCK_EX)
                self._lock(access, fcntl.LOCK_EX)
            yield

    @contextmanager
    def sole_writer(self, command: str) -> Iterator[None]:
        """Be the only ingesting process of this database; *command* is named to others.

        Raises:
            DatabaseBusyError: Another writer did not end in time.
        """
        with self._held("writer") as writer:
            self._lock(writer, fcntl.LOCK_EX)
            os.ftruncate(writer, 0)
            os.pwrite(writer, f"{command} (PID {os.getpid()})".encode(), 0)
            yield
            os.ftruncate(writer, 0)

    @contextmanager
    def _held(self, name: str, *, is_reader: bool = False) -> Iterator[int]:
        suffix = ".lock" if name == "access" else f".{name}.lock"
        path = self._database.with_name(self._database.name + suffix)
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            if not is_reader or error.errno not in (errno.EACCES, errno.EROFS, errno.EPERM):
                raise
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    def _lock(self, descriptor: int, mode: int) -> None:
        started = time.monotonic()
        is_said = False
        while not _try_lock(descriptor, mode):
            if self._is_stopped():
                raise WaitStoppedError(f"stopped while waiting for {self._database}")
            waited = time.monotonic() - started
            if self._timeout_s is not None and waited > self._timeout_s:
                raise DatabaseBusyError(f"{self._database} is in use by {self._holder()}")
            if not is_said and waited > _PATIENCE_SECONDS:
                self._on_wait(f"waiting for {self._database}, in use by {self._holder()}")
                is_said = True
            time.sleep(_POLL_SECONDS)

    def _holder(self) -> str:
        return writer_of(self._database) or "a query of another logkit process"


def _try_lock(descriptor: int, mode: int) -> bool:
    try:
        fcntl.flock(descriptor, mode | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


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
