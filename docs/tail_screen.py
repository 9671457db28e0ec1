"""The full screen of ``logkit tail`` as the sample incident would have shown it, as a picture."""

from __future__ import annotations

import asyncio
import re
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pyarrow as pa
from logkit_analysis.live.feed import Feed
from logkit_analysis.live.files import LiveFiles
from logkit_analysis.live.filters import Selection
from logkit_analysis.live.rates import WINDOW_S, Rates
from logkit_analysis.live.screen.app import TailApp
from logkit_analysis.live.screen.bars import Figures
from logkit_analysis.parsers.chunk_parser import ChunkParser
from logkit_analysis.sources.pace import Pace

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from logkit_analysis.live.event import LiveEvent
    from logkit_analysis.stopping import StopSignal

# The storm of the sample began twenty seconds before.
PAUSED_AT = datetime(2026, 3, 19, 11, 25, 30, tzinfo=UTC)
SHOWN_AT = PAUSED_AT + timedelta(seconds=30)
COLUMNS, ROWS = 108, 24
_COUNTED = ("level", "endpoint", "command", "status_code", "duration_ms")
# Fonts from elsewhere: a picture is made without a network.
_FONTS = re.compile(r"@font-face \{.*?\}", re.DOTALL)


@dataclass(slots=True)
class Replay:
    """A source of events that were written up to some moment; then, once asked, of later ones."""

    before: Sequence[LiveEvent]
    after: Sequence[LiveEvent]
    is_asked: threading.Event = field(default_factory=threading.Event)

    def first(self) -> Sequence[LiveEvent]:
        """Return what was written before."""
        return self.before

    def next(self) -> Sequence[LiveEvent]:
        """Return what was written after, once."""
        if not self.is_asked.is_set():
            return ()
        after, self.after = self.after, ()
        return after

    def wait(self, wake: StopSignal) -> None:
        """Wait for a moment."""
        wake.wait(0.01)


def tail_svg(logs: Path) -> str:
    """Return the picture of *logs*, the folder of the sample, paused while a storm blows."""
    with LiveFiles(
        [str(logs)], parser=ChunkParser(ZoneInfo("UTC")), pace=Pace(), say=lambda _: None
    ) as files:
        since = PAUSED_AT - timedelta(minutes=5)
        parts = files.backlog(Selection(), count=None, since=since)
        events = [one for part in parts for one in part if one.at and one.at < SHOWN_AT]
    before = [one for one in events if one.at and one.at < PAUSED_AT]
    return asyncio.run(_shown(Replay(before, events[len(before) :]), _figures(events, logs)))


def _figures(events: Sequence[LiveEvent], logs: Path) -> Figures:
    """Return what the status line would have told, by the clock of the log."""
    rates = Rates(SHOWN_AT.timestamp() - WINDOW_S)
    for event in events:
        row = {name: [event.columns.get(name)] for name in _COUNTED if name in event.columns}
        if event.at is not None:
            rates.add(pa.table(row or {"level": [None]}), event.at.timestamp())
    names = sorted(f"{logs.name}/{path.name}" for path in logs.glob("*.log"))
    return Figures(rates.status(SHOWN_AT.timestamp()), names)


async def _shown(source: Replay, figures: Figures) -> str:
    feed = Feed(source)
    app = TailApp(feed, figures=lambda: figures, selected="", level=None, zone=ZoneInfo("UTC"))
    async with app.run_test(size=(COLUMNS, ROWS)) as pilot:
        while not app.pane.reading.history:
            await pilot.pause(0.01)
        await pilot.press(*["up"] * 6)
        source.is_asked.set()
        while not app.pane.reading.new_count:
            await pilot.pause(0.01)
        await pilot.pause()
        svg = app.export_screenshot(title="logkit tail demo/")
    feed.stop()
    return _FONTS.sub("", svg)
