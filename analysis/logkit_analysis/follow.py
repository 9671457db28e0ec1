"""Growing files into the store, until told to stop.

A cycle looks for files, reads what is new in each, and commits all of it in one transaction. It
always reads from the committed position, so a commit that fails leaves nothing to undo: what the
store says is read again, and the next cycle reads the same bytes.
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING

from logkit_analysis.errors import AnalysisError
from logkit_analysis.gathering import Gatherer
from logkit_analysis.parsers.chunk_parser import ChunkParser
from logkit_analysis.parsers.line_limit import MAX_LINE_BYTES
from logkit_analysis.parsers.text.layout import JSON, FormatTable
from logkit_analysis.sources.discovery import discover_present
from logkit_analysis.sources.pace import Pace
from logkit_analysis.sources.report import Report
from logkit_analysis.sources.wakeup import Wakeup
from logkit_analysis.sources.watcher import Watcher
from logkit_analysis.store.access import DatabaseUnusableError
from logkit_analysis.store.appender import Appender, StoreChangedError, StoreReplacedError
from logkit_analysis.store.locks import DatabaseBusyError, Locks, WaitStoppedError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import tzinfo
    from pathlib import Path

    from logkit_analysis.parsers.text.formats import TextFormat
    from logkit_analysis.stopping import StopSignal
    from logkit_analysis.store.appender import Contents
    from logkit_analysis.store.writer import Part
    from logkit_analysis.streams import LogStream

_PACE = Pace()


def follow(
    database: Path,
    arguments: Sequence[str],
    *,
    zone: tzinfo,
    memory_limit: str,
    threads: int,
    stop: StopSignal,
    say: Callable[[str], None],
    only_format: str | None = None,
    own_formats: Sequence[TextFormat] = (),
    max_line_bytes: int = MAX_LINE_BYTES,
    pace: Pace = _PACE,
) -> None:
    """Read *arguments* into *database* as they grow, until *stop* is set.

    Args:
        database: The database file; created if it is not there.
        arguments: Files, folders and globs; what is missing may appear later.
        zone: Zone of times that name none.
        memory_limit: What DuckDB may use, e.g. ``512MB``.
        threads: How many threads DuckDB may use.
        stop: Ends the work: what is read is committed first.
        say: Told, in one line, whom we wait for, what a log is read as, what goes wrong, and now
            and then how far we are.
        only_format: Name of the format of all files; ``None`` to tell each by its content.
        own_formats: Formats besides ours.
        max_line_bytes: A longer line goes to quarantine whole.
        pace: How long to wait for what.

    Raises:
        UnknownFormatError: *only_format* is no name of a format.
        DatabaseUnusableError: *database* is no database of ours.
    """
    parser = ChunkParser(
        zone,
        table=FormatTable(own_formats),
        only_format=only_format,
        max_line_bytes=max_line_bytes,
    )
    locks = Locks(database, on_wait=say, is_stopped=stop.is_set)
    store = Appender(database, locks, memory_limit=memory_limit, threads=threads)
    follower = None
    with suppress(WaitStoppedError):
        while not stop.is_set():
            with locks.sole_writer("logkit follow"):
                contents = _begin(store, stop, say, pace, is_patient=follower is not None)
                if follower is None:
                    _tell_missing(arguments, say)
                    watcher = Watcher(arguments, contents.streams, contents.began_at, pace)
                    follower = _Follower(store, watcher, contents.streams, parser, stop, say, pace)
                else:
                    follower.begin_again(contents.streams)
                follower.run()
    say(f"{store.rows:,} new rows, {store.rejects:,} lines rejected")


def _tell_missing(arguments: Sequence[str], say: Callable[[str], None]) -> None:
    for argument in arguments:
        if not discover_present([argument]):
            say(f"{argument}: nothing there yet, waiting for it")


def _begin(
    store: Appender, stop: StopSignal, say: Callable[[str], None], pace: Pace, *, is_patient: bool
) -> Contents:
    """Begin a run, as soon as programs that are not ours let go of the database."""
    told = ""
    while True:
        try:
            return store.begin()
        except (DatabaseBusyError, DatabaseUnusableError, OSError) as error:
            if not is_patient and not isinstance(error, DatabaseBusyError):
                raise
            if str(error) != told:
                told = str(error)
                say(f"{told}; trying again")
        if stop.wait(pace.commit_interval_s):
            raise WaitStoppedError("stopped while waiting for the database")


class _Follower:
    """The loop."""

    def __init__(
        self,
        store: Appender,
        watcher: Watcher,
        streams: list[LogStream],
        parser: ChunkParser,
        stop: StopSignal,
        say: Callable[[str], None],
        pace: Pace,
    ) -> None:
        self._store = store
        self._watcher = watcher
        self._streams = streams
        self._gatherer = Gatherer(watcher, streams, parser, self._commit, stop, say, pace)
        self._stop = stop
        self._say = say
        self._pace = pace
        self._report = Report(pace.report_interval_s, time.monotonic())
        self._committed_at = time.monotonic()
        self._trouble = ""

    def begin_again(self, streams: Sequence[LogStream]) -> None:
        """Go on with a store that knows *streams* and nothing else."""
        self._streams[:] = streams
        self._watcher.forget()
        self._trouble = ""

    def run(self) -> None:
        """Follow until told to stop, or until another store is there, which `begin_again` takes.

        Raises:
            WaitStoppedError: We were told to stop while we waited for the database.
        """
        try:
            self._run()
        except StoreReplacedError as error:
            self._say(f"{error}; what it does not hold is read again")

    def _run(self) -> None:
        with Wakeup(self._watcher.is_relevant, self._stop, self._pace) as wakeup:
            while not self._stop.is_set():
                started = time.monotonic()
                is_busy = self._attempt(started)
                wakeup.watch(self._watcher.folders)
                self._tell_how_far(started)
                if not is_busy:
                    self._tidy_up(started)
                    next_at = started + self._pace.commit_interval_s
                    self._stop.wait(max(0.0, next_at - time.monotonic()))
                    wakeup.wait()
        # The note of our end is worth no wait and no complaint.
        with suppress(AnalysisError, OSError):
            self._store.finish(len(self._streams))

    def _attempt(self, now: float) -> bool:
        """Run a cycle; return whether there is more to read at once."""
        try:
            if self._trouble:
                self._refresh()
            is_busy = self._gatherer.cycle(now)
        except StoreChangedError as error:
            self._trouble = str(error)
            return True
        except (DatabaseBusyError, DatabaseUnusableError, OSError) as error:
            if str(error) != self._trouble:
                self._say(f"{error}; trying again")
            self._trouble = str(error)
            return False
        if self._trouble:
            self._say("the database can be written again")
            self._trouble = ""
        return is_busy

    def _tidy_up(self, now: float) -> None:
        """Let the store use a quiet moment."""
        if not self._trouble and now - self._committed_at >= self._pace.settle_s:
            # What fails here, the next commit meets too, and that tells.
            with suppress(DatabaseBusyError, DatabaseUnusableError, OSError):
                self._store.tidy_up()

    def _refresh(self) -> None:
        """Take the positions from the store: a commit that failed may have come through."""
        stored = self._store.streams()
        known = {stream.source_id: stream for stream in self._streams}
        self._streams.clear()
        for stream in stored:
            kept = known.get(stream.source_id, stream)
            kept.take_over(stream)
            self._streams.append(kept)
        kept_ids = {id(stream) for stream in self._streams}
        for tail in self._watcher.tails:
            tail.is_read, tail.settle_at = False, 0.0
            if id(tail.stream) not in kept_ids:
                # Its beginning may have come through, as one of those that we had not heard of.
                tail.stream = None

    def _commit(self, parts: Sequence[Part], moved: Sequence[LogStream] = ()) -> None:
        self._store.commit(parts, moved)
        self._committed_at = time.monotonic()
        for part in parts:
            if (choice := part.batch.choice) and choice.name not in (None, JSON):
                self._say(f"{part.stream.name}: {choice.described()}")
            if not part.intervals[0].start and part.batch.rejects and not part.batch.row_count:
                self._say(f"{part.stream.name}: no line is an event so far: logkit rejects")

    def _tell_how_far(self, now: float) -> None:
        watcher, store = self._watcher, self._store
        line = self._report.line(
            now, watcher.tails, files=watcher.file_count, rows=store.rows, rejects=store.rejects
        )
        if line is not None:
            self._say(line)
