"""A whole file: from where the store left it, through the parser, to whoever keeps it."""

from __future__ import annotations

import os
import stat
import sys
import time
from collections import Counter, deque
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from logkit_analysis.parsers.chunk_parser import ChunkParser, StreamParser
from logkit_analysis.sources import compression
from logkit_analysis.sources.discovery import STDIN, LogFile
from logkit_analysis.sources.identity import identify, is_at_home
from logkit_analysis.sources.reader import ByteStream, Chunk, cut_at_records, read_chunks
from logkit_analysis.store.writer import Part
from logkit_analysis.streams import (
    HEAD_BYTES,
    TAIL_BYTES,
    FileKey,
    Interval,
    LogStream,
    intervals_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from concurrent.futures import Executor, Future
    from io import BufferedReader

    from logkit_analysis.parsers.batch import Batch
    from logkit_analysis.parsers.choice import Choice

_NO_FILE = FileKey(0, 0)

# One chunk is stored while another is parsed and a third one read: that keeps two cores busy, and
# each further chunk costs 60 MB.
PARSER_THREADS = 2
_CHUNKS_AHEAD = 1


class Progress(Protocol):
    """Hears how far a run has come."""

    def total(self, file_count: int, byte_count: int | None) -> None:
        """Say what is ahead: files, and bytes on disk if all sizes are known."""

    def advance(self, path: str, position: int, row_count: int) -> None:
        """Say that *path* is committed up to *position*, a number of bytes on disk."""


class Silent:
    """Progress that nobody watches."""

    def total(self, file_count: int, byte_count: int | None) -> None:
        """Say what is ahead."""

    def advance(self, path: str, position: int, row_count: int) -> None:
        """Say what is committed."""


@dataclass(slots=True)
class IngestReport:
    """What a run did.

    Attributes:
        files: Files that were looked at.
        rows: Events stored.
        rejects: Quarantined lines by the kind of the reason.
        bytes: Bytes consumed, after decompression.
        seconds: Wall time.
        unfinished: Paths whose last line has no newline yet; it waits for the next run.
        damaged: Paths that could not be read to their end, each with the reason.
        choices: What the files were found to be whose format was decided now, by path.
    """

    files: int = 0
    rows: int = 0
    rejects: Counter[str] = field(default_factory=Counter)
    bytes: int = 0
    seconds: float = 0.0
    unfinished: list[str] = field(default_factory=list)
    damaged: list[tuple[str, str]] = field(default_factory=list)
    choices: dict[str, Choice] = field(default_factory=dict)


class Commit(Protocol):
    """Stores parts of streams, all or none, and where moved streams are now."""

    def __call__(self, parts: Sequence[Part], moved: Sequence[LogStream] = ()) -> None:
        """Commit."""


class Intake:
    """Reads whole files: from where the store left them to their end.

    Args:
        commit: Takes what was read, in order.
        parser: Of all files.
        streams: All that the store knows; streams that begin are added.
        progress: Told about every commit.
        pool: Where chunks are parsed ahead.
    """

    def __init__(
        self,
        commit: Commit,
        parser: ChunkParser,
        streams: list[LogStream],
        progress: Progress,
        pool: Executor,
    ) -> None:
        self._commit = commit
        self._parser = parser
        self._streams = streams
        self._progress = progress
        self._pool = pool
        self.report = IngestReport()

    def read(self, file: LogFile, *, may_begin: bool = True) -> None:
        """Read what is new in *file*; damage and an unfinished last line go into the report.

        Args:
            file: What to read.
            may_begin: Whether it is read also if it holds no stream that we know.
        """
        self.report.files += 1
        try:
            with _opened(file.path) as raw:
                self._read_opened(file, raw, may_begin=may_begin)
        except compression.DAMAGED as error:
            self.report.damaged.append((file.name, _reason(error)))

    def _read_opened(self, file: LogFile, raw: BufferedReader, *, may_begin: bool) -> None:
        data, kind = compression.decompressed(raw)
        stream = LogStream(file.name, _NO_FILE) if file.is_stream else self._find(file, raw, data)
        if stream is None or not (may_begin or stream.intervals):
            return
        stream.name = file.name
        is_closed = file.is_stream or kind != "none"
        parser = StreamParser(self._parser, stream.format, _written_at(raw))
        chunks = cut_at_records(read_chunks(data, stream.position), parser.settled)
        ahead = chunks if file.is_stream else _read_ahead(chunks, self._pool)
        for digest in self._digests(parser, ahead, stream.tail):
            if digest.open_end and not (is_closed or _is_whole(parser, digest.open_end, raw)):
                self.report.unfinished.append(file.name)
                return
            self._store(stream, digest, [] if file.is_stream else self._moved(stream, file, raw))
            is_as_it_lies = file.is_stream or kind == "none"
            done = digest.intervals[-1].end if is_as_it_lies else raw.tell()
            self._progress.advance(file.path, done, digest.batch.row_count)

    def _digests(
        self, parser: StreamParser, chunks: Iterator[Chunk], tail: bytes
    ) -> Iterator[_Digest]:
        """Parse *chunks* ahead of the store, which takes them in order.

        What was read before a damaged place is handed out before the error is raised.
        """
        pending: deque[Future[_Digest]] = deque()
        damage = None
        while True:
            try:
                chunk = next(chunks, None)
            except compression.DAMAGED as error:
                chunk, damage = None, error
            is_end = chunk is None
            if chunk is not None:
                pending.append(self._pool.submit(_digest, parser, chunk, tail))
                tail = (tail + chunk.data[-TAIL_BYTES:])[-TAIL_BYTES:]
                # Its bytes must not stay for as long as the next chunk takes to come.
                chunk = None
            if len(pending) > _CHUNKS_AHEAD or (pending and is_end):
                yield pending.popleft().result()
            elif is_end:
                break
        if damage is not None:
            raise damage

    def _find(self, file: LogFile, raw: BufferedReader, data: ByteStream) -> LogStream | None:
        """Return the stream that the file holds, with *data* at the stream's position.

        ``None`` if all that the file holds is consumed, and more of the same stream.
        """
        key = _key(raw)
        match = identify(data, file.place, key, self._streams)
        if match.is_behind:
            return None
        if match.stream is None:
            data.seek(0)
            return LogStream(file.place, key)
        stream = match.stream
        if (stream.path, stream.key) != (file.place, key) and not is_at_home(stream):
            stream.path, stream.key = file.place, key
            self._commit([], moved=[stream])
        return stream

    def _moved(self, stream: LogStream, file: LogFile, raw: BufferedReader) -> list[LogStream]:
        """Note that more of *stream* is read from *file*; return it if it was known elsewhere.

        Of a file and its copy, the one that we read last is sure to hold all that is consumed.
        """
        if stream.key == (key := _key(raw)):
            return []
        stream.path, stream.key = file.place, key
        return [stream]

    def _store(self, stream: LogStream, digest: _Digest, moved: Sequence[LogStream]) -> None:
        is_new = stream.source_id is None
        batch = digest.batch
        self._commit([Part(stream, batch, digest.intervals, digest.head)], moved=moved)
        if is_new:
            self._streams.append(stream)
        if batch.choice is not None:
            self.report.choices[stream.name] = batch.choice
        self.report.rows += batch.row_count
        self.report.rejects.update(line.reason.partition(":")[0] for line in batch.rejects)
        self.report.bytes += digest.intervals[-1].end - digest.intervals[0].start


def _read_ahead(chunks: Iterator[Chunk], pool: Executor) -> Iterator[Chunk]:
    """Yield *chunks*, each of which is read while the one before is parsed or stored.

    Not for what may keep its reader waiting: nothing can interrupt a thread of *pool*.
    """
    coming = deque([pool.submit(next, chunks, None)])
    while coming[0].result() is not None:
        coming.append(pool.submit(next, chunks, None))
        # Nothing here may keep its bytes.
        yield cast("Chunk", coming.popleft().result())


@dataclass(frozen=True, slots=True)
class _Digest:
    """What is kept of a chunk once it is parsed.

    Attributes:
        batch: Its events and rejects.
        intervals: What the store notes of it.
        head: Its first bytes.
        open_end: The chunk itself if it is a last record that may go on, else ``None``.
    """

    batch: Batch
    intervals: list[Interval]
    head: bytes
    open_end: Chunk | None


def _digest(parser: StreamParser, chunk: Chunk, tail: bytes) -> _Digest:
    owed = owed_newline(chunk.data, tail)
    batch = parser.parse(chunk.data[owed:], chunk.start + owed)
    intervals = intervals_of(chunk.data, chunk.start, tail)
    is_open = chunk.is_unfinished or chunk.may_go_on
    return _Digest(batch, intervals, chunk.data[:HEAD_BYTES], chunk if is_open else None)


def _is_whole(parser: StreamParser, chunk: Chunk, raw: BufferedReader) -> bool:
    """Return whether the last record is one as it stands, in a file at rest."""
    status = os.fstat(raw.fileno())
    is_at_rest = status.st_size == chunk.end
    return is_at_rest and parser.is_whole(chunk.data, time.time() - status.st_mtime)


def owed_newline(data: bytes, tail: bytes) -> int:
    """Return the length of the newline at the start of *data* that belongs to the line before.

    Args:
        data: What follows in the stream.
        tail: The consumed bytes before it; a last line may have been taken without its newline.
    """
    if not tail or tail.endswith(b"\n"):
        return 0
    return next((len(end) for end in (b"\n", b"\r\n") if data.startswith(end)), 0)


def _opened(path: str) -> AbstractContextManager[BufferedReader]:
    if path == STDIN:
        return nullcontext(cast("BufferedReader", sys.stdin.buffer))
    return Path(path).open("rb")


def _key(raw: BufferedReader) -> FileKey:
    status = os.fstat(raw.fileno())
    return FileKey(status.st_dev, status.st_ino)


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _written_at(raw: BufferedReader) -> datetime | None:
    """Return when a file was last written; nobody knows it of a pipe."""
    status = os.fstat(raw.fileno())
    return datetime.fromtimestamp(status.st_mtime, UTC) if stat.S_ISREG(status.st_mode) else None
