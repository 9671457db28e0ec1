"""Pipes beside each other, and files beside them, watched as one."""

from __future__ import annotations

import select
import time
from typing import TYPE_CHECKING

from logkit_analysis.live.backlog import merged

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from logkit_analysis.live.event import LiveEvent
    from logkit_analysis.live.files import LiveFiles
    from logkit_analysis.live.filters import Selection
    from logkit_analysis.live.pipe import LivePipe
    from logkit_analysis.sources.pace import Pace
    from logkit_analysis.stopping import StopSignal


class MergedSources:
    """Reads pipes and files as `LiveFiles` reads files, merged by time within a look.

    Args:
        pipes: Open pipes.
        files: Files beside them, if there are any.
        pace: How long to wait for what.
    """

    def __init__(self, pipes: Sequence[LivePipe], files: LiveFiles | None, pace: Pace) -> None:
        self._pipes = pipes
        self._files = files
        self._sources: list[LivePipe | LiveFiles] = [*pipes]
        if files is not None:
            self._sources.append(files)
        self._pace = pace
        self._polled_at = 0.0

    @property
    def names(self) -> list[str]:
        """What is watched, for people."""
        return [name for source in self._sources for name in source.names]

    @property
    def lag_bytes(self) -> int:
        """How many bytes are there and were not read yet, as far as that is known."""
        return sum(source.lag_bytes for source in self._sources)

    @property
    def is_over(self) -> bool:
        """Whether nothing will come any more."""
        return all(source.is_over for source in self._sources)

    def backlog(
        self, selection: Selection, *, count: int | None, since: datetime | None
    ) -> Iterator[Sequence[LiveEvent]]:
        """Yield, in parts, what is there already: only files hold anything."""
        for source in self._sources:
            yield from source.backlog(selection, count=count, since=since)

    def poll(self, selection: Selection) -> list[LiveEvent]:
        """Return what *selection* shows of that which has come since the last call."""
        self._polled_at = time.monotonic()
        return list(merged([source.poll(selection) for source in self._sources]))

    def wait(self, stop: StopSignal) -> None:
        """Wait until there is more in a pipe, or for as long as files may be left alone."""
        pace, files = self._pace, self._files
        if files is not None and files.has_more:
            return
        if not any(pipe.is_busy for pipe in self._pipes):
            # Lines that come one by one are read some at a time.
            next_at = self._polled_at + pace.commit_interval_s / 2
            stop.wait(max(0.0, next_at - time.monotonic()))
        timeout_s = pace.look_interval_s if files is None else pace.poll_interval_s
        pipes = [pipe.fileno() for pipe in self._pipes if not pipe.is_over]
        select.select([*pipes, stop.fileno()], [], [], timeout_s)
