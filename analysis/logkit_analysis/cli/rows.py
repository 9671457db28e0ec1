"""Rows out: the format that was asked for, to stdout or to a file."""

from __future__ import annotations

import os
import shutil
from functools import partial
from itertools import islice
from typing import IO, TYPE_CHECKING

from logkit_analysis.cli import notes, output
from logkit_analysis.cli.options import SUFFIXES, Format
from logkit_analysis.errors import UsageError
from logkit_analysis.renderers import UNLIMITED
from logkit_analysis.results import ResultSet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from zoneinfo import ZoneInfo

    from logkit_analysis.results import Row

_MOST_ROWS_SHOWN = 1_000
# To count further would keep people waiting for the prompt.
_MOST_ROWS_COUNTED = 200_000


def choose_format(asked: Format | None, path: Path | None) -> Format:
    """Return the format asked for, else the one of *path*'s suffix, else a table.

    Raises:
        UsageError: Parquet would go to a terminal.
    """
    suffix = path.suffix.lower() if path is not None else ""
    chosen = asked or SUFFIXES.get(suffix, Format.TABLE)
    if chosen is Format.PARQUET and path is None and output.is_terminal():
        raise UsageError("Parquet does not go to a terminal; add --output FILE")
    return chosen


def write_rows(
    result: ResultSet,
    chosen: Format,
    path: Path | None,
    zone: ZoneInfo,
    *,
    has_nulls: bool = True,
    width: int = UNLIMITED,
) -> None:
    """Write *result* to *path*, which appears when it is whole, or to stdout.

    A table on a terminal ends after `_MOST_ROWS_SHOWN` rows, and stderr says how to get the rest.

    Args:
        result: The rows.
        chosen: How they are written.
        path: The file, or ``None`` for stdout.
        zone: Zone of times in texts for people.
        has_nulls: Whether JSON lines tell what is NULL.
        width: What a table is fitted into where there is no terminal: by default a row stays a
            line, so that grep finds it whole.
    """
    is_terminal = path is None and output.is_terminal()
    rows = iter(result.rows)
    if is_terminal and chosen is Format.TABLE:
        shown = list(islice(rows, _MOST_ROWS_SHOWN))
        result = ResultSet(result.columns, shown)
        width = shutil.get_terminal_size().columns
    write = _writer(chosen, zone, width, is_terminal=is_terminal, has_nulls=has_nulls)
    with output.destination(path) as stream:
        write(result, stream)
    if is_terminal and chosen is Format.TABLE:
        _tell_rest(rows)


def _tell_rest(rows: Iterator[Row]) -> None:
    """Say on stderr how many rows a table on the terminal left out."""
    left_out = sum(1 for _ in islice(rows, _MOST_ROWS_COUNTED))
    if left_out:
        output.flush()
        more = "more than " if left_out == _MOST_ROWS_COUNTED else ""
        notes.note(
            f"the first {_MOST_ROWS_SHOWN:,} rows; {more}{left_out:,} more are not shown: narrow "
            "the question, or get all with --output FILE.csv or | less"
        )


def _writer(
    chosen: Format, zone: ZoneInfo, width: int, *, is_terminal: bool, has_nulls: bool
) -> Callable[[ResultSet, IO[bytes]], None]:
    match chosen:
        case Format.JSON | Format.JSONL:
            from logkit_analysis.renderers import json_text

            if chosen is Format.JSON:
                return json_text.write_json
            return partial(json_text.write_jsonl, has_nulls=has_nulls)
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

            is_bold = is_terminal and not os.environ.get("NO_COLOR")
            return partial(write_table, zone=zone, width=width, is_bold=is_bold)
