"""Lines that another program writes into our standard input."""

from __future__ import annotations

import os
import time
import tracemalloc
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from logkit_analysis.live.filters import Selection
from logkit_analysis.live.merged_sources import MergedSources
from logkit_analysis.live.pipe import LivePipe
from logkit_analysis.live.rates import Rates
from logkit_analysis.parsers.chunk_parser import ChunkParser
from logkit_analysis.sources.pace import Pace
from logkit_analysis.stopping import StopSignal

if TYPE_CHECKING:
    from collections.abc import Iterator

ALL = Selection()
PACE = Pace().times(0.01)


class Writer:
    """The other end of a pipe."""

    def __init__(self) -> None:
        reader, self._writer = os.pipe()
        self.rates = Rates(time.monotonic())
        parser = ChunkParser(UTC, max_line_bytes=1_000)
        self.pipe = LivePipe(reader, parser=parser, pace=PACE, rates=self.rates)
        self._reader = reader

    def write(self, data: bytes) -> None:
        """Write *data*."""
        os.write(self._writer, data)

    def end(self) -> None:
        """Write no more."""
        if self._writer >= 0:
            os.close(self._writer)
            self._writer = -1

    def clean_up(self) -> None:
        """Close both ends."""
        self.end()
        os.close(self._reader)

    def events(self, selection: Selection = ALL) -> list[tuple[int, str | None]]:
        """Return the offset and the message of what is new."""
        return [(one.offset, one.columns.get("message")) for one in self.pipe.poll(selection)]


@pytest.fixture
def writer() -> Iterator[Writer]:
    """Return a pipe to write into."""
    writer = Writer()
    yield writer
    writer.clean_up()


def test_lines_come_whole(writer: Writer) -> None:
    """A line is shown when its end is there, each once, and the last at the end of the pipe."""
    writer.write(b'{"message":"a"}\n{"mess')
    assert writer.events() == [(0, "a")]
    writer.write(b'age":"b"}\nnot json\n{"message":"c"}')
    assert writer.events() == [(16, "b"), (32, "not json")]
    assert writer.events() == []
    assert not writer.pipe.is_over
    writer.end()
    assert writer.events() == [(41, "c")]
    assert writer.pipe.is_over


def test_a_line_without_end_takes_no_memory(writer: Writer) -> None:
    """Of a line that is too long no more is kept than shows that it is; the next one is whole."""
    tracemalloc.start()
    for _ in range(30):
        writer.write(b"x" * 60_000)
        assert writer.events() == []
    assert tracemalloc.get_traced_memory()[1] < 500_000
    tracemalloc.stop()
    writer.write(b'\n{"message":"after"}\n')
    long, after = writer.pipe.poll(ALL)
    assert str(long.reject_reason).startswith("line_too_long")
    assert (after.offset, after.columns["message"]) == (30 * 60_000 + 1, "after")


def test_a_record_of_several_lines_is_one_event(writer: Writer) -> None:
    """A traceback waits for its end, or for silence, and comes with its line."""
    first = b"2026-01-31 09:00:00,000 ERROR bot: failed\nTraceback (most recent call last):\n"
    writer.write(b"2026-01-31 08:59:59,000 INFO bot: up\n" + first)
    seen = writer.events()
    stop, several = StopSignal(), MergedSources([writer.pipe], None, PACE)
    for _ in range(100):
        several.wait(stop)
        seen += writer.events()
        if len(seen) == 2:
            break
    assert [message for _, message in seen] == ["up", "failed"]


def test_what_was_before_a_time_is_not_shown(writer: Writer) -> None:
    """--since holds for a pipe too."""
    since = datetime(2026, 1, 31, 9, tzinfo=UTC)
    assert list(writer.pipe.backlog(ALL, count=None, since=since)) == []
    writer.write(
        b'{"timestamp":"2026-01-31T08:59:59Z","message":"old"}\n'
        b'{"timestamp":"2026-01-31T09:00:00Z","message":"new"}\n{"message":"whenever"}\n'
    )
    assert [message for _, message in writer.events()] == ["new"]


def test_what_is_hidden_by_its_level_is_counted(writer: Writer) -> None:
    """The rates speak of all that the filters choose, shown or not."""
    writer.write(b'{"level":"info","status":200}\n{"level":"error","status":500}\n[1]\n')
    assert len(writer.pipe.poll(Selection("error"))) == 1
    status = writer.rates.status(time.monotonic())
    assert (status.requests, status.errors, status.rejects) == (2, 1, 1)
