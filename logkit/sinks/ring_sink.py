"""The sink of a bot in production: no log call waits, and the lines survive the process."""

from __future__ import annotations

import time
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Literal

from logkit.sinks.direct import write_now
from logkit.sinks.processes import close_with_worker
from logkit.sinks.ring import HEAD_WORD, HEADER_BYTES, TAIL_WORD
from logkit.sinks.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Callable
    from mmap import mmap

    from logkit.counters import Counters
    from logkit.sinks.outputs import Output
    from logkit.sinks.ring import Ring
    from logkit.sinks.ring_files import RingFile

_URGENT_LEVELS = frozenset({"error", "critical"})
_RESERVED_SHARE = 8
_FLUSH_POLL_S = 0.001
_CLOSE_TIMEOUT_S = 5.0


class RingSink:
    """A log call copies its line into a ring in shared memory; a thread writes it out.

    No call waits for the output. When the ring is full, lines are dropped and counted; an eighth
    of it is kept for errors. The ring is made and the thread started with the first line.

    Args:
        output: Where lines end.
        counters: What became of them.
        create_ring: Makes a ring for this process.
        recover: Writes out what dead processes have left, to the given output.
        report: Renders the event that tells what became of the events, given its level.
        stats_interval_s: Seconds between such events while nothing is lost; 0 for none.
    """

    _memory: mmap
    _words: memoryview[int]

    def __init__(
        self,
        output: Output,
        counters: Counters,
        *,
        create_ring: Callable[[], RingFile],
        recover: Callable[[Output], None],
        report: Callable[[str], bytes],
        stats_interval_s: float = 0,
    ) -> None:
        self._output = output
        self._counters = counters
        self._create_ring = create_ring
        self._recover_to = recover
        self._render_report = report
        self._stats_interval_s = stats_interval_s
        self._is_closed = False
        self._ring_file: RingFile | None = None
        self._writer: Writer | None = None
        self._reset()

    def _reset(self) -> None:
        # Reentrant and with a flag: a signal handler that logs in the middle of a log call finds
        # the lock open to it and the flag set, and its line waits in _nested.
        self._lock = self._counters.lock
        self._is_busy = False
        self._nested: deque[tuple[bytes, str]] = deque()
        self._is_resting = False
        # Where the ring ends for a plain copy; below zero, each line takes the careful way.
        self._limit = -1
        self._head = self._origin = 0

    def write(self, line: bytes, level: str) -> None:
        """Accept *line* or count it as dropped; never waits for the output."""
        size = len(line)
        with self._lock:
            end = self._head + size
            if end > self._limit or self._is_busy:
                self._write_with_care(line, level)
                return
            self._is_busy = True
            try:
                at = end - self._origin
                self._memory[at - size : at] = line
                self._counters.accepted += 1
                self._words[HEAD_WORD] = self._head = end
            finally:
                self._is_busy = False
            if self._nested:
                self._write_nested()

    def flush(self, timeout: float) -> bool:
        """Wait up to *timeout* seconds until all lines, also those of dead workers, are written."""
        writer = self._writer
        if writer is not None:
            deadline = time.monotonic() + timeout
            with suppress(ValueError):  # another thread closes the ring meanwhile
                return _is_done_by(deadline, writer)
        return not self._counters.snapshot()["pending"]

    def close(self) -> None:
        """Write what is pending, for up to 5 s; what is left then stays for recovery."""
        if self._writer is not None:
            self._writer.stop(_CLOSE_TIMEOUT_S)
        else:
            self._is_closed = True

    def start(self) -> None:
        """Make the ring and start the thread now, so that recovery does not wait for a line."""
        with self._lock:
            self._start()

    def become_child(self) -> None:
        """Leave the parent's ring alone; the child's first line makes one of its own."""
        parents, self._ring_file, self._writer = self._ring_file, None, None
        self._reset()
        if parents is not None:
            parents.close()
        self._output.forget()

    def recover(self) -> None:
        """Write out what dead processes have left, and stay known as alive."""
        if self._ring_file is not None:
            self._ring_file.keep()
        self._recover_to(self._output)

    def report(self, level: Literal["warning", "info"]) -> None:
        """Log the event that tells what became of the events."""
        self.write(self._render_report(level), level)

    def rest(self) -> bool:
        """Return whether the ring is empty; if so, the next line will wake the writer."""
        # Whoever holds the lock may be a signal handler that waits for the writer in flush().
        if not self._lock.acquire(blocking=False):
            return False
        try:
            if self._ring_file is not None and not self._ring_file.ring.used:
                self._is_resting, self._limit = True, -1
            return self._is_resting
        finally:
            self._lock.release()

    def release(self, *, is_last: bool) -> bool:
        """Close ring and output, unless there are new lines and this was not the last try."""
        with self._lock:
            if self._ring_file is not None:
                if self._ring_file.ring.used and not is_last:
                    return False
                self._ring_file.put_away()
            self._ring_file = self._writer = None
            self._is_closed, self._limit = True, -1
            self._output.close()
            return True

    def _write_with_care(self, line: bytes, level: str) -> None:
        """Write where the ring is full, at its end, not there yet, or in use by this thread."""
        if self._is_busy:
            self._nested.append((line, level))
            return
        self._is_busy = True
        try:
            self._counters.accepted += 1
            if self._ring_file is None:
                self._start()
            self._push(line, level)
        finally:
            self._is_busy = False
        self._write_nested()

    def _write_nested(self) -> None:
        while self._nested:
            self.write(*self._nested.popleft())

    def _start(self) -> None:
        """Make the ring and start its writer; where that is impossible, lines go out directly."""
        if self._is_closed or self._ring_file is not None:
            return
        try:
            self._ring_file = self._create_ring()
            ring = self._ring_file.ring
            self._writer = Writer(ring, self._output, self._counters, self, self._stats_interval_s)
            self._writer.start()
        except (OSError, RuntimeError):  # no memory, no thread
            self.release(is_last=True)
            return
        self._memory, self._words = ring.memory, ring.words
        close_with_worker(self.close)

    def _push(self, line: bytes, level: str) -> None:
        counters = self._counters
        if self._ring_file is None:
            write_now(self._output, counters, line, level)
            return
        ring = self._ring_file.ring
        reserved = ring.capacity // _RESERVED_SHARE
        room = ring.capacity - ring.used - (0 if level in _URGENT_LEVELS else reserved)
        if len(line) <= room:
            ring.push(line)
        else:
            counters.dropped_by_level[level] += 1
        self._aim(ring, reserved)

    def _aim(self, ring: Ring, reserved: int) -> None:
        """Note how far lines may be copied without care."""
        self._head = self._words[HEAD_WORD]
        lap = self._head - self._head % ring.capacity
        self._origin = lap - HEADER_BYTES
        self._limit = min(lap, self._words[TAIL_WORD] - reserved) + ring.capacity
        if self._is_resting and self._writer is not None:
            self._is_resting = False
            self._writer.wake()


def _is_done_by(deadline: float, writer: Writer) -> bool:
    ticket = writer.request()
    while not writer.has_done(ticket):
        if time.monotonic() >= deadline:
            return False
        time.sleep(_FLUSH_POLL_S)
    return True
