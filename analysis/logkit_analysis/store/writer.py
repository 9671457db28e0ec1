"""Rows, rejects and positions into the store, in one transaction each time."""

from __future__ import annotations

import time
from contextlib import contextmanager, suppress
from dataclasses import astuple, dataclass
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa

from logkit_analysis.streams import HEAD_BYTES, FileKey, Interval, LogStream

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from logkit_analysis.parsers.batch import Batch, RejectedLine


@dataclass(frozen=True, slots=True)
class Part:
    """What one stream adds to a transaction.

    Attributes:
        stream: Brought up to date when the transaction has ended well.
        batch: Events and rejects of the interval.
        intervals: One after the other from the stream's position on.
        data: The first bytes of them, as far as they may belong to the stream's head.
    """

    stream: LogStream
    batch: Batch
    intervals: list[Interval]
    data: bytes

    @property
    def head(self) -> bytes:
        """The stream's first bytes once the intervals are consumed."""
        known = self.stream.head
        return known if len(known) >= HEAD_BYTES else (known + self.data)[:HEAD_BYTES]


def known_streams(connection: duckdb.DuckDBPyConnection) -> list[LogStream]:
    """Return every stream of which something has been consumed, oldest first."""
    rows = connection.execute(
        """
        select
            source_id, path, device, inode, head, format,
            epoch(max(committed_at) over (partition by source_id)),
            start_offset, end_offset, crc32, tail
        from sources join source_intervals using (source_id)
        order by source_id, start_offset
        """
    ).fetchall()
    streams = []
    for source_id, group in groupby(rows, key=itemgetter(0)):
        parts = list(group)
        _, path, device, inode, head, format_name, committed_at = parts[0][:7]
        stream = LogStream(path, FileKey(device, inode), source_id, head)
        stream.intervals = [Interval(*part[7:]) for part in parts]
        stream.format = format_name
        stream.committed_at = committed_at
        streams.append(stream)
    return streams


def begin_run(connection: duckdb.DuckDBPyConnection) -> int:
    """Note in ``ingest_runs`` that a run begins; return its ``run_id``."""
    run_id = _one(connection, "select nextval('run_ids')")
    connection.execute("insert into ingest_runs values ($1, now(), null, 0, 0, 0, 0)", [run_id])
    return run_id


def began_at(connection: duckdb.DuckDBPyConnection) -> float:
    """Return when the first run began, seconds since 1970."""
    rows = connection.execute("select epoch(min(started_at)) from ingest_runs").fetchall()
    return float(rows[0][0])


def _format_of(part: Part) -> str | None:
    """Return the name of the format that the stream of *part* has from now on."""
    choice = part.batch.choice
    return choice.name if choice and choice.name else part.stream.format


class StoreWriter:
    """Writes what one run reads.

    Args:
        connection: Open for writing and used by nobody else.
        run_id: From `begin_run`.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, run_id: int) -> None:
        self._connection = connection
        self._run_id = run_id

    def commit(self, parts: Sequence[Part], moved: Sequence[LogStream] = ()) -> None:
        """Store all *parts*, rows and positions: every one of them or none.

        Args:
            parts: At most one of each stream.
            moved: Known streams that are now found at another path or in another file.
        """
        with self._transaction():
            for stream in moved:
                self._note_place(stream)
            source_ids = [self._add(part) for part in parts]
        for part, source_id in zip(parts, source_ids, strict=True):
            part.stream.source_id = source_id
            part.stream.format = _format_of(part)
            part.stream.head = part.head
            part.stream.intervals += part.intervals
            part.stream.committed_at = time.time()

    def _note_place(self, stream: LogStream) -> None:
        self._connection.execute(
            "update sources set path = $2, device = $3, inode = $4 where source_id = $1",
            [stream.source_id, stream.path, stream.key.device, stream.key.inode],
        )

    def replace_intervals(self, stream: LogStream, intervals: list[Interval]) -> None:
        """Put *intervals*, which cover the same bytes, in the place of the stream's own."""
        with self._transaction():
            self._connection.execute(
                "delete from source_intervals where source_id = $1", [stream.source_id]
            )
            self._insert_intervals(stream.source_id, intervals)
        stream.intervals[:] = intervals

    def finish(self, file_count: int, seconds: float) -> None:
        """Note in ``ingest_runs`` that the run has ended."""
        self._connection.execute(
            "update ingest_runs set ended_at = now(), files = $2, seconds = $3 where run_id = $1",
            [self._run_id, file_count, seconds],
        )

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.begin()
        try:
            yield
            self._connection.commit()
        except BaseException:
            # After a failed commit there is nothing to roll back, and that is not the news.
            with suppress(duckdb.Error):
                self._connection.rollback()
            raise

    def _add(self, part: Part) -> int:
        source_id = self._source_id(part.stream, part.head, _format_of(part))
        for table in part.batch.tables:
            self._insert_events(source_id, part.stream.name, table)
        self._insert_rejects(source_id, part.stream.name, part.batch.rejects)
        self._insert_intervals(source_id, part.intervals)
        self._connection.execute(
            'update ingest_runs set "rows" = "rows" + $2, rejects = rejects + $3 where run_id = $1',
            [self._run_id, part.batch.row_count, len(part.batch.rejects)],
        )
        return source_id

    def _insert_intervals(self, source_id: int | None, intervals: Sequence[Interval]) -> None:
        self._connection.executemany(
            "insert into source_intervals values ($1, $2, $3, $4, $5, $6, now())",
            [(source_id, *astuple(interval), self._run_id) for interval in intervals],
        )

    def _source_id(self, stream: LogStream, head: bytes, format_name: str | None) -> int:
        if stream.source_id is None:
            source_id = _one(self._connection, "select nextval('source_ids')")
            self._connection.execute(
                "insert into sources values ($1, $2, $3, $4, $5, now(), $6)",
                [source_id, stream.path, *astuple(stream.key), head, format_name],
            )
            return source_id
        if (head, format_name) != (stream.head, stream.format):
            self._connection.execute(
                "update sources set head = $2, format = $3 where source_id = $1",
                [stream.source_id, head, format_name],
            )
        return stream.source_id

    def _insert_events(self, source_id: int, path: str, events: pa.Table) -> None:
        # The names come from the table of fields, never from a log.
        names = ", ".join(events.column_names)
        with self._registered(events):
            self._connection.execute(
                f"insert into events ({names}, source_id, source_file, ingested_at) "  # noqa: S608
                f"select {names}, $1, $2, now() from batch",
                [source_id, path],
            )

    def _insert_rejects(self, source_id: int, path: str, rejects: Sequence[RejectedLine]) -> None:
        if not rejects:
            return
        table = pa.table(
            {
                "source_offset": pa.array((line.offset for line in rejects), pa.int64()),
                "reason": pa.array((line.reason for line in rejects), pa.string()),
                "raw": pa.array((line.raw for line in rejects), pa.large_binary()),
            }
        )
        with self._registered(table):
            self._connection.execute(
                "insert into quarantine "
                "select $1, $2, source_offset, reason, raw, now() from batch",
                [source_id, path],
            )

    @contextmanager
    def _registered(self, table: pa.Table) -> Iterator[None]:
        self._connection.register("batch", table)
        try:
            yield
        finally:
            # In an aborted transaction it fails, and that is not the news either.
            with suppress(duckdb.Error):
                self._connection.unregister("batch")


def _one(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    return int(connection.execute(query).fetchall()[0][0])
