"""``logkit tail``: logs as they grow, for a person who watches."""

from __future__ import annotations

import os
import shutil
import stat
import sys
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.util import find_spec
from typing import IO, TYPE_CHECKING, Annotated

import typer

from logkit_analysis.cli import notes, output
from logkit_analysis.cli.defaults import origin_of
from logkit_analysis.cli.interrupts import stop_on_signals
from logkit_analysis.cli.log_formats import AUTO, LogFormatOption, own_formats
from logkit_analysis.cli.options import SinceOption, TimeZoneOption, check_zone
from logkit_analysis.errors import UsageError
from logkit_analysis.parsers.line_limit import MAX_LINE_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from zoneinfo import ZoneInfo

    from logkit_analysis.live.plain import JsonLines, PlainLines, Source, View
    from logkit_analysis.live.rates import Rates
    from logkit_analysis.parsers.chunk_parser import ChunkParser
    from logkit_analysis.sources.pace import Pace

EPILOG = """\b
Examples:
  logkit tail                          the logs of this folder
  logkit tail bot.log worker.log       both, merged by time
  logkit tail logs/ -l warning         warnings and worse; the rates count all
  logkit tail bot.log -f status_code=429 -f 'endpoint~=messages'
  logkit tail bot.log --where "duration_ms > 1000 and level <> 'debug'"
  logkit tail bot.log --since 10m --tz Europe/Berlin
  logkit tail bot.log --format jsonl | jq .error_message
  kubectl logs -f bot | logkit tail

-f takes fields, other keys of a line (also nested: user.id) and file, the path or name of the
log. key=value compares numbers as numbers; key!=value keeps events without the key too;
key~=part looks for a part in any letter case; key= is a key that is missing or empty, key!= one
that is not. Several -f must all hold. --where takes what stands behind WHERE in logkit sql.

Without PATH it reads standard input if that is a pipe or file, else the logs of this folder.
Ctrl-C or SIGTERM ends with exit code 0. Rotated, truncated and new files are followed."""

_LINES = 50
_TEXT, _JSON_LINES = "text", "jsonl"


def tail(
    context: typer.Context,
    paths: Annotated[
        list[str] | None,
        typer.Argument(metavar="PATH...", help="Files, folders, globs, or -."),
    ] = None,
    lines: Annotated[
        int | None,
        typer.Option(
            "--lines", "-n", metavar="N", min=0, help="Lines to begin with (50; all of --since)."
        ),
    ] = None,
    since: SinceOption = None,
    level: Annotated[
        str | None,
        typer.Option("--level", "-l", metavar="LEVEL", help="Show this level and worse."),
    ] = None,
    filters: Annotated[
        list[str] | None,
        typer.Option(
            "--filter", "-f", metavar="KEY=VALUE", help="Also KEY!=VALUE, KEY~=PART; repeatable."
        ),
    ] = None,
    where: Annotated[
        str | None, typer.Option("--where", metavar="SQL", help="A condition as in logkit sql.")
    ] = None,
    tz: TimeZoneOption = "UTC",
    log_tz: Annotated[
        str | None,
        typer.Option(
            "--log-tz",
            metavar="ZONE",
            callback=check_zone,
            help="Zone of times in logs that name none; that of --tz.",
        ),
    ] = None,
    output_format: Annotated[
        str, typer.Option("--format", metavar="text|jsonl", help="Lines for people, or JSON lines.")
    ] = _TEXT,
    is_plain: Annotated[
        bool, typer.Option("--plain", help="Lines also where a full screen is possible.")
    ] = False,
    log_format: LogFormatOption = AUTO,
    max_line_bytes: Annotated[
        int, typer.Option(metavar="N", min=1, help="A longer line is shown as rejected.")
    ] = MAX_LINE_BYTES,
    pace: Annotated[
        float, typer.Option(hidden=True, min=0.01, help="Factor to all waits, for tests.")
    ] = 1.0,
) -> None:
    """Watch logs as they grow: merged, filtered, with rates."""
    if origin_of(context, "level", "level") == "LOGKIT_LEVEL":
        # That is what the bot writes, not what its operator wants to see.
        level = None
    is_json = _is_json(context, output_format)
    from logkit_analysis.live.filters import Selection
    from logkit_analysis.live.plain import watch
    from logkit_analysis.live.rates import Rates
    from logkit_analysis.parsers.chunk_parser import ChunkParser
    from logkit_analysis.parsers.text.layout import FormatTable
    from logkit_analysis.sources.pace import Pace
    from logkit_analysis.time_window import parse_time, parse_zone

    zone = parse_zone(tz)
    selection = Selection(level, filters or (), where, zone=zone.key)
    parser = ChunkParser(
        parse_zone(log_tz or tz),
        table=FormatTable(own_formats()),
        only_format=None if log_format == AUTO else log_format,
        max_line_bytes=max_line_bytes,
    )
    for text in selection.notes:
        notes.note(text)
    rates = Rates(time.monotonic())
    start = None if since is None else parse_time(since, zone=zone, now=datetime.now(UTC))
    count = lines if lines is not None or start is not None else _LINES
    if not (is_json or is_plain) and _can_move() and find_spec("textual") is None:
        notes.note("a full screen to pause and search: pip install 'botlogkit[tui]'")
    stop = stop_on_signals()
    with output.destination(None) as stream:
        view = _view(stream, zone, is_json=is_json)
        with _source(paths or [], parser, Pace().times(pace), rates, view) as source:
            watch(
                source,
                selection,
                view,
                rates=rates,
                stop=stop,
                count=count,
                since=start,
                is_watched=output.has_reader,
            )


def _is_json(context: typer.Context, name: str) -> bool:
    """Return whether events are written as JSON lines.

    A format of all commands in the settings, which may be one of tables, is none for this one.
    """
    if name in (_TEXT, _JSON_LINES):
        return name == _JSON_LINES
    if origin_of(context, "output_format", "format") is not None:
        return False
    raise UsageError(f"--format {name}: tail writes {_TEXT} or {_JSON_LINES}")


def _view(stream: IO[bytes], zone: ZoneInfo, *, is_json: bool) -> JsonLines | PlainLines:
    """Return how events are shown where stdout leads."""
    from logkit_analysis.live.plain import JsonLines, PlainLines

    if is_json:
        return JsonLines(stream, notes.note)
    return PlainLines(
        stream,
        notes.note,
        zone,
        has_colours=_has_colours(),
        width=_width if output.is_terminal() else None,
        has_status=_can_move(),
    )


def _can_move() -> bool:
    """Return whether stdout is a terminal on which what was written can be replaced."""
    return output.is_terminal() and os.environ.get("TERM", "dumb") != "dumb"


def _has_colours() -> bool:
    """Return whether colours are wanted; see no-color.org and force-color.org."""
    if os.environ.get("NO_COLOR"):
        return False
    return _can_move() or os.environ.get("FORCE_COLOR", "0") not in {"", "0"}


def _width() -> int:
    return shutil.get_terminal_size(fallback=(80, 24)).columns


@contextmanager
def _source(
    paths: Sequence[str], parser: ChunkParser, pace: Pace, rates: Rates, view: View
) -> Iterator[Source]:
    """Open what is watched: files, or standard input."""
    if "-" in paths and len(paths) > 1:
        raise UsageError("- is standard input, which is watched alone")
    if list(paths) == ["-"] or (not paths and _has_input()):
        from logkit_analysis.live.pipe import LivePipe

        yield LivePipe(sys.stdin.fileno(), parser=parser, pace=pace, rates=rates)
        return
    from logkit_analysis.live.files import LiveFiles

    with LiveFiles(paths or ["."], parser=parser, pace=pace, say=view.say, rates=rates) as files:
        yield files


def _has_input() -> bool:
    """Return whether a pipe or a file is our standard input."""
    if sys.stdin is None:
        return False
    mode = os.fstat(sys.stdin.fileno()).st_mode
    return stat.S_ISFIFO(mode) or stat.S_ISREG(mode)
