"""Which files are followed just now, and which stream each of them holds."""

from __future__ import annotations

import os
import resource
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from logkit_analysis.sources import compression
from logkit_analysis.sources.discovery import (
    LogFile,
    discover_present,
    is_side_file,
    rotated_siblings,
)
from logkit_analysis.sources.identity import identify, is_at_home
from logkit_analysis.sources.tail import Tail
from logkit_analysis.streams import FileKey, LogStream

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# A renamed file is kept open until its writer, who may not know yet, has been silent this long;
# a file that may be a copy in the making is watched as long before it counts as another file.
SETTLE_S = 5.0
_LONGEST_DOUBT_S = 30.0
# The end of a renamed file may be read after its successor was renamed too.
_OVERLAP_S = 60.0
# DuckDB ends the whole process when it gets no descriptor.
_SPARE_DESCRIPTORS = 64
_MOST_DESCRIPTORS = 4096


@dataclass(frozen=True, slots=True)
class _Seen:
    """A file that needs no look as long as it stays like this."""

    size: int
    modified_ns: int


class Watcher:
    """Finds files and keeps them open.

    Args:
        arguments: Files, folders and globs to follow; what is missing may appear later.
        streams: All that the store knows; streams that begin are added by whoever commits them.
        began_at: When the store was first written to, seconds since 1970.

    Attributes:
        tails: The open plain files.
        archives: Compressed files that look complete and were not read as they are now.
        moved: Known streams whose new place the store does not know yet.
    """

    def __init__(self, arguments: Sequence[str], streams: list[LogStream], began_at: float) -> None:
        self._arguments = arguments
        self._streams = streams
        self._began_at = began_at
        self._last_read = _last_read(streams)
        self._tails: dict[FileKey, Tail] = {}
        self._quiet: dict[FileKey, _Seen] = {}
        self._growing: dict[FileKey, _Seen] = {}
        self._budget = _raise_descriptor_limit() - _SPARE_DESCRIPTORS
        self.archives: list[LogFile] = []
        self.moved: list[LogStream] = []

    @property
    def tails(self) -> list[Tail]:
        """The open plain files."""
        return list(self._tails.values())

    def folders(self) -> list[Path]:
        """Return the folders in which something may happen that concerns us."""
        found = {Path(file.path).parent for file in discover_present(self._arguments)}
        for argument in self._arguments:
            path = Path(argument)
            found.add(path if path.is_dir() else path.parent)
        return sorted(folder for folder in found if folder.is_dir())

    def is_relevant(self, path: str) -> bool:
        """Return whether a change of *path* may concern us; our own database's does not."""
        return not is_side_file(path)

    def look(self, now: float) -> None:
        """Bring the open files up to date with what is there.

        Args:
            now: Seconds on the clock that all calls share.
        """
        self.archives = []
        named: set[FileKey] = set()
        for path, is_sibling in self._candidates():
            with suppress(OSError):
                status = Path(path).stat()
                if not stat.S_ISREG(status.st_mode):
                    continue
                key = FileKey(status.st_dev, status.st_ino)
                named.add(key)
                if key in self._tails:
                    self._tails[key].path = path
                elif self._quiet.get(key) != _seen(status):
                    self._open(path, key, now, is_sibling=is_sibling)
        for key, tail in self._tails.items():
            tail.is_named = key in named
        self._park()

    def _candidates(self) -> Iterator[tuple[str, bool]]:
        """Yield the paths to look at, each with whether it is only a rotated copy of one."""
        for file in discover_present(self._arguments):
            yield file.path, False
        for argument in self._arguments:
            if not Path(argument).is_dir():
                for path in rotated_siblings(argument):
                    yield path, True

    def _open(self, path: str, key: FileKey, now: float, *, is_sibling: bool) -> None:
        tail = Tail.open(path, now)
        head = os.pread(tail.descriptor, compression.MAGIC_BYTES, 0)
        if compression.detect(head) != "none":
            self._open_archive(path, key, tail)
            return
        tail.is_sibling = is_sibling
        self._tails[tail.key] = tail

    def _open_archive(self, path: str, key: FileKey, tail: Tail) -> None:
        """Hand out a compressed file once it stands still; half-written ones wait."""
        seen = _seen(os.fstat(tail.descriptor))
        tail.close()
        if self._growing.get(key) == seen:
            self.archives.append(LogFile(path, is_stream=False))
            self._quiet[key] = seen
        self._growing[key] = seen

    def settle(self, tail: Tail, now: float) -> None:
        """Find out which stream *tail* holds, if that can be told by now."""
        with open(os.dup(tail.descriptor), "rb") as file:  # noqa: PTH123 a descriptor, no path
            match = identify(file, tail.place, tail.key, self._streams)
        tail.stream, tail.is_behind = match.stream, match.is_behind
        if match.stream is not None:
            match.stream.name = tail.name
            if not match.is_behind:
                self._note_place(match.stream, tail)
            return
        is_silent = now - tail.changed_at >= SETTLE_S
        is_old = now - tail.opened_at >= _LONGEST_DOUBT_S
        if tail.state.size and (not match.is_unsure or is_silent or is_old):
            self._begin(tail)

    def _note_place(self, stream: LogStream, tail: Tail) -> None:
        if (stream.path, stream.key) != (tail.place, tail.key) and not is_at_home(stream):
            stream.path, stream.key = tail.place, tail.key
            self.moved.append(stream)

    def _begin(self, tail: Tail) -> None:
        """Begin a stream, unless the file is an old rotated copy that nobody asked for."""
        if tail.is_sibling and not self._was_missed(tail):
            self.drop(tail)
            self._quiet[tail.key] = _Seen(tail.state.size, tail.state.modified_ns)
            return
        tail.stream = LogStream(tail.place, tail.key, name=tail.name)

    def _was_missed(self, tail: Tail) -> bool:
        """Return whether a rotated copy was the followed file itself while nobody looked.

        It holds no stream that we know. If it changed after we last read its original, or began
        to follow it, it came and went in between.
        """
        times = [
            at
            for path, at in self._last_read.items()
            if tail.place.startswith((f"{path}.", f"{path}-"))
        ]
        since = max(times) - _OVERLAP_S if times else self._began_at
        return tail.state.modified_ns / 1e9 >= since

    def drop(self, tail: Tail) -> None:
        """Close *tail* and forget it."""
        tail.close()
        del self._tails[tail.key]

    def _park(self) -> None:
        """Close files that have been quiet for longest while more are open than we may."""
        spare = len(self._tails) - self._budget
        if spare <= 0:
            return
        named = [tail for tail in self._tails.values() if tail.is_named and tail.is_read]
        for tail in sorted(named, key=lambda tail: tail.changed_at)[:spare]:
            self._quiet[tail.key] = _Seen(tail.state.size, tail.state.modified_ns)
            self.drop(tail)


def _last_read(streams: Sequence[LogStream]) -> dict[str, float]:
    """Return when something was last read under each path, before this process began."""
    times: dict[str, float] = {}
    for stream in streams:
        times[stream.path] = max(stream.committed_at, times.get(stream.path, 0.0))
    return times


def _seen(status: os.stat_result) -> _Seen:
    return _Seen(status.st_size, status.st_mtime_ns)


def _raise_descriptor_limit() -> int:
    """Raise the soft limit of open files as far as is sensible; return it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, _MOST_DESCRIPTORS)
    if wanted > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        return wanted
    return soft
