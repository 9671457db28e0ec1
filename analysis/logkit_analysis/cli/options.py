"""The options that several commands share, declared once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from logkit_analysis.time_window import TimeError, parse_duration, parse_time, parse_zone

_UTC = ZoneInfo("UTC")
DEFAULT_DATABASE = Path("logkit.duckdb")


class Format(StrEnum):
    """How rows are written."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"
    MARKDOWN = "markdown"
    PARQUET = "parquet"


class TextFormat(StrEnum):
    """How something is written that is no table of rows."""

    TABLE = "table"
    JSON = "json"


SUFFIXES = {
    ".json": Format.JSON,
    ".jsonl": Format.JSONL,
    ".ndjson": Format.JSONL,
    ".csv": Format.CSV,
    ".md": Format.MARKDOWN,
    ".parquet": Format.PARQUET,
}
"""The format that the name of an output stands for."""


def _unless_typed(context: typer.Context, value: Format | None) -> Format | None:
    """Return the format; one of the settings gives way to what is typed and tells another."""
    source = context.get_parameter_source("output_format")
    if value is None or source is None or source.name != "DEFAULT_MAP":
        return value
    # What is typed is parsed before what is not.
    typed = context.params
    path = typed.get("output") or typed.get("output_path")
    is_named = path is not None and path.suffix.lower() in SUFFIXES
    is_drawn = typed.get("is_plot") or typed.get("column") or typed.get("is_verbatim")
    return None if is_named or is_drawn else value


# Whether the file can be read is told by the store, which knows whose it is.
DatabaseOption = Annotated[
    Path, typer.Option("--db", metavar="FILE", readable=False, help="The database file.")
]


def check_zone(name: str | None) -> str | None:
    """Refuse a zone that there is not while it is known which option or setting named it."""
    return _checked(name, parse_zone)


def _check_time(text: str | None) -> str | None:
    """Refuse what is no time in any zone, for the same reason."""
    return _checked(text, lambda word: parse_time(word, zone=_UTC, now=datetime.now(_UTC)))


def _check_duration(text: str | None) -> str | None:
    """Refuse what is no duration, for the same reason."""
    return _checked(text, parse_duration)


def _checked(text: str | None, parse: Callable[[str], object]) -> str | None:
    try:
        if text is not None:
            parse(text)
    except TimeError as error:
        raise typer.BadParameter(str(error)) from error
    return text


TimeZoneOption = Annotated[
    str,
    typer.Option(
        "--tz", metavar="ZONE", callback=check_zone, help="Zone of times given and shown."
    ),
]
LogZoneOption = Annotated[
    str,
    typer.Option("--tz", metavar="ZONE", callback=check_zone, help="Zone of times that name none."),
]
MaxLineBytesOption = Annotated[
    int,
    typer.Option(
        "--max-line-bytes", metavar="N", min=1, help="A longer line goes to quarantine, whole."
    ),
]
FormatOption = Annotated[
    Format | None,
    typer.Option(
        "--format",
        callback=_unless_typed,
        help="How rows are written; by default as --output's suffix says.",
    ),
]
TextFormatOption = Annotated[
    TextFormat,
    typer.Option("--format", help="Text for people (table) or one JSON object (json)."),
]
OutputOption = Annotated[
    Path | None,
    typer.Option(
        "--output", "-o", metavar="FILE", readable=False, help="Write here instead of stdout."
    ),
]
QueriesOption = Annotated[
    Path | None,
    typer.Option(
        "--queries", metavar="DIR", help="Your own queries; they win over ours of the same name."
    ),
]
SinceOption = Annotated[
    str | None,
    typer.Option(
        "--since",
        metavar="TIME",
        callback=_check_time,
        help="Start: 2h (ago), 14:00, yesterday, 2025-01-31T14:00.",
    ),
]
UntilOption = Annotated[
    str | None,
    typer.Option(
        "--until", metavar="TIME", callback=_check_time, help="End, exclusive: like --since."
    ),
]
LastOption = Annotated[
    str | None,
    typer.Option(
        "--last",
        metavar="DURATION",
        callback=_check_duration,
        help="The last 15m, 1h, 2d before the newest event.",
    ),
]
AroundOption = Annotated[
    str | None,
    typer.Option("--around", metavar="TIME", callback=_check_time, help="Middle of the window."),
]
WindowOption = Annotated[
    str | None,
    typer.Option(
        "--window",
        metavar="DURATION",
        callback=_check_duration,
        help="--around plus and minus this (15m).",
    ),
]
