"""The options that several commands share, declared once."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from logkit_analysis.time_window import TimeError, parse_zone

DEFAULT_DATABASE = Path("logkit.duckdb")


class Format(StrEnum):
    """How rows are written."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"
    MARKDOWN = "markdown"
    PARQUET = "parquet"


# Whether the file can be read is told by the store, which knows whose it is.
DatabaseOption = Annotated[
    Path, typer.Option("--db", metavar="FILE", readable=False, help="The database file.")
]


def _check_zone(name: str) -> str:
    """Refuse a zone that there is not while it is known which option or setting named it."""
    try:
        parse_zone(name)
    except TimeError as error:
        raise typer.BadParameter(str(error)) from error
    return name


TimeZoneOption = Annotated[
    str,
    typer.Option(
        "--tz", metavar="ZONE", callback=_check_zone, help="Zone of times given and shown."
    ),
]
LogZoneOption = Annotated[
    str,
    typer.Option(
        "--tz", metavar="ZONE", callback=_check_zone, help="Zone of times that name none."
    ),
]
MaxLineBytesOption = Annotated[
    int,
    typer.Option(
        "--max-line-bytes", metavar="N", min=1, help="A longer line goes to quarantine, whole."
    ),
]
FormatOption = Annotated[
    Format | None,
    typer.Option("--format", help="How rows are written; by default as --output's suffix says."),
]
ReportFormatOption = Annotated[
    Format,
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
        "--since", metavar="TIME", help="Start: 2h (ago), 14:00, yesterday, 2025-01-31T14:00."
    ),
]
UntilOption = Annotated[
    str | None, typer.Option("--until", metavar="TIME", help="End, exclusive: like --since.")
]
LastOption = Annotated[
    str | None,
    typer.Option(
        "--last", metavar="DURATION", help="The last 15m, 1h, 2d before the newest event."
    ),
]
AroundOption = Annotated[
    str | None, typer.Option("--around", metavar="TIME", help="Middle of the window.")
]
WindowOption = Annotated[
    str | None,
    typer.Option("--window", metavar="DURATION", help="--around plus and minus this (15m)."),
]
