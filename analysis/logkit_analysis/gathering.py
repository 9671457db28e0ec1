"""What is new in growing files, a cycle at a time: read, parsed, and handed to whoever keeps it.

What the keeper has not taken is read again, so a cycle that fails leaves nothing to undo.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from logkit_analysis.intake import Intake, Silent, owed_newline
from logkit_analysis.store.locks import WaitStoppedError
from logkit_analysis.store.writer import Part
from logkit_analysis.streams import HEAD_BYTES, intervals_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from logkit_analysis.intake import Commit
    from logkit_analysis.parsers.chunk_parser import ChunkParser
    from logkit_analysis.sources.pace import Pace
    from logkit_analysis.sources.tail import Tail
    from logkit_analysis.sources.watcher import Watcher
    from logkit_analysis.stopping import StopSignal
    from logkit_analysis.streams import LogStream

_TAIL_BYTES = 8 * 1024 * 1024
_CYCLE_BYTES = 64 * 1024 * 1024


class Gatherer:
    """Reads what is new in the files that a watcher finds.

    Args:
        watcher: Finds files and keeps them open.
        streams: All that the keeper knows; streams that begin are added.
        parser: Of all files.
        commit: Keeps parts of streams, and moves their positions on.
        stop: Ends a cycle early.
        say: Told, in one line, what goes wrong.
        pace: How long to wait for what.
        cycle_bytes: How much is read in a cycle, about.
    """

    def __init__(
        self,
        watcher: Watcher,
        streams: list[LogStream],
        parser: ChunkParser,
        commit: Commit,
        stop: StopSignal,
        say: Callable[[str], None],
        pace: Pace,
        cycle_bytes: int = _CYCLE_BYTES,
    ) -> None:
        self._watcher = watcher
        self._streams = streams
        self._parser = parser
        self._keep = commit
        self._stop = stop
        self._say = say
        self._pace = pace
        self._cycle_bytes = cycle_bytes
        self._told: set[str] = set()

    def cycle(self, now: float) -> bool:
        """Read what is new and hand it over; return whether there is more to read at once.

        Args:
            now: Seconds on the clock that all calls share.

        Raises:
            WaitStoppedError: We were told to stop while we read a compressed file.
        """
        self._watcher.look(now)
        parts: dict[int, Part] = {}
        size, is_more = 0, False
        for tail in self._watcher.tails:
            if size >= self._cycle_bytes or self._stop.is_set():
                break
            if id(tail.stream) not in parts and (part := self._read_safely(tail, now)):
                if _is_copy(part, parts):
                    # What the other one gives this one has not; once it is stored we can tell.
                    tail.stream, tail.is_read, is_more = None, False, True
                    continue
                parts[id(part.stream)] = part
                self._watcher.note_reading(part.stream, tail)
                is_more = is_more or not tail.is_read
                size += part.intervals[-1].end - part.intervals[0].start
        moved = self._watcher.moved
        if parts or moved:
            self._commit([*parts.values()], moved)
            self._watcher.moved = []
        self._retire(now)
        return self._read_archive() or is_more

    def _commit(self, parts: Sequence[Part], moved: Sequence[LogStream] = ()) -> None:
        new = [part.stream for part in parts if part.stream.source_id is None]
        self._keep(parts, moved)
        self._streams += new

    def _read_safely(self, tail: Tail, now: float) -> Part | None:
        """Return what is new in *tail*; a file that cannot be read does not stop the others."""
        try:
            return self._read(tail, now)
        except OSError as error:
            self._tell_once(f"cannot read {tail.name}: {error.strerror}; trying again")
            self._watcher.drop(tail)
            return None

    def _read(self, tail: Tail, now: float) -> Part | None:
        """Return the whole lines that *tail* has more than the store."""
        if tail.has_changed(now):
            tail.is_read = False
        if tail.is_read:
            return None
        if not tail.still_holds_stream() and not self._watcher.settle(tail, now):
            return None
        stream = tail.stream
        if stream is None:
            return None
        limit = min(_TAIL_BYTES, self._cycle_bytes)
        data, is_end = tail.read_lines(limit)
        settled = self._parser.settled(data, stream.format)
        while not settled and not is_end:
            # The parts of a long line, or records that overlap: their end is farther on.
            limit *= 2
            data, is_end = tail.read_lines(limit)
            settled = self._parser.settled(data, stream.format)
        if settled < len(data) and now - tail.changed_at >= self._pace.record_silence_s:
            settled = len(data)
        tail.is_read = is_end and settled == len(data)
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
        return Part(stream, batch, intervals_of(data, start, stream.tail), data[:HEAD_BYTES])

    def _retire(self, now: float) -> None:
        """Let go of files that were renamed away or deleted and have been read to their end."""
        for tail in self._watcher.tails:
            silence_s = now - tail.changed_at
            if tail.is_named or not tail.is_read or silence_s < self._pace.settle_s:
                continue
            if tail.has_writer():
                continue
            rest = tail.read_rest()
            is_deleted = tail.state.link_count == 0
            if rest and (is_deleted or self._parser.is_event(rest)):
                # No newline will follow any more, and a deleted file cannot be read again.
                part = self._part(tail, rest)
                if part is None:
                    continue
                self._commit([part])
            self._watcher.drop(tail)

    def _read_archive(self) -> bool:
        """Read one compressed file, if there is one; return whether there are more."""
        archives = [*self._watcher.archives.values()]
        if not archives or self._stop.is_set():
            return False
        archive = archives[0]
        with ThreadPoolExecutor(1) as pool:
            intake = Intake(
                self._commit_part_of_archive, self._parser, self._streams, Silent(), pool
            )
            intake.read(archive.file, may_begin=archive.may_begin)
        for path, reason in intake.report.damaged:
            self._tell_once(f"{path}: damaged or incomplete: {reason}; what came before is read")
        self._watcher.is_done(archive)
        return len(archives) > 1

    def _commit_part_of_archive(
        self, parts: Sequence[Part], moved: Sequence[LogStream] = ()
    ) -> None:
        if self._stop.is_set():
            raise WaitStoppedError("stopped while reading a compressed file")
        self._keep(parts, moved)

    def _tell_once(self, line: str) -> None:
        if line not in self._told:
            self._told.add(line)
            self._say(line)


def _is_copy(part: Part, others: Mapping[int, Part]) -> bool:
    """Return whether *part* may hold the same lines of the same stream as one of *others*."""
    if part.stream.source_id is not None:
        return id(part.stream) in others
    heads = (other.data for other in others.values() if other.stream.source_id is None)
    return any(part.data.startswith(head) or head.startswith(part.data) for head in heads)
