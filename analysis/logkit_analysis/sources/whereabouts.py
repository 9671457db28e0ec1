"""Where the file of a stream is now, and how much of it is not consumed."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Literal

from logkit_analysis.sources.compression import MAGIC_BYTES, detect
from logkit_analysis.sources.discovery import (
    is_glob,
    is_rotation,
    path_named,
    path_text,
    rotated_siblings,
)
from logkit_analysis.streams import FileKey

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """What has become of a file.

    Attributes:
        path: Where it is now, which a rotation may have changed, or was last seen, as text.
        state: ``there``, or ``gone``: deleted, truncated, moved to another folder, or another
            file has its name.
        lag_bytes: Bytes behind the position; ``None`` where it is gone or compressed.
    """

    path: str
    state: Literal["there", "gone"]
    lag_bytes: int | None


def find(path: str, key: FileKey, position: int) -> Whereabouts:
    """Return where a file is.

    Args:
        path: Where it was last seen, as text.
        key: Which file it was.
        position: Up to where it is consumed.
    """
    place = path_named(path)
    for candidate in _candidates(place, key):
        if _holds(candidate, key, position):
            return Whereabouts(path_text(candidate), "there", _lag_bytes(candidate, position))
    return Whereabouts(path, "gone", None)


def named_by(arguments: Sequence[str]) -> Callable[[str], bool]:
    """Return what tells whether a file, by its absolute path as text, is meant by *arguments*.

    Files with their rotated copies, folders and globs; without any argument every file is meant.
    """
    places = [path_text(os.path.abspath(argument)) for argument in arguments]
    globs = [place for place, word in zip(places, arguments, strict=True) if is_glob(word)]

    def is_named(path: str) -> bool:
        return not arguments or any(
            path == place
            or path.startswith(f"{place}{os.sep}")
            or (os.path.dirname(path) == os.path.dirname(place) and is_rotation(path, place))
            or (place in globs and PurePath(path).match(place))
            for place in places
        )

    return is_named


def _candidates(place: str, key: FileKey) -> Iterator[str]:
    """Yield where the file may be; the folder is only searched if *place* is not enough."""
    yield place
    yield from rotated_siblings([place], {key.inode})


def _holds(path: str, key: FileKey, position: int) -> bool:
    with suppress(OSError):
        status = Path(path).stat()
        is_same = FileKey(status.st_dev, status.st_ino) == key and stat.S_ISREG(status.st_mode)
        # That of a compressed file counts the bytes inside, which are more than its own.
        return is_same and (status.st_size >= position or not _is_plain(path))
    return False


def _lag_bytes(path: str, position: int) -> int | None:
    with suppress(OSError):
        return Path(path).stat().st_size - position if _is_plain(path) else None
    return None


def _is_plain(path: str) -> bool:
    with Path(path).open("rb") as file:
        return detect(file.read(MAGIC_BYTES)) == "none"
