"""Rows, rejects and positions into the store, in one transaction each time."""

from __future__ import annotations

import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

import duckdb

from logkit_analysis.store.tables import (
    Placed,
    event_tables,
    interval_table,
    reject_table,
    source_table,
)
from logkit_analysis.store.transactions import transaction
from logkit_analysis.streams import HEAD_BYTES, FileKey, Interval, LogStream

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa

    from logkit_analysis.parsers.batch import Batch


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

    @property
    def format(self) -> str | None:
        """The format of the stream's lines as far as it is known by now."""
        choice = self.batch.choice
        return choice.name if choice and choice.name else self.stream.format

    def note_consumed(self, source_id: int) -> None:
        """Bring the stream up to date, whose number is *source_id*."""
        stream = self.stream
        stream.source_id = source_id
        stream.format = self.format
        stream.head = self.head
        stream.intervals += self.intervals
        stream.committed_at = time.time()


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
        with transaction(self._connection):
            for stream in moved:
                self._note_place(stream)
            source_ids = self._source_ids(parts)
            self._add(parts, source_ids)
        for part, source_id in zip(parts, source_ids, strict=True):
            part.note_consumed(source_id)

    def _note_place(self, stream: LogStream) -> None:
        self._connection.execute(
            "update sources set path = $2, device = $3, inode = $4 where source_id = $1",
            [stream.source_id, stream.path, stream.key.device, stream.key.inode],
        )

    def replace_intervals(self, stream: LogStream, intervals: list[Interval]) -> None:
        """Put *intervals*, which cover the same bytes, in the place of the stream's own."""
        if stream.source_id is None:
            return
        with transaction(self._connection):
            self._connection.execute(
                "delete from source_intervals where source_id = $1", [stream.source_id]
            )
            self._insert_intervals([(stream.source_id, interval) for interval in intervals])
        stream.intervals[:] = intervals

    def finish(self, file_count: int, seconds: float) -> None:
        """Note in ``ingest_runs`` that the run has ended."""
        self._connection.execute(
            "update ingest_runs set ended_at = now(), files = $2, seconds = $3 where run_id = $1",
            [self._run_id, file_count, seconds],
        )

    def _source_ids(self, parts: Sequence[Part]) -> list[int]:
        """Return the numbers of the parts' streams, after new ones are given theirs."""
        new_count = sum(part.stream.source_id is None for part in parts)
        numbers = self._connection.execute(
            "select nextval('source_ids') from range($1)", [new_count]
        ).fetchall()
        new_ids = iter(sorted(number for (number,) in numbers))
        return [part.stream.source_id or next(new_ids) for part in parts]

    def _add(self, parts: Sequence[Part], source_ids: Sequence[int]) -> None:
        self._insert_sources(parts, source_ids)
        placed = [
            Placed(source_id, part.stream.name, part.batch)
            for part, source_id in zip(parts, source_ids, strict=True)
        ]
        for events in event_tables(placed):
            # The names come from the table of fields, never from a log.
            names = ", ".join(events.column_names)
            self._insert(
                events,
                f"insert into events ({names}, ingested_at) select {names}, now() from batch",  # noqa: S608
            )
        self._insert(
            reject_table(placed),
            "insert into quarantine "
            "select source_id, source_file, source_offset, reason, raw, now() from batch",
        )
        self._insert_intervals(
            [
                (source_id, interval)
                for part, source_id in zip(parts, source_ids, strict=True)
                for interval in part.intervals
            ]
        )
        self._connection.execute(
            'update ingest_runs set "rows" = "rows" + $2, rejects = rejects + $3 where run_id = $1',
            [
                self._run_id,
                sum(part.batch.row_count for part in parts),
                sum(len(part.batch.rejects) for part in parts),
            ],
        )

    def _insert_sources(self, parts: Sequence[Part], source_ids: Sequence[int]) -> None:
        new, changed = [], []
        for part, source_id in zip(parts, source_ids, strict=True):
            row = (source_id, part.stream, part.head, part.format)
            if part.stream.source_id is None:
                new.append(row)
            elif row[2:] != (part.stream.head, part.stream.format):
                changed.append(row)
        self._insert(
            source_table(new),
            "insert into sources "
            "select source_id, path, device, inode, head, now(), format from batch",
        )
        self._insert(
            source_table(changed),
            "update sources set head = batch.head, format = batch.format "
            "from batch where sources.source_id = batch.source_id",
        )

    def _insert_intervals(self, intervals: Sequence[tuple[int, Interval]]) -> None:
        self._insert(
            interval_table(intervals, self._run_id),
            "insert into source_intervals "
            "select source_id, start_offset, end_offset, crc32, tail, run_id, now() from batch",
        )

    def _insert(self, table: pa.Table, statement: str) -> None:
        """Run *statement*, which takes *table* as ``batch``, if there is a row in it."""
        if table.num_rows:
            with self._registered(table):
                self._connection.execute(statement)

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
