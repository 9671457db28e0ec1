"""SQL statements: refused if they would write, run in order, their errors in plain words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import duckdb

from logkit_analysis.errors import AnalysisError
from logkit_analysis.results import Column, ResultSet
from logkit_analysis.sql_errors import plain_words
from logkit_analysis.store.database import is_interrupt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from logkit_analysis.results import Row

_BATCH_ROWS = 2000
_WRITING_WORDS = frozenset({"copy", "export"})


class SqlError(AnalysisError):
    """DuckDB refused or failed a statement; the message is one or two lines."""

    def __init__(self, error: duckdb.Error, *, where: str = "") -> None:
        super().__init__(where + plain_words(str(error)))


def explained(error: Exception, *, where: str = "") -> BaseException:
    """Return what a failure of DuckDB means: Ctrl-C comes out of it in two forms."""
    if isinstance(error, duckdb.InterruptException) or is_interrupt(error):
        return KeyboardInterrupt()
    return SqlError(error, where=where) if isinstance(error, duckdb.Error) else error


class WritingStatementError(AnalysisError):
    """A statement would write a file."""


def run_statements(connection: duckdb.DuckDBPyConnection, text: str) -> Iterator[ResultSet]:
    """Run the SQL statements of *text* in order; yield the result of each that asks for rows.

    A result's rows stream: read them before you ask for the next result.

    Raises:
        SqlError: A statement fails; those before it have run.
        WritingStatementError: A statement would write a file; those before it have run.
    """
    try:
        for statement in connection.extract_statements(text):
            refuse_writing(statement)
            cursor = connection.execute(statement)
            if _asks_for_rows(statement):
                yield ResultSet(columns_of(cursor), stream(cursor))
            else:
                cursor.fetchall()
    except (duckdb.Error, RuntimeError) as error:
        raise explained(error) from error


def _asks_for_rows(statement: duckdb.Statement) -> bool:
    """Return whether the result is an answer: DuckDB gives SET and CREATE one too, a count."""
    is_query = statement.expected_result_type == [duckdb.ExpectedResultType.QUERY_RESULT]
    # A PIVOT is several statements to DuckDB.
    return is_query or _kind(statement) == duckdb.StatementType.MULTI


def _kind(statement: duckdb.Statement) -> duckdb.StatementType | None:
    """Return the kind; ``None`` for one that DuckDB knows and its client has no name for."""
    try:
        return statement.type
    except ValueError:
        return None


def refuse_writing(statement: duckdb.Statement) -> None:
    """Refuse COPY and EXPORT, also within EXPLAIN ANALYZE and PREPARE.

    A locked database lets them write into the folder to which large queries spill.
    """
    kinds, kind = duckdb.StatementType, _kind(statement)
    is_writing = kind in {kinds.COPY, kinds.EXPORT}
    if kind in {kinds.EXPLAIN, kinds.PREPARE}:
        is_writing = not _WRITING_WORDS.isdisjoint(_keywords(statement.query))
    if is_writing:
        raise WritingStatementError("COPY and EXPORT are off: SELECT instead, with --output FILE")


def _keywords(sql: str) -> Iterator[str]:
    # The tokenizer counts bytes.
    code = sql.encode()
    for start, kind in duckdb.tokenize(sql):
        if kind == duckdb.token_type.keyword:
            word = re.match(rb"\w+", code[start:])
            yield word[0].decode().lower() if word else ""


def columns_of(cursor: duckdb.DuckDBPyConnection) -> tuple[Column, ...]:
    """Return the columns of the result that *cursor* has."""
    return tuple(Column(str(name), str(kind)) for name, kind, *_ in cursor.description or ())


def stream(cursor: duckdb.DuckDBPyConnection) -> Iterator[Row]:
    """Yield the rows of the result that *cursor* has as they are asked for.

    Raises:
        SqlError: The statement fails on its way.
    """
    try:
        while batch := cursor.fetchmany(_BATCH_ROWS):
            yield from batch
    except (duckdb.Error, RuntimeError) as error:
        raise explained(error) from error
