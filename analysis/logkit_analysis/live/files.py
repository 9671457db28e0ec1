"""Log files that are watched: what is in them, and what is added, merged by time."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from logkit_analysis.live.growing import GrowingFile
from logkit_analysis.live.sifting import sift
from logkit_analysis.sources import compression
from logkit_analysis.sources.descriptors import descriptor_budget
from logkit_analysis.sources.discovery import (
    discover_present,
    is_database,
    is_side_file,
    original_of,
)
from logkit_analysis.sources.wakeup import Wakeup
from logkit_analysis.streams import FileKey

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from types import TracebackType
    from typing import Self

    from logkit_analysis.live.event import LiveEvent
    from logkit_analysis.live.filters import Selection
    from logkit_analysis.live.rates import Rates
    from logkit_analysis.parsers.batch import Batch
    from logkit_analysis.parsers.chunk_parser import ChunkParser
    from logkit_analysis.sources.pace import Pace
    from logkit_analysis.stopping import StopSignal

_MAGIC_BYTES = 16
# Of each file at one look.
_MOST_BYTES = 4 * 1024 * 1024
_BEGINNING = datetime.min.replace(tzinfo=UTC)


class LiveFiles:
    """Keeps files open and gives what they hold, in the order of time.

    It writes nothing, and needs no database.

    Args:
        arguments: Files, folders and globs; what is missing may appear later.
        parser: Of all files.
        pace: How long to wait for what.
        say: Told, in one line, what is missing or cannot be read.
        rates: Counts what is new and selected.
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
        self._files: dict[FileKey, GrowingFile] = {}
        self._ignored: set[FileKey] = set()
        self._budget = descriptor_budget()
        self._told: set[str] = set()
        self._folders: list[Path] = []
        self._wakeup: Wakeup | None = None
        self._polled_at = 0.0
        self._has_more = False

    def __enter__(self) -> Self:
        for argument in self._arguments:
            if not discover_present([argument]):
                self._say(f"{argument}: nothing there yet, waiting for it")
        self._look()
        for file in self._files.values():
            file.go_to_end()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._wakeup is not None:
            self._wakeup.__exit__(kind, error, trace)
        for file in self._files.values():
            file.close()

    @property
    def names(self) -> list[str]:
        """The names of the files that are watched."""
        return [file.name for file in self._files.values()]

    @property
    def lag_bytes(self) -> int:
        """How many bytes are there that were not read yet."""
        return sum(file.lag_bytes for file in self._files.values())

    @property
    def is_over(self) -> bool:
        """Files may always grow."""
        return False

    def backlog(
        self, selection: Selection, *, count: int | None, since: datetime | None
    ) -> list[LiveEvent]:
        """Return what was there when the files were opened: the last *count*, or all *since*."""
        if count == 0:
            return []
        found = [self._last(file, selection, count, since) for file in self._files.values()]
        events = _merged(found)
        return events if count is None else events[-count:]

    def poll(self, selection: Selection) -> list[LiveEvent]:
        """Return what *selection* shows of that which is new since the last call."""
        self._polled_at = time.monotonic()
        self._look()
        self._has_more = False
        read = [(file.name, self._read(file)) for file in list(self._files.values())]
        now = time.monotonic()
        return _merged(
            [sift(batch, name, selection, self._rates, now) for name, batch in read if batch]
        )

    def wait(self, stop: StopSignal) -> None:
        """Wait until a file has changed, for a moment at most."""
        if self._has_more:
            return
        if self._wakeup is None:
            self._wakeup = Wakeup(self._is_relevant, stop, self._pace)
        self._wakeup.watch(self._folders)
        next_at = self._polled_at + self._pace.commit_interval_s / 2
        stop.wait(max(0.0, next_at - time.monotonic()))
        self._wakeup.wait()

    def _is_relevant(self, path: str) -> bool:
        return not is_side_file(path)

    def _last(
        self, file: GrowingFile, selection: Selection, count: int | None, since: datetime | None
    ) -> list[LiveEvent]:
        """Return the last events of *file*: *count* of them, or all since a time."""
        events: list[LiveEvent] = []
        for batch, is_all in file.last_parts():
            events = sift(batch, file.name, selection)
            if since is not None:
                first = min(_times(batch), default=None)
                events = [one for one in events if one.at is not None and one.at >= since]
                if first is not None and first < since:
                    break
            if is_all or (count is not None and len(events) >= count):
                break
        return events

    def _read(self, file: GrowingFile) -> Batch | None:
        try:
            batch = file.read(_MOST_BYTES, self._pace.record_silence_s)
            if batch is not None:
                self._has_more = self._has_more or file.lag_bytes > 0
            elif not file.is_named and self._is_left(file):
                batch = file.read_rest()
                self._drop(file)
        except OSError as error:
            self._tell_once(f"cannot read {file.name}: {error.strerror}")
            self._drop(file)
            return None
        return batch

    def _is_left(self, file: GrowingFile) -> bool:
        """Return whether nobody is likely to write into a file that has lost its name."""
        return time.monotonic() - file.changed_at >= self._pace.settle_s

    def _drop(self, file: GrowingFile) -> None:
        del self._files[file.key]
        file.close()

    def _look(self) -> None:
        """Open what is new; note which files have lost their name."""
        present = discover_present(self._arguments)
        paths = [file.path for file in present]
        names = {os.path.basename(path) for path in paths}  # noqa: PTH119
        folders = {Path(path).parent for path in paths}
        folders |= {path if path.is_dir() else path.parent for path in map(Path, self._arguments)}
        self._folders = sorted(folder for folder in folders if folder.is_dir())
        named: set[FileKey] = set()
        for path in paths:
            with suppress(OSError):
                status = Path(path).stat()
                key = FileKey(status.st_dev, status.st_ino)
                named.add(key)
                if key not in self._files and key not in self._ignored:
                    self._open(path, is_copy=_is_copy(path, names))
        for key, file in self._files.items():
            file.is_named = key in named
        self._ignored &= named

    def _open(self, path: str, *, is_copy: bool) -> None:
        if len(self._files) >= self._budget:
            self._tell_once(f"only {self._budget:,} files can be watched at once")
            return
        file = GrowingFile.open(path, self._parser)
        head = file.head(_MAGIC_BYTES)
        if compression.detect(head) != "none" or is_database(head):
            self._ignored.add(file.key)
            file.close()
            return
        if is_copy:
            # A copy of what was shown: a file that was only renamed is open already.
            file.go_to_end()
        self._files[file.key] = file

    def _tell_once(self, text: str) -> None:
        if text not in self._told:
            self._told.add(text)
            self._say(text)


def _is_copy(path: str, names: set[str]) -> bool:
    """Return whether *path* is called as a rotated copy of one of the files *names* is."""
    name = os.path.basename(path)  # noqa: PTH119
    return original_of(name, names - {name}) is not None


def _times(batch: Batch) -> Iterable[datetime]:
    for table in batch.tables:
        if "timestamp" in table.column_names:
            yield from (at for at in table.column("timestamp").to_pylist() if at is not None)


def _merged(found: Sequence[list[LiveEvent]]) -> list[LiveEvent]:
    """Return the events of several files in the order of time, those of each file in its own."""
    if len(found) == 1:
        return found[0]
    timed: list[tuple[datetime, LiveEvent]] = []
    for events in found:
        last = _BEGINNING
        for event in events:
            last = last if event.at is None else max(last, event.at)
            timed.append((last, event))
    timed.sort(key=lambda pair: pair[0])
    return [event for _, event in timed]
