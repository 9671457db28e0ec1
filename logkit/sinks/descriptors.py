"""Descriptors that the bot may close behind our back, to get a file of its own in their place.

A program that turns into a daemon closes all descriptors there are.
"""

from __future__ import annotations

import os
from contextlib import suppress

FileId = tuple[int, int]
"""Device and inode."""


def file_id(descriptor: int) -> FileId | None:
    """Return which file is open under *descriptor*; ``None`` if none is."""
    if descriptor < 0:
        return None
    try:
        status = os.fstat(descriptor)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def close_if(descriptor: int, expected: FileId | None) -> None:
    """Close *descriptor* if it is still that of the *expected* file."""
    if expected is not None and file_id(descriptor) == expected:
        with suppress(OSError):
            os.close(descriptor)
