"""Some files on a full screen, from the first line to the last key."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING

from logkit_analysis.errors import ExitCode
from logkit_analysis.live.conditions import level_named
from logkit_analysis.live.feed import Feed
from logkit_analysis.live.history import History
from logkit_analysis.live.screen.app import TailApp
from logkit_analysis.live.screen.bars import Figures

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, tzinfo

    from logkit_analysis.live.event import LiveEvent
    from logkit_analysis.live.filters import Selection
    from logkit_analysis.live.plain import Source
    from logkit_analysis.live.rates import Rates
    from logkit_analysis.stopping import StopSignal


@dataclass(slots=True)
class WatchedFiles:
    """Files as the source of a feed.

    Attributes:
        files: What is read.
        selection: Chooses, and hides by level, what is shown of that which is there to begin with.
        counted: Chooses as *selection* does, and hides nothing: levels are hidden by the screen,
            which can show them again. The same as *selection* if that hides nothing.
        rates: Counts what is new.
        count: How many events there are to begin with, ``None`` for all of *since*.
        since: From when on, ``None`` for any time.
        figures: What the status line tells.
    """

    files: Source
    selection: Selection
    counted: Selection
    rates: Rates
    count: int | None
    since: datetime | None
    figures: Figures = field(init=False)

    def __post_init__(self) -> None:
        self._count()

    def first(self) -> Sequence[LiveEvent]:
        """Return what is there already: what is shown, and lines that the level hides until then.

        Of either there are as many as are wanted, so before the oldest hidden line there are only
        lines that are shown.
        """
        shown = self._earlier(self.selection)
        if self.selection is self.counted:
            return shown
        latest = self._earlier(self.counted)
        held = {(event.file, event.offset) for event in latest}
        return [*(one for one in shown if (one.file, one.offset) not in held), *latest]

    def _earlier(self, selection: Selection) -> list[LiveEvent]:
        newest = History()
        parts = self.files.backlog(selection, count=self.count, since=self.since)
        newest.add(chain.from_iterable(parts))
        return list(newest)

    def next(self) -> Sequence[LiveEvent]:
        """Return what is new."""
        events = self.files.poll(self.counted)
        self._count()
        return events

    def wait(self, wake: StopSignal) -> None:
        """Wait until something is new, for a moment at most."""
        self.files.wait(wake)

    def _count(self) -> None:
        status = self.rates.status(time.monotonic())
        self.figures = Figures(status, self.files.names, self.files.lag_bytes)


def show(
    source: WatchedFiles, *, selected: str, level: str | None, zone: tzinfo, notes: Sequence[str]
) -> None:
    """Show *source* until somebody or a signal ends it.

    Args:
        source: What is watched.
        selected: What the command line selects, for people.
        level: The lowest level to begin with.
        zone: Zone of the times.
        notes: What is said about the files; the screen shows what is added to it.

    Raises:
        Exception: Whatever ended it before its time.
    """
    feed = Feed(source)
    app = TailApp(
        feed,
        figures=lambda: source.figures,
        selected=selected,
        level=None if level is None else level_named("--level", level),
        zone=zone,
        notes=notes,
    )
    try:
        app.run(mouse=False)
    finally:
        if not feed.stop():
            # Python would wait at its end for the thread that is still in DuckDB.
            os._exit(ExitCode.OK)
    if error := feed.error or app._exception:
        raise error
