"""The sink that writes in the log call itself: for terminals, and where there are no threads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logkit.redaction import redact

if TYPE_CHECKING:
    from logkit.counters import Counters
    from logkit.sinks.outputs import Output


class DirectSink:
    """Each line goes to the output in the call that logs it."""

    def __init__(self, output: Output, counters: Counters) -> None:
        self._output = output
        self._counters = counters

    def write(self, line: bytes, level: str) -> None:
        """Write *line* now; if the output refuses it, count it as dropped."""
        counters = self._counters
        with counters.lock:
            counters.accepted += 1
            write_now(self._output, counters, line, level)

    def flush(self, timeout: float) -> bool:  # noqa: ARG002 - part of the protocol
        """Return ``True``: nothing is ever pending."""
        return True

    def close(self) -> None:
        """Close the output."""
        with self._counters.lock:
            self._output.close()

    def become_child(self) -> None:
        """Go on: a process and its child may append to the same output."""


def write_now(output: Output, counters: Counters, line: bytes, level: str) -> None:
    """Write *line*; if the output refuses it, count it as dropped."""
    line, redacted = redact(line)
    try:
        is_written = output.append(line) == len(line)
    except (OSError, ValueError):
        is_written = False
    if is_written:
        counters.written += 1
        counters.redacted += redacted
    else:
        counters.dropped_by_level[level] += 1
