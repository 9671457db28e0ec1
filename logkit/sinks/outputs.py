"""Where bytes end; files and streams have modules of their own."""

from __future__ import annotations

import os
import sys
from typing import Protocol


class Output(Protocol):
    """What takes whole lines. One thread uses it.

    Attributes:
        batch_bytes: Most bytes that are worth handing over at once.
        place: What a person calls it.
    """

    batch_bytes: int
    place: str

    def append(self, lines: bytes) -> int:
        """Write *lines*, which end with a newline, or the first of them.

        Returns:
            Bytes of the whole lines that are out; 0 means that the output cannot take any now.
            The next call starts with the lines that are left.

        Raises:
            OSError: None of them could be written.
        """

    def close(self) -> None:
        """Release the file; a later ``append`` opens it again."""

    def forget(self) -> None:
        """In a forked child: let go of what is the parent's, without disturbing it."""


class NotReadyError(OSError):
    """Nobody reads at the other end yet; no fault, and worth trying again."""


class GoneError(OSError):
    """The other end is closed for good; what is still to be written has nowhere to go."""


class StandardOutput:
    """The process's standard output, or what stands in for it, as it is at each write."""

    batch_bytes = 65_536
    place = "standard output"

    def append(self, lines: bytes) -> int:
        """Write *lines*, waiting until standard output has taken all of them."""
        stream = sys.stdout
        if stream is None:
            raise OSError("this process has no standard output")
        try:
            descriptor = stream.fileno()
        except (OSError, ValueError, AttributeError):
            stream.write(lines.decode())
            return len(lines)
        written = 0
        while written < len(lines):
            written += os.write(descriptor, lines[written:])
        return written

    def close(self) -> None:
        """Leave standard output open: it belongs to the process."""

    forget = close
