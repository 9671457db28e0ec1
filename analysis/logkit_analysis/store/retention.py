"""Old rows out of the store, and the space that they took given back."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from logkit_analysis.store.access import DatabaseMissingError
from logkit_analysis.store.database import reading, remove, writing
from logkit_analysis.store.transactions import transaction

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    import duckdb

# A row without a time is as old as its ingest.
_KEPT = {
    "events": "coalesce(timestamp, ingested_at) >= $1",
    "quarantine": "ingested_at >= $1",
}


@dataclass(frozen=True, slots=True)
class Pruned:
    """What a pruning removed.

    Attributes:
        events: Events removed.
        rejects: Quarantined lines removed.
        bytes_before: Size of the database file before.
        bytes_after: Its size afterwards.
    """

    events: int
    rejects: int
    bytes_before: int
    bytes_after: int


@dataclass(frozen=True, slots=True)
class Prunable:
    """What a pruning would remove.

    Attributes:
        events: Events that would go.
        rejects: Quarantined lines that would go.
        kept: Events that would stay.
    """

    events: int
    rejects: int
    kept: int

    @property
    def is_all(self) -> bool:
        """Whether there are events and none would stay."""
        return self.events > 0 and self.kept == 0


def count_old(path: Path, before: datetime) -> Prunable:
    """Return what `prune` would remove.

    Raises:
        DatabaseMissingError: There is no such file.
        DatabaseUnusableError: It cannot be used.
    """
    with reading(path) as connection:
        old = _old_counts(connection, before)
        stored = connection.execute("select count(*) from events").fetchall()[0][0]
    return Prunable(old["events"], old["quarantine"], int(stored) - old["events"])


def prune(path: Path, *, before: datetime, on_wait: Callable[[str], None]) -> Pruned:
    """Put a file without the rows older than *before* in the place of the database.

    Where that would be no smaller, since few rows go, they are only deleted.

    Positions stay, so nothing that was removed is read in again. The new file takes the old
    one's name in one step: after a kill or on a full disk the old one is still there, whole.

    Args:
        path: The database file.
        before: Events before this instant go, and lines that were quarantined before it.
        on_wait: Told, in one line, whom we wait for.

    Raises:
        DatabaseMissingError: There is no such file.
        DatabaseUnusableError: It cannot be used or written.
    """
    if not path.exists():
        raise DatabaseMissingError(path)
    # Not a link that leads to it, whose place the new file would take.
    path = path.resolve()
    fresh = path.with_name(f".{path.name}.pruned")
    try:
        with writing(path, on_wait=on_wait) as connection:
            removed = _old_counts(connection, before)
            bytes_before = path.stat().st_size
            if any(removed.values()):
                _copy_kept(connection, fresh, before)
                if fresh.stat().st_size <= bytes_before:
                    # Closing empties the old file's log, which must not meet the new file.
                    connection.close()
                    _sync(fresh)
                    fresh.replace(path)
                else:
                    _delete_old(connection, before)
    finally:
        with suppress(OSError):
            remove(fresh)
    return Pruned(removed["events"], removed["quarantine"], bytes_before, path.stat().st_size)


def _old_counts(connection: duckdb.DuckDBPyConnection, before: datetime) -> dict[str, int]:
    """Return how many rows of each table go."""
    counts = {}
    for table, kept in _KEPT.items():
        query = f"select count(*) from {table} where not ({kept})"  # noqa: S608 our own names
        counts[table] = int(connection.execute(query, [before]).fetchall()[0][0])
    return counts


def _copy_kept(connection: duckdb.DuckDBPyConnection, fresh: Path, before: datetime) -> None:
    remove(fresh)
    name = connection.execute("select current_database()").fetchall()[0][0]
    tables = connection.execute(
        "select table_name from duckdb_tables() where database_name = current_database()"
    ).fetchall()
    connection.execute(f"attach {_quoted(str(fresh), chr(39))} as fresh")
    connection.execute(f"copy from database {_quoted(name, chr(34))} to fresh (schema)")
    for (table,) in tables:
        kept = _KEPT.get(table)
        query = f"insert into fresh.{table} select * from {table}"  # noqa: S608 our own names
        connection.execute(*((f"{query} where {kept}", [before]) if kept else (query,)))
    connection.execute("detach fresh")
    fresh.chmod(0o600)


def _delete_old(connection: duckdb.DuckDBPyConnection, before: datetime) -> None:
    with transaction(connection):
        for table, kept in _KEPT.items():
            query = f"delete from {table} where not ({kept})"  # noqa: S608 our own names
            connection.execute(query, [before])


def _quoted(text: str, mark: str) -> str:
    return f"{mark}{text.replace(mark, mark * 2)}{mark}"


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
