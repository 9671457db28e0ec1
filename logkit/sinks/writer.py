"""The thread that moves lines from the ring to the output."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from math import inf
from typing import TYPE_CHECKING, Literal, Protocol

from logkit.redaction import redact
from logkit.sinks.notices import Notices
from logkit.sinks.outputs import GoneError, NotReadyError
from logkit.sinks.reports import Reports

if TYPE_CHECKING:
    from logkit.counters import Counters
    from logkit.sinks.outputs import Output
    from logkit.sinks.ring import Ring

_POLL_S = 0.02
_RETRY_S = 0.25
_QUIET_S = 1.0
_PATIENCE_S = 2.0
_RECOVERY_S = 60.0
_RECOVERY_RETRY_S = 1.0


class Front(Protocol):
    """The side of the ring where lines come in."""

    def recover(self) -> None:
        """Write out what dead processes have left; called at the start and each minute."""

    def report(self, level: Literal["warning", "info"]) -> None:
        """Log ``logkit_stats``."""

    def rest(self) -> bool:
        """Return whether the ring is empty; if so, the next line will wake the writer."""

    def release(self, *, is_last: bool) -> bool:
        """Close ring and output, unless there are new lines and this was not the last try."""


class Writer:
    """Drains the ring in batches, as long as the output takes them.

    No log call waits for it: while lines come in it looks at the ring every 20 ms, and only after
    a second of silence it has to be woken.
    """

    def __init__(
        self, ring: Ring, output: Output, counters: Counters, front: Front, stats_interval_s: float
    ) -> None:
        self._ring = ring
        self._output = output
        self._counters = counters
        self._front = front
        self._bell = threading.Lock()
        self._bell.acquire()
        self._deadline: float | None = None
        self._is_failing = False
        self._waiting_since = inf
        self._notices = Notices(output.place)
        self._next_recovery = 0.0
        self._reports = Reports(counters, front.report, stats_interval_s)
        self._passes_wanted = 1
        self._passes_made = 0
        self.thread = threading.Thread(target=self._run, name="logkit-writer", daemon=True)

    def start(self) -> None:
        """Start the thread.

        Raises:
            RuntimeError: There can be no more threads.
        """
        self.thread.start()

    def wake(self) -> None:
        """Make the thread look at the ring now. Safe in a signal handler."""
        with suppress(RuntimeError):  # it rings already
            self._bell.release()

    def request(self) -> tuple[int, int]:
        """Have the thread write all there is and look for dead processes' rings.

        Returns:
            A ticket for ``has_done``.
        """
        self._passes_wanted += 1
        ticket = self._passes_wanted, self._ring.head
        self.wake()
        return ticket

    def has_done(self, ticket: tuple[int, int]) -> bool:
        """Return whether what was requested is done."""
        passes, head = ticket
        return self._passes_made >= passes and self._ring.tail >= head

    def stop(self, timeout: float) -> bool:
        """Let the thread finish, for at most *timeout* seconds; return whether it has ended.

        It ends when the ring is empty and workers that died are seen to, or when the output fails
        or has taken nothing for 2 s.
        """
        self._reports.hasten()
        self._deadline = time.monotonic() + timeout
        self._passes_wanted += 1
        self.wake()
        while self.thread.is_alive() and not self._is_overdue(time.monotonic()):
            self.thread.join(_RETRY_S)
            if time.monotonic() - self._waiting_since > _PATIENCE_S:
                self._deadline = time.monotonic()
        self.thread.join(_RETRY_S)
        return not self.thread.is_alive()

    def _run(self) -> None:
        busy_at = time.monotonic()
        while True:
            try:
                has_written = self._work()
            except Exception as error:  # noqa: BLE001 - the thread is the edge; it goes on
                has_written = False
                self._refuse(error)
            now = time.monotonic()
            if has_written:
                busy_at = now
            if self._is_finished(now) and self._front.release(is_last=self._is_hopeless(now)):
                break
            self._wait(now - busy_at)

    def _work(self) -> bool:
        now = time.monotonic()
        if now >= self._next_recovery or self._passes_made < self._passes_wanted:
            self._next_recovery = now + self._recover_others()
        has_written = self._drain()
        if not self._ring.used:
            self._notices.taken(is_last=self._deadline is not None)
        if not self._is_failing:
            self._reports.look(now)
        return has_written

    def _recover_others(self) -> float:
        """Write out what others have left, and return the seconds until the next look."""
        ticket = self._passes_wanted
        try:
            self._front.recover()
        except OSError as error:
            self._counters.write_errors += not isinstance(error, NotReadyError)
            return _RECOVERY_RETRY_S
        else:
            return _RECOVERY_S
        finally:
            self._passes_made = ticket

    def _drain(self) -> bool:
        """Write what is in the ring, as far as the output takes it; return whether it took any."""
        has_written = False
        left = self._ring.used
        while left > 0 and not self._is_overdue(time.monotonic()):
            batch = self._ring.peek(self._output.batch_bytes)
            taken = self._try_append(batch)
            if not taken:
                break
            left -= taken
            has_written = True
        return has_written

    def _try_append(self, batch: bytes) -> int:
        self._waiting_since = min(self._waiting_since, time.monotonic())
        try:
            taken = self._append(batch)
        except GoneError:
            self._is_failing = True
            self._give_up(batch)
            return len(batch)
        except OSError as error:
            self._refuse(error)
            return 0
        if taken:
            self._waiting_since = inf
            self._is_failing = False
            self._counters.written += batch.count(b"\n", 0, taken)
            self._ring.advance(taken)
        return taken

    def _refuse(self, error: Exception) -> None:
        self._is_failing = True
        if not isinstance(error, NotReadyError):
            self._counters.write_errors += 1
            self._notices.refused(error)

    def _append(self, batch: bytes) -> int:
        lines, redacted = redact(batch)
        started = time.perf_counter_ns()
        try:
            taken = self._output.append(lines)
            if redacted:
                is_whole = taken == len(lines)
                self._counters.redacted += redacted if is_whole else redact(batch[:taken])[1]
            return taken
        finally:
            elapsed_ms = (time.perf_counter_ns() - started) / 1e6
            if elapsed_ms > self._counters.slowest_write_ms:
                self._counters.slowest_write_ms = round(elapsed_ms, 3)

    def _give_up(self, batch: bytes) -> None:
        levels = [line.split(b'"', 8)[7].decode() for line in batch.splitlines()]
        with self._counters.lock:
            self._counters.dropped_by_level.update(levels)
        self._ring.advance(len(batch))

    def _is_finished(self, now: float) -> bool:
        if self._deadline is None:
            return False
        if self._is_hopeless(now):
            return True
        return not self._ring.used and self._passes_made == self._passes_wanted

    def _is_hopeless(self, now: float) -> bool:
        return self._is_failing or self._is_overdue(now)

    def _is_overdue(self, now: float) -> bool:
        return self._deadline is not None and now >= self._deadline

    def _wait(self, quiet_s: float) -> None:
        if self._is_failing:
            self._bell.acquire(timeout=_RETRY_S)
        elif quiet_s > _QUIET_S and not self._notices.is_in_trouble and self._front.rest():
            self._bell.acquire(timeout=min(_RECOVERY_S, self._reports.interval_s))
        else:
            self._bell.acquire(timeout=_POLL_S)
