"""Log lines that another program writes into a pipe, such as our standard input."""

from __future__ import annotations

import fcntl
import os
import select
import stat
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from logkit_analysis.live.sifting import sift
from logkit_analysis.parsers.chunk_parser import StreamParser
from logkit_analysis.sources.discovery import STDIN, PathUnusableError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from logkit_analysis.live.event import LiveEvent
    from logkit_analysis.live.filters import Selection
    from logkit_analysis.live.rates import Rates
    from logkit_analysis.parsers.chunk_parser import ChunkParser
    from logkit_analysis.sources.pace import Pace

# Of one look; enough for many lines, and few enough for a prompt answer to a key.
_MOST_BYTES = 4 * 1024 * 1024
_BLOCK_BYTES = 256 * 1024
# What Linux lets anybody have; many lines at once cost less than one by one.
_PIPE_BYTES = 1024 * 1024
_USUAL_PIPE_BYTES = 64 * 1024


class LivePipe:
    """Reads a pipe as `LiveFiles` reads files; all that comes is new.

    `MergedSources` waits for it.

    Args:
        descriptor: Open for reading.
        parser: Of all streams.
        pace: How long to wait for what.
        rates: Counts what is selected.
        name: What it is called for people.

    Attributes:
        names: What is read, for people.
        lag_bytes: Nothing is known of what is still to come.
        is_over: Whether all was read and nothing will come any more.
        is_busy: Whether so much came at the last look that its writer may have had to wait.
    """

    def __init__(
        self,
        descriptor: int,
        *,
        parser: ChunkParser,
        pace: Pace,
        rates: Rates,
        name: str = STDIN,
    ) -> None:
        self._descriptor = descriptor
        self._stream = StreamParser(parser, None, None)
        self._pace = pace
        self._rates = rates
        self._pending = bytearray()
        self._most_of_line = parser.max_line_bytes + 1
        self._offset = 0
        self._since: datetime | None = None
        self._changed_at = time.monotonic()
        self._is_closed = False
        self._capacity = _grown(descriptor)
        self.is_busy = False
        self.names: Sequence[str] = (name,)
        self.lag_bytes = 0

    def fileno(self) -> int:
        """Return a descriptor that can be read from once there is more."""
        return self._descriptor

    @property
    def is_over(self) -> bool:
        """Whether all was read and nothing will come any more."""
        return self._is_closed and not self._pending

    def backlog(
        self,
        selection: Selection,  # noqa: ARG002 as files have it
        *,
        count: int | None,  # noqa: ARG002
        since: datetime | None,
    ) -> Iterator[Sequence[LiveEvent]]:
        """Yield nothing: of a pipe all lines are new. Those before *since* will not be shown."""
        self._since = since
        return iter(())

    def poll(self, selection: Selection) -> list[LiveEvent]:
        """Return what *selection* shows of that which has come since the last call."""
        self._read()
        data = self._take_records()
        if not data:
            return []
        batch = self._stream.parse(data, self._offset)
        self._offset += len(data)
        events = sift(batch, self.names[0], selection, self._rates, time.monotonic())
        if self._since is None:
            return events
        return [one for one in events if one.at is not None and one.at >= self._since]

    def _read(self) -> None:
        size = 0
        while size < _MOST_BYTES and not self._is_closed and self._has_more():
            block = os.read(self._descriptor, _BLOCK_BYTES)
            self._is_closed = not block
            self._pending += block
            self._forget_rest()
            size += len(block)
        if size:
            self._changed_at = time.monotonic()
        self.is_busy = size >= self._capacity / 4

    def _forget_rest(self) -> None:
        """Keep of a line that is too long only so much as tells that it is: it may never end."""
        too_many = len(self._pending) - self._most_of_line
        if too_many > 0:
            too_many -= self._pending.rfind(b"\n") + 1
        if too_many > 0:
            del self._pending[-too_many:]
            self._offset += too_many

    def _has_more(self) -> bool:
        return bool(select.select([self._descriptor], [], [], 0)[0])

    def _take_records(self) -> bytes:
        """Return the pending bytes that hold whole records, and forget them."""
        end = len(self._pending)
        if not self._is_closed:
            end = self._pending.rfind(b"\n") + 1
        data = bytes(self._pending[:end])
        if data and not self._is_closed:
            is_silent = time.monotonic() - self._changed_at >= self._pace.record_silence_s
            data = data if is_silent else data[: self._stream.settled(data)]
        del self._pending[: len(data)]
        return data


def _grown(descriptor: int) -> int:
    """Make a pipe as large as may be; return how many bytes it holds."""
    with suppress(OSError, AttributeError):
        return fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    return _USUAL_PIPE_BYTES


def is_pipe(path: str) -> bool:
    """Return whether *path* is standard input, a pipe with a name, or ``<(command)`` of a shell."""
    try:
        return path == STDIN or stat.S_ISFIFO(Path(path).stat().st_mode)
    except OSError:
        return False


@contextmanager
def opened_pipe(path: str) -> Iterator[int]:
    """Open a pipe for reading.

    Those who write into a pipe with a name come and go: it has no end.

    Raises:
        PathUnusableError: It cannot be opened.
    """
    if path == STDIN:
        if sys.stdin is None:
            raise PathUnusableError("cannot read standard input: it is closed")
        yield sys.stdin.fileno()
        return
    has_name = os.path.exists(os.path.realpath(path))  # noqa: PTH110 as the kernel sees it
    try:
        # As long as we could write ourselves there is no end.
        descriptor = os.open(path, (os.O_RDWR if has_name else os.O_RDONLY) | os.O_CLOEXEC)
    except OSError as error:
        raise PathUnusableError(f"cannot read {path}: {error.strerror}") from error
    try:
        yield descriptor
    finally:
        os.close(descriptor)
