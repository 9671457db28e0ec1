"""Tail sampling: mild events are kept in memory until their correlation turns out to fail."""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from logkit.counters import Counters

_MAX_BYTES = 4_194_304
_MAX_EVENTS = 200
_MAX_FAILED = 1_024

_Line = tuple[bytes, str]


class Tail:
    """Lines that nobody wants unless an error follows them, by correlation id.

    At most 200 lines of a correlation are kept, the newest, and 4 MiB of all; the correlation that
    has been silent for longest goes first.

    Args:
        counters: Where lines that were given up are counted.
        write: Writes a line, given it and its level.
        max_bytes: Bytes of lines that are kept.
    """

    def __init__(
        self,
        counters: Counters,
        write: Callable[[bytes, str], None],
        *,
        max_bytes: int = _MAX_BYTES,
    ) -> None:
        self._counters = counters
        self._write = write
        self._max_bytes = max_bytes
        self.become_child()

    def become_child(self) -> None:
        """Start anew: what a forked child has inherited is the parent's."""
        self._kept: OrderedDict[str, deque[_Line]] = OrderedDict()
        self._kept_bytes = 0
        self._failed: OrderedDict[str, None] = OrderedDict()

    def has_failed(self, correlation_id: str) -> bool:
        """Return whether an error of that correlation was logged lately."""
        return correlation_id in self._failed

    def keep(self, correlation_id: str, line: bytes, level: str) -> None:
        """Keep *line* until its correlation fails or there is no more room."""
        with self._counters.lock:
            lines = self._kept.setdefault(correlation_id, deque())
            self._kept.move_to_end(correlation_id)
            lines.append((line, level))
            self._kept_bytes += len(line)
            if len(lines) > _MAX_EVENTS:
                self._kept_bytes -= len(lines.popleft()[0])
                self._counters.sampled_out += 1
            while self._kept_bytes > self._max_bytes:
                self._counters.sampled_out += len(self._take(next(iter(self._kept))))

    def fail(self, correlation_id: str) -> None:
        """Write what was kept of a correlation; what it logs from now on is written at once."""
        with self._counters.lock:
            self._failed[correlation_id] = None
            if len(self._failed) > _MAX_FAILED:
                self._failed.popitem(last=False)
            lines = self._take(correlation_id)
        for line, level in lines:
            self._write(line, level)

    def _take(self, correlation_id: str) -> deque[_Line]:
        lines = self._kept.pop(correlation_id, deque[_Line]())
        self._kept_bytes -= sum(len(line) for line, _ in lines)
        return lines
