"""``logkit ingest``: what is new in some files, into the store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from logkit_analysis.cli import notes
from logkit_analysis.cli.log_formats import AUTO, FORMAT_OPTION, own_formats, say_choices
from logkit_analysis.cli.options import (
    DEFAULT_DATABASE,
    DatabaseOption,
    LogZoneOption,
    MaxLineBytesOption,
)
from logkit_analysis.errors import ExitCode
from logkit_analysis.parsers.line_limit import MAX_LINE_BYTES

if TYPE_CHECKING:
    from logkit_analysis.intake import IngestReport

EPILOG = """\b
Examples:
  logkit ingest logs/                   *.log*, *.jsonl*, also compressed
  logkit ingest bot.log 'old/*.log.gz'  files and globs
  kubectl logs bot | logkit ingest -    standard input
  logkit ingest app.log --tz Europe/Berlin
  logkit ingest access.log --format apache

Run it again at any time: of files it reads only what is new. JSON lines of all loggers and
the text logs of Python, discord.py, web servers, containers and syslog are told by their
content. A line that fits nothing is kept with the reason: logkit rejects."""


def ingest(
    paths: Annotated[
        list[str], typer.Argument(metavar="PATH...", help="Files, folders, globs, or -.")
    ],
    db: DatabaseOption = DEFAULT_DATABASE,
    tz: LogZoneOption = "UTC",
    log_format: Annotated[str, FORMAT_OPTION] = AUTO,
    max_line_bytes: MaxLineBytesOption = MAX_LINE_BYTES,
) -> None:
    """Read what is new in log files into the database."""
    from logkit_analysis.cli.progress import ByteProgress
    from logkit_analysis.ingest import ingest as run
    from logkit_analysis.time_window import parse_zone

    with ByteProgress() as progress:
        report = run(
            db,
            paths,
            zone=parse_zone(tz),
            progress=progress,
            on_wait=notes.note,
            only_format=None if log_format == AUTO else log_format,
            own_formats=own_formats(),
            max_line_bytes=max_line_bytes,
        )
    _say(report)
    if report.damaged:
        raise typer.Exit(ExitCode.FAILURE)


def _say(report: IngestReport) -> None:
    say_choices(report.choices)
    rate = f", {report.rows / report.seconds:,.0f} rows/s" if report.seconds > 1 else ""
    notes.note(
        f"{report.rows:,} new rows from {_count(report.files, 'file')} "
        f"({report.bytes / 1e6:,.1f} MB) in {report.seconds:.1f} s{rate}"
    )
    if report.rejects:
        kinds = ", ".join(f"{count:,} {kind}" for kind, count in report.rejects.most_common())
        notes.note(f"{_count(report.rejects.total(), 'line')} rejected ({kinds}): logkit rejects")
    for path in report.unfinished:
        notes.note(f"{path}: the last line is unfinished; the next run looks at it again")
    for path, reason in report.damaged:
        notes.error(f"{path}: damaged or incomplete: {reason}", hint="what came before is stored")


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + "s" * (number != 1)
