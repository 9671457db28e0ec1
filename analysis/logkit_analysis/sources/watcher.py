"""Which files are followed just now, and which stream each of them holds."""

from __future__ import annotations

import os
import stat
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from logkit_analysis.sources import compression
from logkit_analysis.sources.descriptors import descriptor_budget
from logkit_analysis.sources.discovery import (
    LogFile,
    discover_present,
    is_database,
    is_side_file,
    originals_first,
)
from logkit_analysis.sources.identity import identify, is_at_home
from logkit_analysis.sources.rotated import RotatedCopies
from logkit_analysis.sources.tail import FileState, Tail
from logkit_analysis.streams import HEAD_BYTES, FileKey, LogStream

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from logkit_analysis.sources.pace import Pace

_MAGIC_BYTES = 16
# Finding out what a big file holds may take this share of our time.
_SETTLING_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class _Parked:
    """A file that needs no look as long as it stays like this."""

    state: FileState
    stream: LogStream | None
    at: float


@dataclass(frozen=True, slots=True)
class Archive:
    """A compressed file that looks complete.

    Attributes:
        file: Where it is.
        key: Its inode.
        state: As it is.
        may_begin: Whether it is read also if it holds no stream that we know.
    """

    file: LogFile
    key: FileKey
    state: FileState
    may_begin: bool


@dataclass(frozen=True, slots=True)
class _Found:
    """A file that is not open."""

    path: str
    key: FileKey
    state: FileState
    is_sibling: bool


class Watcher:
    """Finds files and keeps them open.

    Args:
        arguments: Files, folders and globs to follow; what is missing may appear later.
        streams: All that the store knows; streams that begin are added by whoever commits them.
        began_at: When the store was first written to, seconds since 1970.
        pace: How long to wait for what.

    Attributes:
        moved: Known streams whose new place the store does not know yet.
        archives: Compressed files to be read, each until `is_done` is told.
        folders: Where something may happen that concerns us.
    """

    def __init__(
        self, arguments: Sequence[str], streams: list[LogStream], began_at: float, pace: Pace
    ) -> None:
        self._arguments = arguments
        self._pace = pace
        self._streams = streams
        self._rotated = RotatedCopies(arguments, streams, began_at)
        self._tails: dict[FileKey, Tail] = {}
        self._parked: dict[FileKey, _Parked] = {}
        self._growing: dict[FileKey, _Parked] = {}
        self._budget = descriptor_budget()
        self.archives: dict[FileKey, Archive] = {}
        self.moved: list[LogStream] = []
        self.folders: list[Path] = []

    @property
    def tails(self) -> list[Tail]:
        """The open plain files."""
        return list(self._tails.values())

    @property
    def file_count(self) -> int:
        """How many files are followed, open or not."""
        return len({*self._tails, *self._parked, *self._growing, *self.archives})

    def is_relevant(self, path: str) -> bool:
        """Return whether a change of *path* may concern us; our own database's does not."""
        return not is_side_file(path)

    def forget(self) -> None:
        """Find out anew what every file holds, also those that need no look."""
        for tail in self._tails.values():
            tail.stream, tail.is_read, tail.settle_at = None, False, 0.0
        self._parked.clear()
        self._growing.clear()
        self.archives.clear()
        self.moved.clear()

    def look(self, now: float) -> None:
        """Bring the open files up to date with what is there.

        Args:
            now: Seconds on the clock that all calls share.
        """
        named: set[FileKey] = set()
        waiting: list[_Found] = []
        for found in self._found():
            if found.key in named:
                continue
            named.add(found.key)
            if found.key in self._tails:
                self._tails[found.key].path = found.path
            elif not self._is_parked(found):
                waiting.append(found)
        for key, tail in self._tails.items():
            tail.is_named = key in named
        for known in (self._parked, self._growing, self.archives):
            for key in known.keys() - named:
                del known[key]
        self._open_all(waiting, now)

    def _found(self) -> Iterator[_Found]:
        """Yield the files that are there, rotated copies last."""
        present = [file.path for file in discover_present(self._arguments)]
        places = {Path(path).parent for path in present}
        # What a link leads to changes in its own folder.
        places |= {Path(os.path.realpath(path)).parent for path in present if os.path.islink(path)}
        for argument in map(Path, self._arguments):
            places.add(argument if argument.is_dir() else argument.parent)
        self.folders = sorted(place for place in places if place.is_dir())
        candidates = [(path, False) for path in originals_first(present)]
        candidates += [(path, True) for path in self._rotated.find(present)]
        for path, is_sibling in candidates:
            with suppress(OSError):
                status = Path(path).stat()
                if stat.S_ISREG(status.st_mode):
                    key = FileKey(status.st_dev, status.st_ino)
                    yield _Found(path, key, FileState.of(status), is_sibling)

    def _is_parked(self, found: _Found) -> bool:
        parked = self._parked.get(found.key)
        return parked is not None and parked.state == found.state

    def _open_all(self, waiting: list[_Found], now: float) -> None:
        """Open what we may, those that have waited for longest first.

        Among new ones, those in which we have read before come first: what they hold tells what
        others, which begin alike, do not hold.
        """
        room = self._budget - len(self._tails)
        if len(waiting) > room:
            room += self._park(len(waiting) - room, now)
        parked = {key: at.at for key, at in self._parked.items()}
        known = self._known_among(waiting)
        waiting.sort(key=lambda found: (parked.get(found.key, 0.0), found.key not in known))
        for found in waiting:
            if room <= 0:
                return
            with suppress(OSError):
                room -= self._open(found, now)

    def _known_among(self, waiting: Sequence[_Found]) -> set[FileKey]:
        """Return the inodes that still begin as what we have read in them."""
        heads: dict[FileKey, list[bytes]] = {found.key: [] for found in waiting}
        for stream in self._streams:
            if stream.key in heads:
                heads[stream.key].append(stream.head)
        known = set()
        for found in waiting:
            if heads[found.key]:
                with suppress(OSError), Path(found.path).open("rb") as file:
                    if file.read(HEAD_BYTES).startswith(tuple(heads[found.key])):
                        known.add(found.key)
        return known

    def _park(self, count: int, now: float) -> int:
        """Close up to *count* files that are read, the longest quiet first; return how many."""
        read = [tail for tail in self._tails.values() if tail.is_named and tail.is_read]
        closed = sorted(read, key=lambda tail: tail.changed_at)[:count]
        for tail in closed:
            self._parked[tail.key] = _Parked(tail.state, tail.stream, now)
            self.drop(tail)
        return len(closed)

    def _open(self, found: _Found, now: float) -> bool:
        """Open a file; return whether it stays open."""
        tail = Tail.open(found.path, now)
        if tail.key in self._tails or self._is_no_plain_log(found, tail, now):
            tail.close()
            return False
        tail.is_sibling = found.is_sibling
        if parked := self._parked.get(tail.key):
            tail.stream = parked.stream
        self._tails[tail.key] = tail
        return True

    def _is_no_plain_log(self, found: _Found, tail: Tail, now: float) -> bool:
        """Return whether the file is to be closed again; what is no plain log is dealt with."""
        try:
            head = os.pread(tail.descriptor, _MAGIC_BYTES, 0)
        except OSError:
            return True
        if compression.detect(head) != "none":
            self._note_archive(found, now)
            return True
        if is_database(head):
            self._parked[tail.key] = _Parked(found.state, None, now)
            return True
        return False

    def _note_archive(self, found: _Found, now: float) -> None:
        """Hand out a compressed file once it stands still; half-written ones wait."""
        seen = self._growing.get(found.key)
        if seen is None or seen.state != found.state:
            self._growing[found.key] = _Parked(found.state, None, now)
        elif now - seen.at >= self._pace.still_s:
            file = LogFile(found.path, is_stream=False)
            may_begin = not found.is_sibling or self._rotated.was_missed(
                file.place, found.state.modified_ns / 1e9
            )
            self.archives[found.key] = Archive(file, found.key, found.state, may_begin)

    def is_done(self, archive: Archive) -> None:
        """Read *archive* no more, unless it changes."""
        self.archives.pop(archive.key, None)
        self._parked[archive.key] = _Parked(archive.state, None, 0.0)

    def settle(self, tail: Tail, now: float) -> bool:
        """Find out which stream *tail* holds; return whether that can be told by now."""
        if now < tail.settle_at:
            return False
        started = time.monotonic()
        with open(os.dup(tail.descriptor), "rb") as file:  # noqa: PTH123 a descriptor, no path
            match = identify(file, tail.place, tail.key, self._streams)
        tail.settle_at = now + (time.monotonic() - started) / _SETTLING_SHARE
        tail.stream = None if match.is_behind else match.stream
        if match.is_behind or not tail.state.size:
            tail.is_read = True
        elif match.stream is not None:
            self._note_place(match.stream, tail)
        elif not match.is_unsure or self._is_over(tail, now):
            self._begin(tail, now)
        return tail.stream is not None

    def _is_over(self, tail: Tail, now: float) -> bool:
        """Return whether *tail* has been in doubt for long enough."""
        return (
            now - tail.changed_at >= self._pace.settle_s
            or now - tail.opened_at >= self._pace.longest_doubt_s
        )

    def _note_place(self, stream: LogStream, tail: Tail) -> None:
        stream.name = tail.name
        if (stream.path, stream.key) != (tail.place, tail.key) and not is_at_home(stream):
            self._move(stream, tail)

    def note_reading(self, stream: LogStream, tail: Tail) -> None:
        """Note that more of *stream* is read from *tail*.

        Of a file and its copy, the one that we read last is sure to hold all that is consumed.
        """
        if stream.key != tail.key:
            self._move(stream, tail)

    def _move(self, stream: LogStream, tail: Tail) -> None:
        stream.path, stream.key = tail.place, tail.key
        self.moved.append(stream)

    def _begin(self, tail: Tail, now: float) -> None:
        """Begin a stream, unless the file is an old rotated copy that nobody asked for."""
        modified_at = tail.state.modified_ns / 1e9
        if tail.is_sibling and not self._rotated.was_missed(tail.place, modified_at):
            self._parked[tail.key] = _Parked(tail.state, None, now)
            self.drop(tail)
            return
        tail.stream = LogStream(tail.place, tail.key, name=tail.name)

    def drop(self, tail: Tail) -> None:
        """Close *tail* and forget it."""
        tail.close()
        del self._tails[tail.key]
