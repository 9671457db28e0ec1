"""Files that a test writes, and somebody who watches them in the same process."""

from __future__ import annotations

import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import orjson
from logkit_analysis.live.files import LiveFiles
from logkit_analysis.live.filters import Selection
from logkit_analysis.parsers.chunk_parser import ChunkParser
from logkit_analysis.sources.pace import Pace
from logkit_analysis.stopping import StopSignal

from tests.e2e.following import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from logkit_analysis.live.event import LiveEvent

ALL = Selection()
START = datetime(2026, 3, 19, 12, tzinfo=UTC)
PACE = Pace().times(0.02)


def line(
    number: int,
    *,
    level: str = "info",
    pad: int = 0,
    name: str = "bot",
    second: float | None = None,
) -> bytes:
    """Return the event that is written so many seconds after the start, by default *number*."""
    at = START + timedelta(seconds=number if second is None else second)
    event = {"timestamp": at, "level": level, "service": name, "event": "counted", "seq": number}
    return orjson.dumps(event | ({"pad": "x" * pad} if pad else {})) + b"\n"


def numbers(events: Sequence[LiveEvent]) -> list[int]:
    """Return the numbers of the lines that *events* are, -1 for those that have none."""
    return [event.columns.get("seq", -1) for event in events]


class Viewer:
    """Somebody who watches."""

    def __init__(self, files: LiveFiles, said: list[str]) -> None:
        self.files = files
        self.said = said
        self.seen: list[LiveEvent] = []

    def last(self, count: int, selection: Selection = ALL) -> list[LiveEvent]:
        """Return the last *count* lines that there were."""
        return [
            event
            for part in self.files.backlog(selection, count=count, since=None)
            for event in part
        ]

    def since(self, number: int, selection: Selection = ALL, count: int | None = None) -> list[int]:
        """Return what there was from the time of line *number* on, lines without a time apart."""
        at = START + timedelta(seconds=number)
        parts = self.files.backlog(selection, count=count, since=at)
        return numbers([event for part in parts for event in part if event.at is not None])

    def look(self, selection: Selection = ALL) -> list[LiveEvent]:
        """Look once."""
        self.seen += self.files.poll(selection)
        return self.seen

    def until(self, is_met: Callable[[], object], selection: Selection = ALL) -> None:
        """Look until it is met."""

        def is_met_now() -> bool:
            self.look(selection)
            return bool(is_met())

        wait_until(is_met_now, f"it is met, {len(self.seen)} lines seen")

    def until_quiet(self, selection: Selection = ALL) -> list[int]:
        """Look until nothing has come for longer than any wait; return the numbers of all lines."""
        quiet_since, count = time.monotonic(), len(self.seen)
        while time.monotonic() - quiet_since < 2 * PACE.settle_s:
            if len(self.look(selection)) > count:
                quiet_since, count = time.monotonic(), len(self.seen)
            time.sleep(PACE.poll_interval_s)
        return numbers(self.seen)

    def await_lines(self, count: int) -> list[int]:
        """Look until *count* lines were seen in all; return their numbers."""
        stop = StopSignal()

        def is_enough() -> bool:
            self.look()
            self.files.wait(stop)
            return len(self.seen) >= count

        wait_until(is_enough, f"{count} lines seen, only {len(self.seen)}")
        return numbers(self.seen)


@contextmanager
def viewing(*paths: Path | str, pace: Pace = PACE) -> Iterator[Viewer]:
    """Watch *paths*."""
    said: list[str] = []
    arguments = [str(path) for path in paths]
    parser = ChunkParser(UTC)
    with LiveFiles(arguments, parser=parser, pace=pace, say=said.append) as files:
        yield Viewer(files, said)


def append(path: Path, *lines: bytes) -> None:
    """Write *lines* at the end of *path*."""
    with path.open("ab") as file:
        file.writelines(lines)
