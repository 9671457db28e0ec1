"""Rotated copies: of which files, and which of them we have missed."""

from __future__ import annotations

import os
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from logkit_analysis.sources.discovery import is_glob, original_of, path_text, rotated_siblings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from logkit_analysis.streams import LogStream

# The end of a renamed file may be read after its successor was renamed too.
_OVERLAP_S = 60.0


class RotatedCopies:
    """Finds rotated copies of the files that are named or match a glob.

    A folder's rotated files are followed as they are.

    Args:
        arguments: Files, folders and globs that are followed.
        streams: All that the store knows.
        began_at: When the store was first written to, seconds since 1970.
    """

    def __init__(
        self, arguments: Sequence[str], streams: Sequence[LogStream], began_at: float
    ) -> None:
        self._arguments = arguments
        self._known = {stream.path for stream in streams}
        self._began_at = began_at
        self._last_read: dict[str, float] = {}
        self._inodes: set[int] = set()
        originals = {path_text(os.path.abspath(path)) for path in self._originals(self._known)}
        for stream in streams:
            original = _original(stream.path, originals)
            if original is not None:
                self._inodes.add(stream.key.inode)
                before = self._last_read.get(original, 0.0)
                self._last_read[original] = max(before, stream.committed_at)

    def find(self, present: Sequence[str]) -> list[str]:
        """Return the files that may be rotated copies, by name or by inode.

        Args:
            present: Paths of the files that are followed and there.

        A file in which we read such a stream before we began counts whatever it is called: it may
        have been renamed to anything while nobody looked.
        """
        paths = set(self._originals(present))
        targets = [os.path.realpath(path) for path in paths if os.path.islink(path)]
        return rotated_siblings([*paths, *targets], self._inodes)

    def _originals(self, present: Iterable[str]) -> Iterator[str]:
        for argument in self._arguments:
            if is_glob(argument):
                paths = {*present, *self._known}
                yield from (path for path in paths if PurePath(path).match(argument))
            elif not Path(argument).is_dir():
                yield argument

    def was_missed(self, path: str, modified_at: float) -> bool:
        """Return whether a rotated copy was the followed file itself while nobody looked.

        It holds no stream that we know. If it changed after we last read its original, or began
        to follow it, it came and went in between.

        Args:
            path: Its absolute path as text.
            modified_at: When it last changed, seconds since 1970.
        """
        original = _original(path, self._last_read)
        if original is None:
            return modified_at >= self._began_at
        return modified_at >= self._last_read[original] - _OVERLAP_S


def _original(path: str, originals: Iterable[str]) -> str | None:
    """Return which of *originals* is *path* or may have been rotated to there."""
    folder, name = os.path.split(path)
    here = {os.path.basename(path) for path in originals if os.path.dirname(path) == folder}
    found = name if name in here else original_of(name, here)
    return None if found is None else os.path.join(folder, found)
