"""How much of a file is not consumed."""

from __future__ import annotations

import stat
from contextlib import suppress
from pathlib import Path

from logkit_analysis.sources.compression import MAGIC_BYTES, detect
from logkit_analysis.sources.discovery import path_named
from logkit_analysis.streams import FileKey


def lag_bytes(path: str, key: FileKey, position: int) -> int | None:
    """Return how many bytes a plain file has behind *position*.

    ``None`` where the file is gone, has become another one or shorter, or is compressed.

    Args:
        path: Where it was last seen, as text.
        key: Which file it was.
        position: Up to where it is consumed.
    """
    place = Path(path_named(path))
    with suppress(OSError):
        status = place.stat()
        is_same = FileKey(status.st_dev, status.st_ino) == key and stat.S_ISREG(status.st_mode)
        if is_same and status.st_size >= position:
            with place.open("rb") as file:
                is_plain = detect(file.read(MAGIC_BYTES)) == "none"
            return status.st_size - position if is_plain else None
    return None
