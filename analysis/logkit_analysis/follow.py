"""Growing files into the store, until told to stop.

A cycle looks for files, reads what is new in each, and commits all of it in one transaction. It
always reads from the committed position, so a commit that fails leaves nothing to undo: what the
store says is read again, and the next cycle reads the same bytes.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING

from logkit_analysis.ingest import Intake, Silent, owed_newline
from logkit_analysis.parsers.chunk_parser import ChunkParser
from logkit_analysis.parsers.text.layout import JSON, FormatTable
from logkit_analysis.sources.discovery import discover_present
from logkit_analysis.sources.identity import checksum
from logkit_analysis.sources.wakeup import Wakeup
from logkit_analysis.sources.watcher import SETTLE_S, Watcher
from logkit_analysis.store.database import DatabaseUnusableError, appending, writing
from logkit_analysis.store.locks import DatabaseBusyError, Locks, WaitStoppedError
from logkit_analysis.store.writer import Part, StoreWriter, began_at, begin_run, known_streams
from logkit_analysis.streams import HEAD_BYTES, LogStream, joined

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager
    from datetime import tzinfo
    from pathlib import Path

    import duckdb

    from logkit_analysis.parsers.text.formats import TextFormat
    from logkit_analysis.sources.discovery import LogFile
    from logkit_analysis.sources.tail import Tail

_COMMIT_INTERVAL_S = 0.2
_LOOK_INTERVAL_S = 1.0
_FOLDERS_INTERVAL_S = 5.0
_TAIL_BYTES = 8 * 1024 * 1024
_CYCLE_BYTES = 64 * 1024 * 1024
# A record that later lines may continue is taken as whole once its file has been silent so long.
_RECORD_SILENCE_S = 1.0
_MOST_INTERVALS = 1_000


def follow(
    database: Path,
    arguments: Sequence[str],
    *,
    zone: tzinfo,
    memory_limit: str,
    threads: int,
    stop: threading.Event,
    say: Callable[[str], None],
    only_format: str | None = None,
    own_formats: Sequence[TextFormat] = (),
) -> None:
    """Read *arguments* into *database* as they grow, until *stop* is set.

    Args:
        database: The database file; created if it is not there.
        arguments: Files, folders and globs; what is missing may appear later.
        zone: Zone of times that name none.
        memory_limit: What DuckDB may use, e.g. ``512MB``.
        threads: How many threads DuckDB may use.
        stop: Ends the work: what is read is committed first.
        say: Told, in one line, whom we wait for, what a log is read as and what goes wrong.
        only_format: Name of the format of all files; ``None`` to tell each by its content.
        own_formats: Formats besides ours.

    Raises:
        UnknownFormatError: *only_format* is no name of a format.
        DatabaseUnusableError: *database* is no database of ours.
    """
    parser = ChunkParser(zone, table=FormatTable(own_formats), only_format=only_format)
    locks = Locks(database, on_wait=say, is_stopped=stop.is_set)
    try:
        with locks.sole_writer("logkit follow"):
            with writing(database, on_wait=say) as connection:
                streams, run_id = known_streams(connection), begin_run(connection)
                watcher = Watcher(arguments, streams, began_at(connection))
            store = _Store(database, locks, run_id, memory_limit, threads)
            for argument in arguments:
                if not discover_present([argument]):
                    say(f"{argument}: nothing there yet, waiting for it")
            _Follower(store, watcher, streams, parser, say).run(stop)
            say(f"{store.rows:,} new rows, {store.rejects:,} lines rejected")
            with suppress(DatabaseBusyError, DatabaseUnusableError):
                # Only the note that the run has ended is still to be made.
                store.finish(len(streams))
    except WaitStoppedError:
        return


class _Store:
    """The database, open only for the moment of a commit."""

    def __init__(
        self, database: Path, locks: Locks, run_id: int, memory_limit: str, threads: int
    ) -> None:
        self._database = database
        self._locks = locks
        self._run_id = run_id
        self._memory_limit = memory_limit
        self._threads = threads
        self._started = time.monotonic()
        self.rows = 0
        self.rejects = 0

    def commit(self, parts: Sequence[Part], moved: Sequence[LogStream] = ()) -> None:
        with self._open() as connection:
            StoreWriter(connection, self._run_id).commit(parts, moved)
        self.rows += sum(part.batch.row_count for part in parts)
        self.rejects += sum(len(part.batch.rejects) for part in parts)

    def streams(self) -> list[LogStream]:
        with self._open() as connection:
            return known_streams(connection)

    def shorten(self, stream: LogStream) -> None:
        """Store the intervals of *stream* as few."""
        with self._open() as connection:
            writer = StoreWriter(connection, self._run_id)
            writer.replace_intervals(stream, joined(stream.intervals))

    def finish(self, file_count: int) -> None:
        with self._open() as connection:
            seconds = time.monotonic() - self._started
            StoreWriter(connection, self._run_id).finish(file_count, seconds)

    def _open(self) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
        return appending(
            self._database,
            locks=self._locks,
            memory_limit=self._memory_limit,
            threads=self._threads,
        )


class _Follower:
    """The loop."""

    def __init__(
        self,
        store: _Store,
        watcher: Watcher,
        streams: list[LogStream],
        parser: ChunkParser,
        say: Callable[[str], None],
    ) -> None:
        self._store = store
        self._watcher = watcher
        self._streams = streams
        self._parser = parser
        self._say = say
        self._trouble = ""

    def run(self, stop: threading.Event) -> None:
        while not stop.is_set():
            folders = self._watcher.folders()
            with Wakeup(folders, self._watcher.is_relevant) as wakeup:
                until = time.monotonic() + _FOLDERS_INTERVAL_S
                while not stop.is_set() and time.monotonic() < until:
                    started = time.monotonic()
                    if not self._attempt(started):
                        stop.wait(max(0.0, started + _COMMIT_INTERVAL_S - time.monotonic()))
                        wakeup.wait(_LOOK_INTERVAL_S)

    def _attempt(self, now: float) -> bool:
        """Run a cycle; return whether there is more to read at once."""
        try:
            if self._trouble:
                self._refresh()
            is_busy = self._cycle(now)
        except (DatabaseBusyError, DatabaseUnusableError) as error:
            if str(error) != self._trouble:
                self._say(f"{error}; trying again")
            self._trouble = str(error)
            return False
        if self._trouble:
            self._say("the database can be written again")
            self._trouble = ""
        return is_busy

    def _refresh(self) -> None:
        """Take the positions from the store: a commit that failed may have come through."""
        stored = {stream.source_id: stream for stream in self._store.streams()}
        for stream in self._streams:
            stream.take_over(stored.pop(stream.source_id))
        begun = {(stream.key, stream.path): stream for stream in stored.values()}
        for tail in self._watcher.tails:
            found = tail.stream and begun.get((tail.stream.key, tail.stream.path))
            if found and tail.stream and tail.stream.source_id is None:
                tail.stream = found
                found.name = tail.name
            tail.is_read = False
        self._streams += stored.values()

    def _cycle(self, now: float) -> bool:
        self._watcher.look(now)
        parts: list[Part] = []
        size = 0
        for tail in self._watcher.tails:
            if size < _CYCLE_BYTES and (part := self._read(tail, now)):
                parts.append(part)
                size += part.interval.end - part.interval.start
        moved = self._watcher.moved
        if parts or moved:
            self._commit(parts, moved)
            self._watcher.moved = []
        for file in self._watcher.archives:
            self._read_archive(file)
        self._retire(now)
        return size >= _TAIL_BYTES

    def _commit(self, parts: Sequence[Part], moved: Sequence[LogStream] = ()) -> None:
        new = [part.stream for part in parts if part.stream.source_id is None]
        self._store.commit(parts, moved)
        self._streams += new
        for part in parts:
            if (choice := part.batch.choice) and choice.name not in (None, JSON):
                self._say(f"{part.stream.name}: {choice.described()}")
            if part.interval.start == 0 and part.batch.rejects and not part.batch.row_count:
                self._say(f"{part.stream.name}: no line is an event so far: logkit rejects")
        for part in parts:
            if len(part.stream.intervals) > _MOST_INTERVALS:
                self._store.shorten(part.stream)

    def _read(self, tail: Tail, now: float) -> Part | None:
        """Return the whole lines that *tail* has more than the store."""
        if tail.has_changed(now):
            tail.is_read = False
        if tail.is_read:
            return None
        if tail.stream is None or tail.is_behind or not tail.still_holds_stream():
            self._watcher.settle(tail, now)
        if tail.stream is None or tail.is_behind:
            return None
        data = tail.read_lines(_TAIL_BYTES)
        settled = self._parser.settled(data, tail.stream.format)
        if settled < len(data) and now - tail.changed_at >= _RECORD_SILENCE_S:
            settled = len(data)
        tail.is_read = len(data) < _TAIL_BYTES and settled == len(data)
        return self._part(tail, data[:settled])

    def _part(self, tail: Tail, data: bytes) -> Part | None:
        stream = tail.stream
        if not data or stream is None:
            return None
        if not tail.still_holds(data):
            # Truncated or replaced while we read: what we have may be of both.
            tail.is_read = False
            return None
        owed = owed_newline(data, stream.tail)
        start = stream.position
        batch = self._parser.parse(data[owed:], start + owed, format_name=stream.format)
        return Part(stream, batch, checksum(data, start), data[:HEAD_BYTES])

    def _retire(self, now: float) -> None:
        """Let go of files that were renamed away or deleted and have been read to their end."""
        for tail in self._watcher.tails:
            if tail.is_named or not tail.is_read or now - tail.changed_at < SETTLE_S:
                continue
            rest = tail.read_rest()
            is_deleted = tail.state.link_count == 0
            if rest and (is_deleted or self._parser.is_event(rest)):
                # No newline will follow any more, and a deleted file cannot be read again.
                part = self._part(tail, rest)
                self._commit([part] if part else [])
            self._watcher.drop(tail)

    def _read_archive(self, file: LogFile) -> None:
        with ThreadPoolExecutor(1) as pool:
            intake = Intake(self._store.commit, self._parser, self._streams, Silent(), pool)
            intake.read(file)
