"""The files that are there when a view begins: where they end, and what they held before."""

from __future__ import annotations

import os
import stat
import time
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from logkit_analysis.live.backlog import PlainLog, archive_newest, archive_since
from logkit_analysis.parsers.chunk_parser import StreamParser
from logkit_analysis.sources import compression
from logkit_analysis.sources.discovery import LogFile, is_database, path_named, path_text
from logkit_analysis.sources.tail import FileState
from logkit_analysis.sources.watcher import Archive
from logkit_analysis.sources.whereabouts import find
from logkit_analysis.streams import HEAD_BYTES, TAIL_BYTES, FileKey, Interval, LogStream

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from logkit_analysis.live.event import LiveEvent
    from logkit_analysis.live.filters import Selection
    from logkit_analysis.parsers.chunk_parser import ChunkParser
    from logkit_analysis.sources.reader import Readable

# So much tells a log's format, and what its last record is.
_SAMPLE_BYTES = 512 * 1024
# So much before a file's end tells it from others, and from what is written in its place.
_PROOF_BYTES = 64 * 1024
_MAGIC_BYTES = 16
# To get at the end of a compressed file takes all of it: a second at most, not a minute.
_MOST_PACKED_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class EarlierFile:
    """A file that was there when the view began.

    Attributes:
        path: As the user wrote it.
        modified_at: When it was last written.
        stream: What it held then, consumed to its end; ``None`` if it is compressed.
        archive: What it is if it is compressed.
    """

    path: str
    modified_at: datetime
    stream: LogStream | None = None
    archive: Archive | None = None

    @property
    def key(self) -> FileKey | None:
        """Its inode."""
        holder = self.stream or self.archive
        return None if holder is None else holder.key

    @property
    def name(self) -> str:
        """The path as text."""
        return path_text(self.path)

    def newest(
        self, parser: ChunkParser, selection: Selection, count: int
    ) -> tuple[list[LiveEvent], bool]:
        """Return the last *count* events that *selection* shows, and whether we gave up early.

        Raises:
            DAMAGED: It cannot be read to its end.
        """
        if self.stream is None:
            if Path(self.path).stat().st_size > _MOST_PACKED_BYTES:
                return [], True
            with self._unpacked() as data:
                stream = StreamParser(parser, None, None)
                return archive_newest(data, self.name, stream, selection, count)
        with _plain_log(self.stream, parser) as log:
            return log.newest(selection, count), log.is_cut_short

    def since(self, parser: ChunkParser, selection: Selection, at: datetime) -> Iterator[LiveEvent]:
        """Yield the events that *selection* shows, from *at* on.

        Raises:
            DAMAGED: It cannot be read to its end.
        """
        if self.stream is not None:
            with _plain_log(self.stream, parser) as log:
                yield from log.since(selection, at)
            return
        with self._unpacked() as data:
            stream = StreamParser(parser, None, None)
            yield from archive_since(data, self.name, stream, selection, at)

    @contextmanager
    def _unpacked(self) -> Iterator[Readable]:
        with Path(self.path).open("rb") as raw:
            yield compression.decompressed(raw)[0]


def earlier_file(path: str, parser: ChunkParser, silence_s: float) -> EarlierFile | None:
    """Return what is at *path*; ``None`` if no log is.

    Args:
        path: As the user wrote it.
        parser: Of all files.
        silence_s: The last record is whole if the file was not written for so long.

    Raises:
        OSError: It cannot be read.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        status = os.fstat(descriptor)
        head = os.pread(descriptor, _MAGIC_BYTES, 0)
        if not stat.S_ISREG(status.st_mode) or is_database(head):
            return None
        modified_at = datetime.fromtimestamp(status.st_mtime, UTC)
        key = FileKey(status.st_dev, status.st_ino)
        if compression.detect(head) != "none":
            file = LogFile(path, is_stream=False)
            archive = Archive(file, key, FileState.of(status), may_begin=False)
            return EarlierFile(path, modified_at, archive=archive)
        stream = LogStream(
            path_text(os.path.abspath(path)),  # noqa: PTH100 resolves no links
            key,
            name=path_text(path),
            committed_at=time.time(),
        )
        is_silent = time.time() - status.st_mtime >= silence_s
        _consume(stream, descriptor, parser, is_silent=is_silent)
        return EarlierFile(path, modified_at, stream)
    finally:
        os.close(descriptor)


def without_copies(files: Sequence[EarlierFile]) -> list[EarlierFile]:
    """Return *files* without second names of one, and without copies still being compressed."""
    names = {file.path for file in files}
    kept: dict[FileKey | None, EarlierFile] = {}
    for file in files:
        original = os.path.splitext(file.path)[0]  # noqa: PTH122 a str path keeps the spelling
        if file.archive is None or original not in names:
            kept.setdefault(file.key, file)
    return [*kept.values()]


def _consume(stream: LogStream, descriptor: int, parser: ChunkParser, *, is_silent: bool) -> None:
    """Move the position of *stream* behind the last whole record of its file."""
    sample = os.pread(descriptor, _SAMPLE_BYTES, 0)
    stream.format = parser.choose(sample[: sample.rfind(b"\n") + 1] or sample).name
    end = _end_of_lines(descriptor)
    begin = max(0, end - _SAMPLE_BYTES)
    last = os.pread(descriptor, end - begin, begin)
    cut = last.find(b"\n") + 1 if begin else 0
    settled = parser.settled(last[cut:], stream.format)
    if settled and not is_silent:
        end = begin + cut + settled
    if not end:
        return
    begin = max(0, end - _PROOF_BYTES)
    proof = os.pread(descriptor, end - begin, begin)
    stream.head = os.pread(descriptor, min(HEAD_BYTES, end), 0)
    stream.intervals = [Interval(begin, end, zlib.crc32(proof), proof[-TAIL_BYTES:])]


def _end_of_lines(descriptor: int) -> int:
    """Return the offset behind the last newline."""
    end = os.fstat(descriptor).st_size
    while end:
        begin = max(0, end - _SAMPLE_BYTES)
        if cut := os.pread(descriptor, end - begin, begin).rfind(b"\n") + 1:
            return begin + cut
        end = begin
    return 0


@contextmanager
def _plain_log(stream: LogStream, parser: ChunkParser) -> Iterator[PlainLog]:
    """Open the file of *stream*, which may have been rotated since the view began."""
    path = path_named(find(stream.path, stream.key, stream.position).path)
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield PlainLog(
            stream.name, descriptor, stream.position, parser=parser, format_name=stream.format
        )
    finally:
        os.close(descriptor)
