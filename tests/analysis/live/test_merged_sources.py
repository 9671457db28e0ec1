"""Pipes beside each other and beside files: standard input, named ones, those of a shell."""

from __future__ import annotations

import os
import time
from contextlib import ExitStack
from datetime import UTC
from typing import TYPE_CHECKING

import pytest
from logkit_analysis.live.files import LiveFiles
from logkit_analysis.live.merged_sources import MergedSources
from logkit_analysis.live.pipe import LivePipe, is_pipe, opened_pipe
from logkit_analysis.live.rates import Rates
from logkit_analysis.parsers.chunk_parser import ChunkParser
from logkit_analysis.sources.discovery import PathUnusableError
from logkit_analysis.stopping import StopSignal

from tests.analysis.live.viewer import ALL, PACE, START, append, line, numbers
from tests.e2e.following import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from logkit_analysis.live.event import LiveEvent


class Watched:
    """Two pipes, the second with a name, and perhaps a file."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        reader, self.writer = os.pipe()
        self.named = folder / "bot.fifo"
        os.mkfifo(self.named)
        self.log = folder / "bot.log"
        parser, rates = ChunkParser(UTC), Rates(time.monotonic())
        self.pipes = [
            LivePipe(stack.enter_context(opened_pipe(path)), parser=parser, pace=PACE, rates=rates)
            for path in (f"/dev/fd/{reader}", str(self.named))
        ]
        os.close(reader)
        append(self.log, line(0))
        self.files = stack.enter_context(
            LiveFiles([str(self.log)], parser=parser, pace=PACE, say=lambda _: None, rates=rates)
        )

    def end(self) -> None:
        """Write no more into the pipe without a name."""
        os.close(self.writer)


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    """Return what can be watched."""
    with ExitStack() as stack:
        yield Watched(tmp_path, stack)


def read(source: MergedSources, count: int) -> list[int]:
    """Return the numbers of the next *count* lines."""
    stop = StopSignal()
    seen: list[LiveEvent] = []

    def is_enough() -> bool:
        seen.extend(source.poll(ALL))
        if len(seen) < count:
            source.wait(stop)
        return len(seen) >= count

    wait_until(is_enough, f"{count} lines come")
    return numbers(seen)


def test_pipes_and_files_are_merged(watched: Watched) -> None:
    """What there was comes from the files alone; what is new, from all by time."""
    source = MergedSources(watched.pipes, watched.files, PACE)
    parts = source.backlog(ALL, count=10, since=None)
    assert [number for part in parts for number in numbers(part)] == [0]
    append(watched.log, line(2), line(4))
    os.write(watched.writer, line(1) + line(5))
    watched.named.write_bytes(line(3) + line(6))
    assert sorted(read(source, 6)) == [1, 2, 3, 4, 5, 6]
    assert len(source.names) == 3
    watched.end()
    source.poll(ALL)
    assert not source.is_over


def test_times_before_the_first_wanted_are_left_out(watched: Watched) -> None:
    """Of pipes as of files."""
    source = MergedSources(watched.pipes, watched.files, PACE)
    list(source.backlog(ALL, count=None, since=START.replace(hour=13)))
    os.write(watched.writer, line(0) + line(3_600) + line(3_601))
    watched.end()
    assert read(source, 2) == [3_600, 3_601]


def test_pipes_are_over_when_all_have_ended(watched: Watched) -> None:
    """One with a name never does: who writes into it comes and goes."""
    unnamed = MergedSources(watched.pipes[:1], None, PACE)
    os.write(watched.writer, line(0))
    watched.end()
    assert read(unnamed, 1) == [0]
    unnamed.poll(ALL)
    assert unnamed.is_over
    named = MergedSources(watched.pipes, None, PACE)
    for number in (1, 2):
        watched.named.write_bytes(line(number))
        assert read(named, 1) == [number]
    assert not named.is_over


def test_what_is_a_pipe(watched: Watched, tmp_path: Path) -> None:
    """Neither a file nor what is missing; one that cannot be opened is named."""
    paths = ("-", watched.named, watched.log, tmp_path, tmp_path / "missing")
    assert [is_pipe(str(path)) for path in paths] == [True, True, False, False, False]
    watched.end()
    with pytest.raises(PathUnusableError, match="missing: No such"), opened_pipe(str(paths[-1])):
        pass
