"""Log files that are watched: what they held before, and what is added, merged by time.

What is new is read as ``follow`` reads it, through every rotation; only nothing is kept on disk.
"""

from __future__ import annotations

import time
from collections import deque
from contextlib import suppress
from datetime import timedelta
from difflib import get_close_matches
from itertools import islice
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING

from logkit_analysis.gathering import Gatherer
from logkit_analysis.live.backlog import MOST_BYTES_BACK, merged
from logkit_analysis.live.earlier import EarlierFile, earlier_file, without_copies
from logkit_analysis.live.filters import Selection
from logkit_analysis.live.sifting import sift
from logkit_analysis.sources.compression import DAMAGED
from logkit_analysis.sources.discovery import LOG_NAMES, discover_present, path_text
from logkit_analysis.sources.rotated import RotatedCopies
from logkit_analysis.sources.wakeup import Wakeup
from logkit_analysis.sources.watcher import Watcher
from logkit_analysis.stopping import StopSignal
from logkit_analysis.streams import joined

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime
    from types import TracebackType
    from typing import Self

    from logkit_analysis.live.event import LiveEvent
    from logkit_analysis.live.rates import Rates
    from logkit_analysis.parsers.chunk_parser import ChunkParser
    from logkit_analysis.sources.pace import Pace
    from logkit_analysis.store.writer import Part
    from logkit_analysis.streams import LogStream

# Of one look; few enough for little memory and a prompt answer to a key.
_CYCLE_BYTES = 8 * 1024 * 1024
_PART_EVENTS = 1_000
# Times that name no zone may be this far from those of the file system, if the zone is not told.
_MOST_SKEW = timedelta(days=1)
_MOST_INTERVALS = 300
# Behind the name of what is missing; taken back where it can be once that is there.
WAITING = ": nothing there yet, waiting for it"


class LiveFiles:
    """Keeps files open and gives what they hold, in the order of time.

    It writes nothing, and needs no database.

    Args:
        arguments: Files, folders and globs; what is missing may appear later.
        parser: Of all files.
        pace: How long to wait for what.
        say: Told, in one line, what is missing or cannot be read.
        rates: Counts what is new and selected.

    Attributes:
        has_more: Whether the last look has left something to be read at once.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        parser: ChunkParser,
        pace: Pace,
        say: Callable[[str], None],
        rates: Rates | None = None,
    ) -> None:
        self._arguments = arguments
        self._parser = parser
        self._pace = pace
        self._say = say
        self._rates = rates
        self._began_at = time.time()
        found = self._find_earlier()
        self._earlier = without_copies(found)
        streams = [one.stream for one in self._earlier if one.stream and one.stream.intervals]
        self._numbered = len(streams)
        for number, stream in enumerate(streams, 1):
            stream.source_id = number
        self._watcher = Watcher(arguments, streams, self._began_at, pace)
        for file in found:
            if file.archive is not None:
                self._watcher.is_done(file.archive)
        # Opened now, a file is read to its end whatever becomes of its name.
        self._watcher.look(time.monotonic())
        self._gatherer = Gatherer(
            self._watcher,
            streams,
            parser,
            self._take,
            StopSignal(),
            say,
            pace,
            cycle_bytes=_CYCLE_BYTES,
        )
        self._selection = Selection()
        self._taken: dict[int, list[LiveEvent]] = {}
        self._wakeup: Wakeup | None = None
        self._polled_at = 0.0
        self.has_more = False

    def __enter__(self) -> Self:
        for argument in self._arguments:
            if not discover_present([argument]):
                self._say(f"{argument}{WAITING}{_hint(argument)}")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._wakeup is not None:
            self._wakeup.__exit__(kind, error, trace)
        for tail in self._watcher.tails:
            self._watcher.drop(tail)

    @property
    def names(self) -> list[str]:
        """The names of the files that are open, without rotated copies of those asked for."""
        copies = tuple(f"{argument}{mark}" for argument in self._arguments for mark in ".-")
        names = [tail.name for tail in self._watcher.tails if tail.is_named]
        return [one for one in names if one in self._arguments or not one.startswith(copies)]

    @property
    def lag_bytes(self) -> int:
        """How many bytes are there that were not read yet."""
        tails = [tail for tail in self._watcher.tails if not tail.is_read and tail.stream]
        return sum(max(0, tail.state.size - tail.stream.position) for tail in tails if tail.stream)

    @property
    def is_over(self) -> bool:
        """Files may always grow."""
        return False

    def backlog(
        self, selection: Selection, *, count: int | None, since: datetime | None
    ) -> Iterator[list[LiveEvent]]:
        """Yield, in parts, what *selection* shows of that which was there to begin with.

        Args:
            selection: What is shown.
            count: Only the last so many; ``None`` for all of *since*.
            since: From when on; also of rotated and compressed copies.
        """
        events = self._since(selection, since) if since else self._newest(selection, count or 0)
        if since is not None and count is not None:
            events = iter(deque(events, maxlen=count))
        is_empty = True
        while part := list(islice(events, _PART_EVENTS)):
            is_empty = False
            yield part
        if is_empty and since is not None:
            self._tell_newest(since)

    def _tell_newest(self, since: datetime) -> None:
        """Say that nothing is shown since then, and until when the logs go."""
        newest = [event.at for event in self._newest(Selection(), 1) if event.at]
        until = f"; the newest line is of {newest[0]:%Y-%m-%d %H:%M:%S}Z" if newest else ""
        self._say(f"nothing to show since {since:%Y-%m-%d %H:%M:%S}Z{until}; waiting for more")

    def poll(self, selection: Selection) -> list[LiveEvent]:
        """Return what *selection* shows of that which is new since the last call."""
        self._polled_at = time.monotonic()
        self._selection = selection
        self.has_more = self._gatherer.cycle(self._polled_at)
        taken, self._taken = self._taken, {}
        return list(merged(taken.values()))

    def wait(self, stop: StopSignal) -> None:
        """Wait until a file has changed, for a moment at most."""
        if self.has_more:
            return
        if self._wakeup is None:
            self._wakeup = Wakeup(self._watcher.is_relevant, stop, self._pace)
        self._wakeup.watch(self._watcher.folders)
        next_at = self._polled_at + self._pace.commit_interval_s / 2
        stop.wait(max(0.0, next_at - time.monotonic()))
        self._wakeup.wait()

    def _find_earlier(self) -> list[EarlierFile]:
        """Return what is there, also rotated copies, the last written first."""
        present = [file.path for file in discover_present(self._arguments)]
        siblings = RotatedCopies(self._arguments, (), self._began_at).find(present)
        found = []
        for path in dict.fromkeys([*present, *siblings]):
            try:
                file = earlier_file(path, self._parser, self._pace.record_silence_s)
            except OSError as error:
                if path in self._arguments:
                    self._say(f"cannot read {path_text(path)}: {error.strerror}; trying again")
                continue
            if file is not None:
                found.append(file)
        return sorted(found, key=attrgetter("modified_at"), reverse=True)

    def _newest(self, selection: Selection, count: int) -> Iterator[LiveEvent]:
        """Return the last *count* events of all files."""
        newest: list[LiveEvent] = []
        is_cut_short = False
        if not count:
            return iter(newest)
        for file in self._earlier:
            # No line of a file is younger than its last change.
            if len(newest) == count and newest[0].at and newest[0].at > file.modified_at:
                break
            with suppress(*DAMAGED):
                events, gave_up = file.newest(self._parser, selection, count)
                # Of equal times those of the file that was written last are the later ones.
                newest = list(merged([events, newest]))[-count:]
                is_cut_short = is_cut_short or gave_up
        if is_cut_short and len(newest) < count:
            self._say(
                f"{len(newest)} lines in the last {MOST_BYTES_BACK >> 20} MiB of each file; "
                "--since looks further back"
            )
        return iter(newest)

    def _since(self, selection: Selection, at: datetime) -> Iterator[LiveEvent]:
        """Yield all events from *at* on."""
        oldest_first = reversed(self._earlier)
        files = [file for file in oldest_first if file.modified_at >= at - _MOST_SKEW]
        return merged([self._since_in(file, selection, at) for file in files])

    def _since_in(
        self, file: EarlierFile, selection: Selection, at: datetime
    ) -> Iterator[LiveEvent]:
        try:
            yield from file.since(self._parser, selection, at)
        except DAMAGED as error:
            self._say(f"{file.name}: damaged or incomplete: {error}; what came before is shown")

    def _take(self, parts: Sequence[Part], moved: Sequence[LogStream] = ()) -> None:  # noqa: ARG002
        """Show *parts*, and note that they are consumed."""
        now = time.monotonic()
        for part in parts:
            stream = part.stream
            if stream.source_id is None:
                self._numbered += 1
            part.note_consumed(stream.source_id or self._numbered)
            if len(stream.intervals) > _MOST_INTERVALS:
                stream.intervals[:] = joined(stream.intervals)
            events = sift(part.batch, stream.name, self._selection, self._rates, now)
            self._taken.setdefault(id(stream), []).extend(events)


def _hint(argument: str) -> str:
    """Return what may have been meant by a path at which no log is."""
    path = Path(argument)
    with suppress(OSError):
        if path.is_dir():
            return f"; {LOG_NAMES} are looked for"
        if path.exists():
            return "; it is no regular file"
        near = get_close_matches(path.name, [one.name for one in path.parent.iterdir()], 1)
        return f"; did you mean {path_text(str(path.with_name(near[0])))}?" if near else ""
    return ""
