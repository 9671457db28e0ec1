"""``logkit rejects``: the lines that never became events."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from logkit_analysis.cli import notes
from logkit_analysis.cli import output as stdout
from logkit_analysis.cli.options import (
    DEFAULT_DATABASE,
    DatabaseOption,
    Format,
    FormatOption,
    OutputOption,
    TimeZoneOption,
)
from logkit_analysis.cli.rows import choose_format, write_rows
from logkit_analysis.cli.session import open_session
from logkit_analysis.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb

    from logkit_analysis.cli.session import Session
    from logkit_analysis.results import ResultSet

EPILOG = """\b
Examples:
  logkit rejects
  logkit rejects --reason invalid_json --format csv
  logkit rejects --raw --output rejected.jsonl

--raw writes the lines byte for byte, as they stood in the logs, each with a line feed."""

_PREVIEW_BYTES = 120
_KINDS = """
select
    case when $by_file then source_file else split_part(reason, ':', 1) end as kind,
    count(*) as lines
from quarantine
group by kind
order by lines desc, kind
limit 5
"""
_SELECT = """
select source_file, source_offset, reason, octet_length(raw) as bytes, raw
from quarantine
where
    ($file is null or contains(source_file, $file))
    and ($reason is null or starts_with(reason, $reason))
order by source_file, source_id, source_offset
"""


def rejects(
    file: Annotated[
        str | None, typer.Option("--file", metavar="TEXT", help="Only files with TEXT in the path.")
    ] = None,
    reason: Annotated[
        str | None, typer.Option("--reason", metavar="TEXT", help="Only reasons that begin so.")
    ] = None,
    is_verbatim: Annotated[
        bool, typer.Option("--raw", help="The exact bytes of the lines.")
    ] = False,
    db: DatabaseOption = DEFAULT_DATABASE,
    tz: TimeZoneOption = "UTC",
    output_format: FormatOption = None,
    output: OutputOption = None,
) -> None:
    """Show the lines that are no events, with place and reason."""
    session = open_session(db, tz)
    values = {"file": file, "reason": reason}
    if is_verbatim:
        if output_format is not None:
            raise UsageError("--raw writes the lines themselves; leave --format out")
        if output is None and stdout.is_terminal():
            raise UsageError("raw bytes do not go to a terminal; add --output FILE")
        _write_raw(session, values, output)
        return
    chosen = choose_format(output_format, output)
    from logkit_analysis.engine import run_sql

    with session.reading() as connection:
        result = run_sql(connection, _SELECT, values)
        why = None if result.rows else _why_empty(connection, values)
    if chosen is Format.TABLE and output is None and stdout.is_terminal():
        result = _shortened(result)
    write_rows(result, chosen, output, session.zone)
    if why is not None:
        notes.note(why)


def _why_empty(connection: duckdb.DuckDBPyConnection, asked: dict[str, str | None]) -> str:
    from logkit_analysis.engine import run_sql

    is_by_file = asked["file"] is not None and asked["reason"] is None
    kinds = run_sql(connection, _KINDS, {"by_file": is_by_file}).rows
    most = ", ".join(f"{kind} ({lines})" for kind, lines in kinds)
    return f"no rejected line matches; there are: {most}" if most else "no rejected lines"


def _shortened(result: ResultSet) -> ResultSet:
    """Return the rows with the lines cut for a terminal; elsewhere they are whole."""
    raw = result.column_names.index("raw")
    rows = [(*row[:raw], _preview(row[raw]), *row[raw + 1 :]) for row in result.rows]
    return replace(result, rows=rows)


def _preview(line: object) -> object:
    if not isinstance(line, bytes) or len(line) <= _PREVIEW_BYTES:
        return line
    return line[:_PREVIEW_BYTES] + f"... {len(line) - _PREVIEW_BYTES} bytes more".encode()


def _write_raw(session: Session, values: dict[str, str | None], path: Path | None) -> None:
    from logkit_analysis.engine import run_sql

    with session.reading() as connection:
        result = run_sql(connection, _SELECT, values)
        if not result.rows:
            notes.note(_why_empty(connection, values))
    raw = result.column_names.index("raw")
    with stdout.destination(path) as stream:
        for row in result.rows:
            line = row[raw]
            if isinstance(line, bytes):
                stream.write(line + b"\n")
