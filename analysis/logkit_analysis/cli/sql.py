"""``logkit sql``: SQL as typed, read-only."""

from __future__ import annotations

import sys
from contextlib import ExitStack, suppress
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from logkit_analysis.cli import notes, plot
from logkit_analysis.cli import output as stdout
from logkit_analysis.cli.options import (
    DEFAULT_DATABASE,
    DatabaseOption,
    Format,
    FormatOption,
    OutputOption,
    TimeZoneOption,
)
from logkit_analysis.cli.plot import ColumnOption, PlotOption
from logkit_analysis.cli.rows import choose_format, write_rows
from logkit_analysis.cli.session import open_session
from logkit_analysis.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from logkit_analysis.cli.session import Session
    from logkit_analysis.results import ResultSet

    Write = Callable[[Session, ResultSet], None]

EPILOG = """\b
Examples:
  logkit sql "select level, count(*) from events group by level"
  logkit sql "from events limit 3" --format json
  logkit sql --file report.sql --output report.csv
  logkit sql "select timestamp, queue_depth from events" --plot
  echo "select max(timestamp) from events" | logkit sql

Nothing can be written and no other file can be read. A table on a terminal ends after 1,000 rows;
--output FILE, --format and pipes get all of them. Without text, on a terminal, a prompt opens;
its statements end in ; and between them the database is free for others."""

# A result up to this size is read whole, so that a pager that waits for a key does not keep the
# database from its writer.
_ROWS_HELD = 20_000


def sql(
    text: Annotated[str | None, typer.Argument(help="The statements.")] = None,
    file: Annotated[
        Path | None, typer.Option("--file", "-f", metavar="FILE", help="Read them from here.")
    ] = None,
    db: DatabaseOption = DEFAULT_DATABASE,
    tz: TimeZoneOption = "UTC",
    output_format: FormatOption = None,
    output: OutputOption = None,
    is_plot: PlotOption = False,
    column: ColumnOption = None,
) -> None:
    """Run SQL on the events; without text, open a prompt."""
    if text is not None and file is not None:
        raise UsageError("give the statements as text or with --file, not both")
    if text is not None:
        _refuse_no_statement(text)
    write: Write
    if is_plot or column is not None:
        plot.format_of(output_format, output)
        write = partial(_draw, plot.Drawing("the result", column), output)
    else:
        write = partial(_write, choose_format(output_format, output), output)
    session = open_session(db, tz)
    if text is None and file is None and sys.stdin.isatty():
        from logkit_analysis.cli.prompt import run_prompt

        run_prompt(session, lambda statement: run_text(session, statement, output, write))
        return
    run_text(session, text if text is not None else _read(file), output, write)


def _refuse_no_statement(text: str) -> None:
    if not text.strip(" \t\r\n;"):
        raise UsageError("the text holds no statement; leave it out for a prompt")
    with suppress(OSError, ValueError):
        if Path(text).is_file():
            raise UsageError(f"{text} is a file; to run what it holds: logkit sql -f {text}")


def _read(file: Path | None) -> str:
    raw = sys.stdin.buffer.read() if file is None or str(file) == "-" else file.read_bytes()
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{file or 'stdin'}: not UTF-8 at byte {error.start}") from error


def run_text(session: Session, text: str, path: Path | None, write: Write) -> None:
    """Run the statements of *text* and *write* the rows of each that has some."""
    from logkit_analysis.statements import run_statements

    with ExitStack() as stack:
        connection = stack.enter_context(session.reading())
        results = run_statements(connection, text)
        current = next(results, None)
        while current is not None:
            head = list(islice(current.rows, _ROWS_HELD))
            is_whole = len(head) < _ROWS_HELD
            whole = _with_rows(current, head, is_whole=is_whole)
            following = next(results, None) if is_whole else None
            if path is not None and following is not None:
                raise UsageError("several results do not fit into one --output; give one statement")
            if is_whole and following is None:
                stack.close()
            write(session, whole)
            current = following if is_whole else next(results, None)


def _with_rows(result: ResultSet, head: list[tuple[object, ...]], *, is_whole: bool) -> ResultSet:
    from logkit_analysis.results import ResultSet

    return ResultSet(result.columns, head if is_whole else chain(head, result.rows))


def _draw(drawing: plot.Drawing, path: Path | None, session: Session, result: ResultSet) -> None:
    plot.draw(result, drawing, path, session.zone)
    _tell_empty(result)


def _write(chosen: Format, path: Path | None, session: Session, result: ResultSet) -> None:
    if result.column_names == ["explain_key", "explain_value"] and chosen is Format.TABLE:
        for row in result.rows:
            stdout.write_text(str(row[1]))
        return
    write_rows(result, chosen, path, session.zone)
    _tell_empty(result)


def _tell_empty(result: ResultSet) -> None:
    if result.rows == []:
        notes.note("no rows")
