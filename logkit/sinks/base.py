"""What a sink is: where lines go, and what is accepted is written, pending or dropped."""

from __future__ import annotations

from typing import Protocol


class Sink(Protocol):
    """What takes the lines of all threads. No method raises."""

    def write(self, line: bytes, level: str) -> None:
        """Accept *line*, which ends with a newline, or count it as dropped."""

    def flush(self, timeout: float) -> bool:
        """Wait up to *timeout* seconds; return whether nothing is pending."""

    def close(self) -> None:
        """Write what is pending and release the output."""

    def become_child(self) -> None:
        """In a forked child: leave the parent's lines to the parent and start anew."""
