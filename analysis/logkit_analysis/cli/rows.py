"""Rows out: the format that was asked for, to stdout or to a file."""

from __future__ import annotations

import os
import shutil
from functools import partial
from typing import IO, TYPE_CHECKING

from logkit_analysis.cli import output
from logkit_analysis.cli.options import Format
from logkit_analysis.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from zoneinfo import ZoneInfo

    from logkit_analysis.results import ResultSet

_SUFFIXES = {
    ".json": Format.JSON,
    ".jsonl": Format.JSONL,
    ".ndjson": Format.JSONL,
    ".csv": Format.CSV,
    ".md": Format.MARKDOWN,
    ".parquet": Format.PARQUET,
}


def choose_format(asked: Format | None, path: Path | None) -> Format:
    """Return the format asked for, else the one of *path*'s suffix, else a table.

    Raises:
        UsageError: Parquet would go to a terminal.
    """
    suffix = path.suffix.lower() if path is not None else ""
    chosen = asked or _SUFFIXES.get(suffix, Format.TABLE)
    if chosen is Format.PARQUET and path is None and output.is_terminal():
        raise UsageError("Parquet does not go to a terminal; add --output FILE")
    return chosen


def wants_json(asked: Format) -> bool:
    """Return whether a report is asked for as JSON instead of text.

    Raises:
        UsageError: It is asked for in a format of rows.
    """
    if asked not in (Format.TABLE, Format.JSON):
        raise UsageError(f"--format {asked}: this is no table of rows; write --format json")
    return asked is Format.JSON


def write_rows(result: ResultSet, chosen: Format, path: Path | None, zone: ZoneInfo) -> None:
    """Write *result* to *path*, which appears when it is whole, or to stdout."""
    write = _writer(chosen, zone, is_terminal=path is None and output.is_terminal())
    with output.destination(path) as stream:
        write(result, stream)


def _writer(
    chosen: Format, zone: ZoneInfo, *, is_terminal: bool
) -> Callable[[ResultSet, IO[bytes]], None]:
    match chosen:
        case Format.JSON | Format.JSONL:
            from logkit_analysis.renderers import json_text

            return json_text.write_json if chosen is Format.JSON else json_text.write_jsonl
        case Format.CSV:
            from logkit_analysis.renderers.csv_text import write_csv

            return partial(write_csv, zone=zone)
        case Format.MARKDOWN:
            from logkit_analysis.renderers.markdown import write_markdown

            return partial(write_markdown, zone=zone)
        case Format.PARQUET:
            from logkit_analysis.renderers.parquet import write_parquet

            return write_parquet
        case Format.TABLE:
            from logkit_analysis.renderers.table import write_table

            width = shutil.get_terminal_size(fallback=(80, 24)).columns
            is_bold = is_terminal and not os.environ.get("NO_COLOR")
            return partial(write_table, zone=zone, width=width, is_bold=is_bold)
