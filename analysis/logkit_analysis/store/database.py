"""Opening the DuckDB file: alone for writing, locked down for reading."""

from __future__ import annotations

import os
import re
import time
from contextlib import ExitStack, closing, contextmanager, suppress
from typing import TYPE_CHECKING

import duckdb

from logkit_analysis.store import macros
from logkit_analysis.store.access import (
    DatabaseMissingError,
    DatabaseUnusableError,
    check_usable,
)
from logkit_analysis.store.locks import DatabaseBusyError, Locks
from logkit_analysis.store.log_repair import is_damaged, repair
from logkit_analysis.store.migrations import SCHEMA_VERSION, current_version, migrate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

FOREIGN_HOLDER_TIMEOUT_S = 10.0
APPENDING_PATIENCE_S = 0.5
# Opening replays the log and closing would empty it; between the two lies this size.
_LOG_SIZE = "4MB"
_LEAST_MEMORY = "1MB"
_PRIVATE_UMASK = 0o077
_HOLDER = re.compile(r"Could not set lock.*?\(PID (\d+)\)", re.DOTALL)
_DISK_FAILURES = (duckdb.IOException, duckdb.FatalException, duckdb.TransactionException)


class _DamagedLogError(DatabaseUnusableError):
    """The write-ahead log keeps DuckDB from opening the database."""


@contextmanager
def reading(
    path: Path,
    *,
    time_zone: str = "UTC",
    on_wait: Callable[[str], None] | None = None,
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open *path* for people's SQL: nothing can be written and no other file can be read.

    Args:
        path: The database file.
        time_zone: Zone in which TIMESTAMPTZ values come back.
        on_wait: Called with a line of text when a writer keeps us waiting.

    Raises:
        DatabaseMissingError: There is no such file.
        DatabaseUnusableError: It is no logkit database, or its schema is newer or older.
        DatabaseBusyError: Another program holds it.
    """
    if not path.exists():
        raise DatabaseMissingError(path)
    path = path.resolve()
    check_usable(path, is_writer=False)
    with _interruptible(), ExitStack() as held:
        connection = _connect_reader(path, _locks(path, on_wait), held)
        try:
            _check_schema(connection, path)
            macros.install_temporary(connection)
            connection.execute("set global timezone = $1", [time_zone])
            connection.execute("set lock_configuration = true")
            yield connection
        finally:
            connection.close()


def _connect_reader(path: Path, locks: Locks, held: ExitStack) -> duckdb.DuckDBPyConnection:
    """Open *path*; its lock is *held*, and a damaged log is repaired first."""
    with ExitStack() as lock:
        lock.enter_context(locks.reading())
        try:
            connection = _connect(path, read_only=True)
        except _DamagedLogError:
            lock.close()
            with locks.writing(), _opened_for_writing(path, locks):
                pass
            lock.enter_context(locks.reading())
            connection = _connect(path, read_only=True)
        held.push(lock.pop_all())
    return connection


@contextmanager
def empty_store() -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a store in memory that holds nothing and sees no file."""
    connection = duckdb.connect()
    try:
        connection.execute("set timezone = 'UTC'")
        migrate(connection)
        macros.install(connection)
        connection.execute("set enable_external_access = false")
        connection.execute("set lock_configuration = true")
        yield connection
    finally:
        connection.close()


@contextmanager
def writing(
    path: Path,
    *,
    on_wait: Callable[[str], None] | None = None,
    locks: Locks | None = None,
    patience_s: float = FOREIGN_HOLDER_TIMEOUT_S,
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open *path* for writing, alone; the file is created (mode 0600) and migrated as needed.

    Args:
        path: The database file.
        on_wait: Called with a line of text when somebody keeps us waiting.
        locks: Its locks, if the caller has them; then *on_wait* is theirs.
        patience_s: How long to wait for a program that is not ours.

    Raises:
        DatabaseUnusableError: It is no database, or its schema is newer than this release.
        DatabaseBusyError: Another program holds it.
    """
    path = path.resolve()
    check_usable(path, is_writer=True)
    locks = locks or _locks(path, on_wait)
    with _interruptible(), locks.writing():
        if not path.exists() or not path.stat().st_size:
            _create(path)
        with _opened_for_writing(path, locks, patience_s=patience_s) as connection:
            if current_version(connection) != SCHEMA_VERSION:
                _check_ours(connection, path)
                migrate(connection)
            macros.install(connection)
            yield connection


@contextmanager
def appending(
    path: Path, *, locks: Locks, memory_limit: str, threads: int
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open *path*, which `writing` has prepared, for a short transaction among many.

    Args:
        path: The database file.
        locks: Its locks.
        memory_limit: What DuckDB may use, e.g. ``512MB``.
        threads: How many threads it may use.

    What is committed is in the write-ahead log; it moves into the file once that is worth it, as
    it is. `compact` puts such pieces together.

    Raises:
        DatabaseBusyError: Another program holds it.
        DatabaseUnusableError: It cannot be written, for instance because the disk is full.
    """
    with locks.writing():
        if not path.exists():
            raise DatabaseMissingError(path)
        with _opened_for_writing(path, locks, patience_s=APPENDING_PATIENCE_S) as connection:
            connection.execute(f"set memory_limit = '{memory_limit}'")
            connection.execute(f"set threads = {threads:d}")
            connection.execute(f"set checkpoint_threshold = '{_LOG_SIZE}'")
            connection.execute("pragma disable_checkpoint_on_shutdown")
            # Putting the pieces of a whole row group together keeps everybody waiting for a second.
            connection.execute("set max_vacuum_tasks = 0")
            yield connection


def compact(connection: duckdb.DuckDBPyConnection) -> None:
    """Empty the write-ahead log of a database that `appending` has opened; join small row groups.

    DuckDB joins those of about the same size, so that all in all little is written twice.
    """
    connection.execute("set max_vacuum_tasks = 100")
    connection.execute("checkpoint")


def free_stored_blocks(connection: duckdb.DuckDBPyConnection) -> None:
    """Give back the memory of what is in the file; DuckDB keeps all that it has written.

    A lower limit for good would refuse long lines.
    """
    # It frees what it can before it says that this is not enough.
    with suppress(duckdb.OutOfMemoryException):
        connection.execute(f"set memory_limit = '{_LEAST_MEMORY}'").fetchall()
    connection.execute("reset memory_limit").fetchall()


@contextmanager
def _opened_for_writing(
    path: Path, locks: Locks, *, patience_s: float = FOREIGN_HOLDER_TIMEOUT_S
) -> Iterator[duckdb.DuckDBPyConnection]:
    with _private_files():
        try:
            connection = _connect(path, read_only=False, patience_s=patience_s)
        except _DamagedLogError as error:
            locks.say(repair(path, str(error.__cause__)))
            connection = _connect(path, read_only=False, patience_s=patience_s)
        try:
            connection.execute("set timezone = 'UTC'")
            yield connection
        except _DISK_FAILURES as error:
            raise DatabaseUnusableError(_disk_failure(path, error)) from error
        finally:
            connection.close()


@contextmanager
def _private_files() -> Iterator[None]:
    """Let nobody else read what DuckDB creates; its log comes with the first write only."""
    previous = os.umask(_PRIVATE_UMASK)
    try:
        yield
    finally:
        os.umask(previous)


@contextmanager
def _interruptible() -> Iterator[None]:
    """Make Ctrl-C the `KeyboardInterrupt` that it is."""
    try:
        yield
    except RuntimeError as error:
        if not is_interrupt(error):
            raise
        raise KeyboardInterrupt from error


def is_interrupt(error: Exception) -> bool:
    """Return whether *error* is Ctrl-C, which DuckDB's client calls a ``RuntimeError``."""
    return isinstance(error, RuntimeError) and str(error) == "Query interrupted"


def _create(path: Path) -> None:
    """Make the database beside *path* and move it there whole.

    DuckDB cannot open a file whose first write was cut short by a kill or a full disk.
    """
    partial = path.with_name(f".{path.name}.new")
    remove(partial)
    try:
        with _private_files(), closing(_connect(partial, read_only=False)) as connection:
            migrate(connection)
        # The log of a database that is gone says nothing about the new one.
        remove(path)
        partial.replace(path)
    except _DISK_FAILURES as error:
        raise DatabaseUnusableError(_disk_failure(path, error)) from error
    finally:
        remove(partial)


def remove(database: Path) -> None:
    """Delete a database that may be there and its log, which says nothing about a new one."""
    for path in (database, database.with_name(f"{database.name}.wal")):
        path.unlink(missing_ok=True)


def _locks(path: Path, on_wait: Callable[[str], None] | None) -> Locks:
    return Locks(path, on_wait=on_wait) if on_wait else Locks(path)


def _connect(
    path: Path, *, read_only: bool, patience_s: float = FOREIGN_HOLDER_TIMEOUT_S
) -> duckdb.DuckDBPyConnection:
    config: dict[str, str | bool | int | float | list[str]] = {}
    if read_only:
        config["enable_external_access"] = False
    deadline = time.monotonic() + patience_s
    while True:
        try:
            return duckdb.connect(str(path), read_only=read_only, config=config)
        except duckdb.Error as error:
            if is_damaged(str(error)):
                raise _DamagedLogError(_first_line(path, error)) from error
            holder = _HOLDER.search(str(error))
            if holder is None:
                raise DatabaseUnusableError(_first_line(path, error)) from error
            if time.monotonic() > deadline:
                message = f"{path} is held open by another program (PID {holder[1]})"
                raise DatabaseBusyError(f"{message}; close it and try again") from error
            time.sleep(0.05)


def _first_line(path: Path, error: Exception) -> str:
    return f"cannot use {path} as a database: {str(error).splitlines()[0]}"


def _disk_failure(path: Path, error: duckdb.Error) -> str:
    text = str(error).splitlines()[0]
    cause = re.search(r'Could not [^"]*"[^"]*": ([^"]+)', text)
    kept = "what was committed is kept; make room and run again"
    return f"cannot write {path}: {cause[1] if cause else text}; {kept}"


def _check_ours(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Refuse to put our tables into a newer store or into somebody's own database."""
    found = current_version(connection)
    tables = connection.execute("select count(*) from duckdb_tables()").fetchall()
    if found > SCHEMA_VERSION or (found == 0 and tables[0][0]):
        _check_schema(connection, path)


def _check_schema(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    found = current_version(connection)
    if found == 0:
        raise DatabaseUnusableError(f"{path} is no logkit database: it has no logkit tables")
    if found < SCHEMA_VERSION:
        raise DatabaseUnusableError(
            f"{path} has schema version {found}, this logkit needs {SCHEMA_VERSION}; "
            f"`logkit ingest --db {path}` with any log brings it up to date"
        )
    if found > SCHEMA_VERSION:
        raise DatabaseUnusableError(
            f"{path} has schema version {found}, this logkit knows {SCHEMA_VERSION}; "
            "upgrade it: pip install -U 'botlogkit[analysis]'"
        )
