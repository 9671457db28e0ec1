"""The database of a process that writes for long, open only for the moment of a commit."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from logkit_analysis.errors import AnalysisError
from logkit_analysis.store.access import DatabaseMissingError
from logkit_analysis.store.database import (
    APPENDING_PATIENCE_S,
    appending,
    compact,
    writing,
)
from logkit_analysis.store.writer import Part, StoreWriter, began_at, begin_run, known_streams
from logkit_analysis.streams import joined

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import duckdb

    from logkit_analysis.store.locks import Locks
    from logkit_analysis.streams import LogStream

_MOST_INTERVALS = 1_000
# Whoever opens the database replays its log, half a millisecond for each commit in it.
_MOST_COMMITS_IN_LOG = 32
# At 2,000 lines a second, which leave no quiet moment, these are ten minutes.
_MOST_PIECES = 200


class StoreReplacedError(AnalysisError):
    """Another database lies where ours was, or none."""


class StoreChangedError(AnalysisError):
    """The database is not as our last commit left it."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What a store holds when a run begins.

    Attributes:
        streams: All that it knows, oldest first.
        began_at: When it was first written to, seconds since 1970.
    """

    streams: list[LogStream]
    began_at: float


class Appender:
    """Adds to a store in many short transactions.

    What we remember of the store holds only as long as nobody puts another file in its place, an
    older copy for instance. Before each commit the row of our run tells.

    Args:
        database: The database file.
        locks: Its locks; the caller is its sole writer.
        memory_limit: What DuckDB may use, e.g. ``512MB``.
        threads: How many threads DuckDB may use.

    Attributes:
        rows: Events committed so far.
        rejects: Lines quarantined so far.
    """

    def __init__(self, database: Path, locks: Locks, *, memory_limit: str, threads: int) -> None:
        self._database = database
        self._locks = locks
        self._memory_limit = memory_limit
        self._threads = threads
        self._started = time.monotonic()
        self._run_id = 0
        self._run: tuple[object, ...] = ()
        self._commits_in_log = 0
        self._pieces = 0
        self.rows = 0
        self.rejects = 0

    def begin(self) -> Contents:
        """Begin a run; the database is created if it is not there.

        Raises:
            DatabaseBusyError: A program that is not ours holds it.
            DatabaseUnusableError: It is no database of ours, or cannot be written.
        """
        with writing(
            self._database, locks=self._locks, patience_s=APPENDING_PATIENCE_S
        ) as connection:
            streams = known_streams(connection)
            self._run_id, self._run = begin_run(connection), ()
            self._commits_in_log = self._pieces = 0
            self._run = self._stored_run(connection)
            return Contents(streams, began_at(connection))

    def commit(self, parts: Sequence[Part], moved: Sequence[LogStream] = ()) -> None:
        """Store *parts*, and where *moved* streams are now, all or none.

        Raises:
            StoreChangedError: `streams` is to be asked first.
            StoreReplacedError: `begin` is to be called first.
            DatabaseBusyError: A program that is not ours holds the database.
            DatabaseUnusableError: It cannot be written, for instance because the disk is full.
        """
        with self._opened() as connection:
            if self._stored_run(connection) != self._run:
                raise StoreChangedError(f"{self._database} has changed; its positions are taken")
            writer = StoreWriter(connection, self._run_id)
            writer.commit(parts, moved)
            self.rows += sum(part.batch.row_count for part in parts)
            self.rejects += sum(len(part.batch.rejects) for part in parts)
            for part in parts:
                if len(part.stream.intervals) > _MOST_INTERVALS:
                    writer.replace_intervals(part.stream, joined(part.stream.intervals))
            self._run = self._stored_run(connection)
            self._note_commit()
            if self._commits_in_log >= _MOST_COMMITS_IN_LOG or self._pieces >= _MOST_PIECES:
                self._compact(connection)

    def tidy_up(self) -> None:
        """Put together what commits have left in pieces; best done while there is nothing else.

        Raises:
            StoreReplacedError: `begin` is to be called first.
            DatabaseBusyError: A program that is not ours holds the database.
            DatabaseUnusableError: It cannot be written.
        """
        if self._pieces:
            with self._opened() as connection:
                self._compact(connection)

    def _note_commit(self) -> None:
        """Count what is in the log, and the pieces that it has become when it was too long."""
        self._commits_in_log += 1
        log = self._database.with_name(f"{self._database.name}.wal")
        if not log.exists():
            self._commits_in_log, self._pieces = 0, self._pieces + 1

    def _compact(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._commits_in_log = self._pieces = 0
        # With an empty log DuckDB would see nothing to do.
        connection.execute(
            "update ingest_runs set seconds = $2 where run_id = $1",
            [self._run_id, time.monotonic() - self._started],
        )
        compact(connection)

    def streams(self) -> list[LogStream]:
        """Return all streams as the store knows them now."""
        with self._opened() as connection:
            self._run = self._stored_run(connection)
            return known_streams(connection)

    def finish(self, file_count: int) -> None:
        """Note that the run has ended."""
        with self._opened() as connection:
            seconds = time.monotonic() - self._started
            StoreWriter(connection, self._run_id).finish(file_count, seconds)

    @contextmanager
    def _opened(self) -> Iterator[duckdb.DuckDBPyConnection]:
        if not self._locks.is_sole_writer():
            raise StoreReplacedError(f"the locks of {self._database} were deleted")
        try:
            with appending(
                self._database,
                locks=self._locks,
                memory_limit=self._memory_limit,
                threads=self._threads,
            ) as connection:
                yield connection
        except DatabaseMissingError as error:
            raise StoreReplacedError(f"{self._database} was deleted") from error

    def _stored_run(self, connection: duckdb.DuckDBPyConnection) -> tuple[object, ...]:
        """Return the row of our run: when it began, and what it has read."""
        rows = connection.execute(
            'select started_at, "rows", rejects from ingest_runs where run_id = $1', [self._run_id]
        ).fetchall()
        if not rows or (self._run and rows[0][0] != self._run[0]):
            raise StoreReplacedError(f"{self._database} was replaced by another one")
        return tuple(rows[0])
