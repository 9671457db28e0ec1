"""``logkit tail``: logs as they grow, for a person who watches."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import typer

from logkit_analysis.cli.defaults import origin_of
from logkit_analysis.cli.log_formats import AUTO, LogFormatOption, own_formats
from logkit_analysis.cli.options import SinceOption, TimeZoneOption, check_zone
from logkit_analysis.parsers.line_limit import MAX_LINE_BYTES

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
  logkit tail <(ssh one tail -F bot.log) <(ssh two tail -F bot.log)

-f takes fields, other keys of a line (also nested: user.id) and file, the path or name of the
log. key=value compares numbers as numbers; key!=value keeps events without the key too;
key~=part looks for a part in any letter case; key= is a key that is missing or empty, key!= one
that is not. Several -f must all hold. --where takes what stands behind WHERE in logkit sql.

Without PATH it reads standard input if that is a pipe or file, else the logs of this folder.
Ctrl-C or SIGTERM ends with exit code 0. Rotated, truncated and new files are followed."""


class LineFormat(StrEnum):
    """How events are written."""

    TEXT = "text"
    JSONL = "jsonl"


def tail(
    context: typer.Context,
    paths: Annotated[
        list[str] | None,
        typer.Argument(metavar="PATH...", help="Files, folders, globs, pipes, or -."),
    ] = None,
    lines: Annotated[
        int | None,
        typer.Option(
            "--lines",
            "-n",
            metavar="N",
            min=0,
            help="Lines to begin with (50, a full screen 500; all of --since).",
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
        LineFormat, typer.Option("--format", help="Lines for people, or JSON lines.")
    ] = LineFormat.TEXT,
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
    from logkit_analysis.cli.watching import Request, watch_all
    from logkit_analysis.parsers.chunk_parser import ChunkParser
    from logkit_analysis.parsers.text.layout import FormatTable
    from logkit_analysis.sources.pace import Pace
    from logkit_analysis.time_window import parse_time, parse_zone

    zone = parse_zone(tz)
    start = None if since is None else parse_time(since, zone=zone, now=datetime.now(UTC))
    parser = ChunkParser(
        parse_zone(log_tz or tz),
        table=FormatTable(own_formats()),
        only_format=None if log_format == AUTO else log_format,
        max_line_bytes=max_line_bytes,
    )
    request = Request(
        paths=paths or [],
        level=level,
        conditions=filters or [],
        where=where,
        count=lines,
        since=start,
        zone=zone,
        parser=parser,
        pace=Pace().times(pace),
    )
    watch_all(request, is_json=output_format is LineFormat.JSONL, is_plain=is_plain)
