"""Where ``logkit tail`` shows what: a full screen, a terminal's lines or a pipe."""

from __future__ import annotations

import os
import shlex
import shutil
import stat
import sys
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import IO, TYPE_CHECKING

from logkit_analysis.cli import notes, output
from logkit_analysis.cli.interrupts import stop_on_signals
from logkit_analysis.live.files import LiveFiles
from logkit_analysis.live.filters import Selection
from logkit_analysis.live.merged_sources import MergedSources
from logkit_analysis.live.pipe import LivePipe, is_pipe, opened_pipe
from logkit_analysis.live.plain import JsonLines, PlainLines, watch
from logkit_analysis.live.rates import Rates
from logkit_analysis.sources.discovery import STDIN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from logkit_analysis.live.plain import Source
    from logkit_analysis.parsers.chunk_parser import ChunkParser
    from logkit_analysis.sources.pace import Pace

_LINES = 50
# On a full screen one can go back.
_SCREEN_LINES = 500


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody wants to watch.

    Attributes:
        paths: Files, folders, globs or ``-``.
        level: The lowest level shown.
        conditions: What ``-f`` says.
        where: What ``--where`` says.
        count: How many events to begin with, ``None`` for all of *since*, or as many as suit.
        since: From when on, ``None`` for any time.
        zone: Zone of times given and shown.
        parser: Reads the lines.
        pace: How long to wait for what.
    """

    paths: Sequence[str]
    level: str | None
    conditions: Sequence[str]
    where: str | None
    count: int | None
    since: datetime | None
    zone: ZoneInfo
    parser: ChunkParser
    pace: Pace

    def selection(self, *, has_level: bool = True) -> Selection:
        """Return the filters, with or without the level.

        Raises:
            UsageError: One of them cannot be understood.
        """
        level = self.level if has_level else None
        return Selection(level, self.conditions, self.where, zone=self.zone.key)

    def count_or(self, suitable: int) -> int | None:
        """Return how many events to begin with, *suitable* if nothing was said of it."""
        return suitable if self.count is None and self.since is None else self.count

    @property
    def words(self) -> str:
        """What chooses, as it may have been typed."""
        words = [word for condition in self.conditions for word in ("-f", condition)]
        words += [] if self.where is None else ["--where", self.where]
        return shlex.join(words)


def watch_all(request: Request, *, is_json: bool, is_plain: bool) -> None:
    """Show what *request* asks for, until somebody or the end of a pipe ends it.

    Args:
        request: What is watched.
        is_json: Whether events are written as JSON lines.
        is_plain: Whether lines are wanted where a full screen is possible.

    Raises:
        UsageError: The filters or the paths cannot be understood.
    """
    selection = request.selection()
    if not request.paths:
        request = replace(request, paths=[STDIN if _has_input() else "."])
    if is_json or is_plain or STDIN in request.paths or not _has_keys():
        _show_lines(request, selection, is_json=is_json)
    elif find_spec("textual") is None:
        hint = "a full screen to pause and search: pip install 'botlogkit[tui]'"
        _show_lines(request, selection, is_json=False, hint=hint)
    else:
        _show_screen(request, selection)


def _show_lines(request: Request, selection: Selection, *, is_json: bool, hint: str = "") -> None:
    for text in selection.notes:
        notes.note(text)
    stop = stop_on_signals()
    rates = Rates(time.monotonic())
    with output.destination(None) as stream:
        view = JsonLines(stream, notes.note) if is_json else _lines(stream, request.zone, hint)
        with _source(request, rates, view.say) as source:
            watch(
                source,
                selection,
                view,
                rates=rates,
                stop=stop,
                count=request.count_or(_LINES),
                since=request.since,
                is_watched=output.has_reader,
            )


def _show_screen(request: Request, selection: Selection) -> None:
    from logkit_analysis.live.screen.full_screen import WatchedFiles, show

    rates = Rates(time.monotonic())
    said: list[str] = [*selection.notes]
    with _source(request, rates, said.append) as source:
        watched = WatchedFiles(
            source,
            selection,
            selection if request.level is None else request.selection(has_level=False),
            rates,
            request.count_or(_SCREEN_LINES),
            request.since,
        )
        show(watched, selected=request.words, level=request.level, zone=request.zone, notes=said)


def _lines(stream: IO[bytes], zone: ZoneInfo, hint: str) -> PlainLines:
    """Return lines as suits what stdout is."""
    return PlainLines(
        stream,
        notes.note,
        zone,
        has_colours=_has_colours(),
        width=_width if output.is_terminal() else None,
        has_status=_can_move(),
        hint=hint,
    )


def _can_move() -> bool:
    """Return whether stdout is a terminal on which what was written can be replaced."""
    return output.is_terminal() and os.environ.get("TERM", "dumb") != "dumb"


def _has_keys() -> bool:
    """Return whether somebody can press keys at a full screen."""
    return _can_move() and sys.stdin is not None and sys.stdin.isatty()


def _has_colours() -> bool:
    """Return whether colours are wanted; see no-color.org and force-color.org."""
    if os.environ.get("NO_COLOR"):
        return False
    return _can_move() or os.environ.get("FORCE_COLOR", "0") not in {"", "0"}


def _width() -> int:
    return shutil.get_terminal_size(fallback=(80, 24)).columns


@contextmanager
def _source(request: Request, rates: Rates, say: Callable[[str], None]) -> Iterator[Source]:
    """Open what is watched: pipes, files or both."""
    parser, pace = request.parser, request.pace
    paths = dict.fromkeys(request.paths)
    names = [path for path in paths if is_pipe(path)]
    others = [path for path in paths if path not in names]
    with ExitStack() as stack:
        pipes = [
            LivePipe(
                stack.enter_context(opened_pipe(name)),
                parser=parser,
                pace=pace,
                rates=rates,
                name=name,
            )
            for name in names
        ]
        if not others:
            yield MergedSources(pipes, None, pace)
            return
        files = LiveFiles(others, parser=parser, pace=pace, say=say, rates=rates)
        stack.enter_context(files)
        yield MergedSources(pipes, files, pace) if pipes else files


def _has_input() -> bool:
    """Return whether a pipe or a file is our standard input."""
    if sys.stdin is None:
        return False
    mode = os.fstat(sys.stdin.fileno()).st_mode
    return stat.S_ISFIFO(mode) or stat.S_ISREG(mode)
