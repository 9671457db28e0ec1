"""What a log held before anybody watched: its last events, or all since a time.

A big log is read only where the answer is: backwards from its end, or from a place that is found
by bisection, since logs are nearly in the order of time.
"""

from __future__ import annotations

import heapq
import os
from collections import deque
from datetime import UTC, datetime, timedelta
from itertools import dropwhile
from typing import TYPE_CHECKING

import pyarrow.compute as pc

from logkit_analysis.live.sifting import sift
from logkit_analysis.parsers.chunk_parser import StreamParser
from logkit_analysis.parsers.text.layout import JSON
from logkit_analysis.parsers.text.records import RECORD_BYTES
from logkit_analysis.sources.reader import Chunk, cut_at_records, read_chunks

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from logkit_analysis.live.event import LiveEvent
    from logkit_analysis.live.filters import Selection
    from logkit_analysis.parsers.batch import Batch
    from logkit_analysis.parsers.chunk_parser import ChunkParser
    from logkit_analysis.sources.reader import Readable

MOST_BYTES_BACK = 64 * 1024 * 1024
"""How far the last events of a file are looked for, so that a rare one is not waited for."""

_SMALLEST_BLOCK_BYTES = 16 * 1024
# So much is a guess for each line that is wanted: of many files little should be read in vain.
_LINE_BYTES = 512
_BLOCK_GROWTH = 4
_LARGEST_BLOCK_BYTES = 8 * 1024 * 1024
_PROBE_BYTES = 64 * 1024
# Lines of several threads and hosts come late by so much at most, where anybody looks at times.
_DISORDER_BYTES = 1024 * 1024
_CHUNK_LINES = 20_000
# A zone that was not told makes less than a day of difference.
_LARGEST_ERROR = timedelta(days=1)
_BEGINNING = datetime.min.replace(tzinfo=UTC)


class PlainLog:
    """An open log file up to where it was read when the view began.

    Args:
        name: The path as the user wrote it, for people.
        descriptor: Open for reading; the caller's.
        end: Offset behind its last whole record.
        parser: Of all files.
        format_name: Format of its lines.

    Attributes:
        is_cut_short: Whether `newest` has given up before the file's beginning.
    """

    def __init__(
        self,
        name: str,
        descriptor: int,
        end: int,
        *,
        parser: ChunkParser,
        format_name: str | None,
    ) -> None:
        self._name = name
        self._descriptor = descriptor
        self._end = end
        self._parser = parser
        self._format_name = format_name
        self.is_cut_short = False

    def newest(self, selection: Selection, count: int) -> list[LiveEvent]:
        """Return the last *count* events that *selection* shows, or all there are."""
        found: list[list[LiveEvent]] = []
        missing, end, size = count, self._end, max(_SMALLEST_BLOCK_BYTES, count * _LINE_BYTES)
        size = min(size, _LARGEST_BLOCK_BYTES)
        while missing > 0 and end > 0:
            self.is_cut_short = self._end - end >= MOST_BYTES_BACK
            if self.is_cut_short:
                break
            batch, end = self._records(end, size)
            if batch is None:
                size *= _BLOCK_GROWTH
                continue
            found.append(sift(batch, self._name, selection))
            missing -= len(found[-1])
            size = min(size * _BLOCK_GROWTH, _LARGEST_BLOCK_BYTES)
        return [event for events in reversed(found) for event in events][-count:]

    def since(self, selection: Selection, at: datetime) -> Iterator[LiveEvent]:
        """Yield the events that *selection* shows, from the first one at or after *at* on."""
        start = self._place_before(at)
        chunks = read_chunks(
            _Stretch(self._descriptor, start, self._end), start, chunk_lines=_CHUNK_LINES
        )
        stream = StreamParser(self._parser, self._format_name, None)
        yield from _since(chunks, stream, self._name, selection, at)

    def _records(self, end: int, size: int) -> tuple[Batch | None, int]:
        """Return the records before *end*, about *size* bytes, and where the first one begins.

        None if *size* holds no whole record.
        """
        begin = self._record_at(max(0, end - size))
        if begin >= end:
            return None, end
        return self._parse(os.pread(self._descriptor, end - begin, begin), begin), begin

    def _record_at(self, offset: int) -> int:
        """Return where a record begins: the one around *offset*, or the first line after it."""
        if not offset:
            return 0
        line = self._next_line(offset)
        if self._is_json:
            return line
        # No record is longer, so its beginning is in sight.
        first = max(0, offset - 2 * RECORD_BYTES)
        first = self._next_line(first) if first else 0
        before = os.pread(self._descriptor, line - first, first)
        return first + self._parser.settled(before, self._format_name)

    def _place_before(self, at: datetime) -> int:
        """Return the offset of a line before all that were written at *at* or later."""
        low, high = 0, self._end
        while high - low > _DISORDER_BYTES:
            middle = (low + high) // 2
            there = self._time_near(middle)
            if there is None or there >= at:
                high = middle
            else:
                low = middle
        return self._record_at(max(0, low - _DISORDER_BYTES))

    def _time_near(self, offset: int) -> datetime | None:
        """Return the time of the lines near *offset*; ``None`` if none of them has one.

        That is their median: a single line whose clock was wrong leads nobody astray.
        """
        start = self._next_line(offset)
        data = os.pread(self._descriptor, min(_PROBE_BYTES, self._end - start), start)
        times = sorted(_times(self._parse(data[: data.rfind(b"\n") + 1], start)))
        return times[len(times) // 2] if times else None

    def _next_line(self, offset: int) -> int:
        """Return where the first line after *offset* begins."""
        while offset < self._end:
            block = os.pread(self._descriptor, _PROBE_BYTES, offset)
            if cut := block.find(b"\n") + 1:
                return min(offset + cut, self._end)
            offset += len(block) or self._end
        return self._end

    @property
    def _is_json(self) -> bool:
        return self._format_name in (None, JSON)

    def _parse(self, data: bytes, start: int) -> Batch:
        return self._parser.parse(data, start, format_name=self._format_name)


def archive_since(
    stream: Readable, name: str, parser: StreamParser, selection: Selection, at: datetime
) -> Iterator[LiveEvent]:
    """Yield the events of a compressed log from the first one at or after *at* on.

    Args:
        stream: The decompressed bytes.
        name: The file's path for people.
        parser: Of this file.
        selection: What is shown.
        at: From when on.

    Raises:
        DAMAGED: The file is damaged or incomplete; what came before was yielded.
    """
    yield from _since(read_chunks(stream, 0, chunk_lines=_CHUNK_LINES), parser, name, selection, at)


def archive_newest(
    stream: Readable, name: str, parser: StreamParser, selection: Selection, count: int
) -> tuple[list[LiveEvent], bool]:
    """Return the last *count* events of the end of a compressed log, and whether we gave up early.

    Args:
        stream: The decompressed bytes.
        name: The file's path for people.
        parser: Of this file.
        selection: What is shown.
        count: How many.

    Raises:
        DAMAGED: The file is damaged or incomplete.
    """
    blocks: deque[bytes] = deque()
    size = end = 0
    while block := stream.read1(_LARGEST_BLOCK_BYTES):
        blocks.append(block)
        size, end = size + len(block), end + len(block)
        while size - len(blocks[0]) >= _LARGEST_BLOCK_BYTES:
            size -= len(blocks.popleft())
    begin = end - size
    data = b"".join(blocks)
    cut = data.find(b"\n") + 1 if begin else 0
    batch = parser.parse(data[cut:], begin + cut)
    if begin:
        # Of text, the first lines may belong to a record that is cut in two.
        starts = [pc.min(table.column("source_offset")).as_py() for table in batch.tables]
        batch.rejects = [one for one in batch.rejects if one.offset > min(starts, default=end)]
    events = sift(batch, name, selection)
    return events[-count:], bool(begin) and len(events) < count


def merged(logs: Iterable[Iterable[LiveEvent]]) -> Iterator[LiveEvent]:
    """Yield the events of several logs in the order of time, those of each log in its own order.

    An event without a time stays behind the one before it, and so does one whose clock went back
    or was far ahead.
    """
    end = datetime.now(UTC) + _LARGEST_ERROR
    timed = [_timed(events, end) for events in logs]
    for _, event in heapq.merge(*timed, key=lambda pair: pair[0]):
        yield event


def _timed(events: Iterable[LiveEvent], end: datetime) -> Iterator[tuple[datetime, LiveEvent]]:
    latest = _BEGINNING
    for event in events:
        if event.at is not None and latest < event.at < end:
            latest = event.at
        yield latest, event


def _since(
    chunks: Iterator[Chunk],
    stream: StreamParser,
    name: str,
    selection: Selection,
    at: datetime,
) -> Iterator[LiveEvent]:
    events = (
        event
        for chunk in cut_at_records(chunks, stream.settled)
        for event in sift(stream.parse(chunk.data, chunk.start), name, selection)
    )
    begun = dropwhile(lambda event: event.at is None or event.at < at, events)
    # Lines that came late may still be older; those without a time belong to their neighbours.
    return (event for event in begun if event.at is None or event.at >= at)


def _times(batch: Batch) -> Iterator[datetime]:
    for table in batch.tables:
        if "timestamp" in table.column_names:
            yield from table.column("timestamp").drop_null().to_pylist()


class _Stretch:
    """A part of an open file as a stream."""

    def __init__(self, descriptor: int, start: int, end: int) -> None:
        self._descriptor = descriptor
        self._offset = start
        self._end = end

    def read1(self, size: int, /) -> bytes:
        """Return up to *size* bytes; none at the end."""
        data = os.pread(self._descriptor, min(size, self._end - self._offset), self._offset)
        self._offset += len(data)
        return data
