"""Running queries: `QuerySpec` and parameters in, `ResultSet` out."""

from __future__ import annotations

import re
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, cast

import duckdb

from logkit_analysis.errors import AnalysisError, UsageError
from logkit_analysis.query_file import convert
from logkit_analysis.results import Column, ResultSet, Row
from logkit_analysis.time_window import Span, Window, parse_duration, parse_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime
    from zoneinfo import ZoneInfo

    import pyarrow as pa

    from logkit_analysis.query_file import Parameter, QuerySpec

_BATCH_ROWS = 2000
_WRITING_WORDS = frozenset({"copy", "export"})


class SqlError(AnalysisError):
    """DuckDB refused or failed a statement; the message is its own, in one or two lines."""

    def __init__(self, error: duckdb.Error, *, where: str = "") -> None:
        paragraph, _, rest = str(error).strip().partition("\n\n")
        message = " ".join(paragraph.split())
        place = rest.splitlines()[0].strip() if rest.startswith("LINE ") else ""
        super().__init__("\n".join(filter(None, [where + message, place])))


def _explained(error: Exception, *, where: str = "") -> BaseException:
    """Return what a failure of DuckDB means: Ctrl-C comes out of it in two forms."""
    if isinstance(error, duckdb.InterruptException) or "interrupted" in str(error):
        return KeyboardInterrupt()
    return SqlError(error, where=where) if isinstance(error, duckdb.Error) else error


class ParameterError(UsageError):
    """A query's parameter is missing, unknown, or no value of its type."""


class Detector(Protocol):
    """A module of ``detect``: the rows of a query in, findings out."""

    def detect(
        self, rows: ResultSet, again: Callable[[Mapping[str, object]], ResultSet]
    ) -> ResultSet:
        """Return the findings that *rows* hold.

        Args:
            rows: The rows of the query.
            again: Returns its rows with some parameters changed, for a closer look.
        """


def counted_window(spec: QuerySpec, window: Window) -> Window:
    """Return the part of time that *spec* counts when it is asked for *window*."""
    if spec.window is None:
        return window
    return Window(window.until - parse_duration(spec.window), window.until)


def bind(
    spec: QuerySpec,
    given: Mapping[str, str],
    window: Window,
    *,
    zone: ZoneInfo,
    now: datetime,
) -> dict[str, object]:
    """Return the values of all parameters that the query uses.

    Args:
        spec: The query.
        given: Values as typed, by parameter name.
        window: The time window, bound as ``since`` and ``until``.
        zone: Zone of times that carry none.
        now: The present instant.

    Raises:
        ParameterError: A value is missing, unknown, or not of the declared type.
    """
    declared = {parameter.name: parameter for parameter in spec.parameters}
    own = [name for name in declared if name not in {"since", "until"}]
    for name in given:
        if name not in own:
            takes = f"it takes {', '.join(own)}" if own else "it takes none"
            raise ParameterError(f"query {spec.name} has no parameter {name!r}; {takes}")
    bounds: dict[str, object] = {"since": window.since, "until": window.until}
    values = {name: value for name, value in bounds.items() if name in spec.used}
    for name in own:
        values[name] = _value(spec, declared[name], given.get(name), zone, now)
    return values


def _value(
    spec: QuerySpec, parameter: Parameter, text: str | None, zone: ZoneInfo, now: datetime
) -> object:
    if text is None:
        if parameter.is_required:
            need = f"needs -p {parameter.name}=VALUE ({parameter.type})"
            raise ParameterError(f"query {spec.name} {need}")
        value = parameter.default
    else:
        try:
            value = convert(text, parameter.type)
        except ValueError as error:
            problem = f"{parameter.name}={text!r} is no {parameter.type}"
            raise ParameterError(f"query {spec.name}: {problem}") from error
    if parameter.type == "timestamptz" and isinstance(value, str):
        return parse_time(value, zone=zone, now=now)
    if parameter.name == "bucket_seconds" and isinstance(value, int) and value < 1:
        raise ParameterError(f"query {spec.name}: bucket_seconds={value} is less than 1")
    return value


def run_query(
    connection: duckdb.DuckDBPyConnection,
    spec: QuerySpec,
    values: Mapping[str, object],
    *,
    is_raw: bool = False,
) -> ResultSet:
    """Return the whole result of *spec*: its rows or, with a detector, the findings in them.

    Args:
        connection: The open database.
        spec: The query.
        values: Parameters from `bind`.
        is_raw: Return the rows that a detector would get.

    Raises:
        SqlError: The statement fails.
        UsageError: There is no statement, or no detector of the name that the query gives.
        WritingStatementError: The statement would write a file.
    """
    result = _fetch(connection, spec, values)
    if spec.detector is None or is_raw:
        return result

    def again(changed: Mapping[str, object]) -> ResultSet:
        return _fetch(connection, spec, _within(values, changed))

    return _detector(spec.detector).detect(result, again)


def _fetch(
    connection: duckdb.DuckDBPyConnection, spec: QuerySpec, values: Mapping[str, object]
) -> ResultSet:
    try:
        statements = connection.extract_statements(spec.sql)
        if not statements:
            raise UsageError(f"query {spec.name}: {spec.path} holds no statement")
        for statement in statements:
            _refuse_writing(statement)
        cursor = connection.execute(spec.sql, dict(values))
        return ResultSet(_columns(cursor), cursor.fetchall())
    except (duckdb.Error, RuntimeError) as error:
        raise _explained(error, where=f"query {spec.name}: ") from error


def _within(values: Mapping[str, Any], changed: Mapping[str, Any]) -> dict[str, Any]:
    """Return *values* with the changes; a closer look never leaves the window."""
    merged = {**values, **changed}
    if "since" in changed:
        merged["since"] = max(values["since"], changed["since"])
    if "until" in changed:
        merged["until"] = min(values["until"], changed["until"])
    return merged


def _detector(name: str) -> Detector:
    try:
        return cast("Detector", import_module(f"logkit_analysis.detect.{name}"))
    except ModuleNotFoundError as error:
        raise UsageError(f"no detector named {name!r}") from error


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
            _refuse_writing(statement)
            cursor = connection.execute(statement)
            if _asks_for_rows(statement):
                yield ResultSet(_columns(cursor), _stream(cursor))
            else:
                cursor.fetchall()
    except (duckdb.Error, RuntimeError) as error:
        raise _explained(error) from error


def _asks_for_rows(statement: duckdb.Statement) -> bool:
    """Return whether the result is an answer: DuckDB gives SET and CREATE one too, a count."""
    is_query = statement.expected_result_type == [duckdb.ExpectedResultType.QUERY_RESULT]
    # A PIVOT is several statements to DuckDB.
    return is_query or statement.type == duckdb.StatementType.MULTI


def _refuse_writing(statement: duckdb.Statement) -> None:
    """Refuse COPY and EXPORT, also within EXPLAIN ANALYZE and PREPARE.

    A locked database lets them write into the folder to which large queries spill.
    """
    kinds = duckdb.StatementType
    is_writing = statement.type in {kinds.COPY, kinds.EXPORT}
    if statement.type in {kinds.EXPLAIN, kinds.PREPARE}:
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


def run_sql(
    connection: duckdb.DuckDBPyConnection, text: str, values: Mapping[str, object]
) -> ResultSet:
    """Return the whole result of one statement of our own."""
    cursor = connection.execute(text, dict(values))
    return ResultSet(_columns(cursor), cursor.fetchall())


def _columns(cursor: duckdb.DuckDBPyConnection) -> tuple[Column, ...]:
    return tuple(Column(str(name), str(kind)) for name, kind, *_ in cursor.description or ())


def _stream(cursor: duckdb.DuckDBPyConnection) -> Iterator[Row]:
    try:
        while batch := cursor.fetchmany(_BATCH_ROWS):
            yield from batch
    except (duckdb.Error, RuntimeError) as error:
        raise _explained(error) from error


def stored_span(connection: duckdb.DuckDBPyConnection) -> Span | None:
    """Return the times of the oldest and newest event, or ``None`` without timed events."""
    oldest, newest = connection.execute(
        "select min(timestamp), max(timestamp) from events"
    ).fetchall()[0]
    return None if oldest is None else Span(oldest, newest)


def rejected_line_count(connection: duckdb.DuckDBPyConnection) -> int:
    """Return how many lines are in quarantine."""
    return int(connection.execute("select count(*) from quarantine").fetchall()[0][0])


_EVENTS = """
from events
where $since is null or (timestamp >= $since and timestamp < $until)
"""
_IN_ORDER = "order by timestamp, source_id, source_offset"


def stored_event_count(connection: duckdb.DuckDBPyConnection, window: Window | None) -> int:
    """Return how many events lie in *window*; ``None`` takes all, those without a time too."""
    cursor = connection.execute(f"select count(*) {_EVENTS}", _bounds(window))
    return int(cursor.fetchall()[0][0])


def stored_events(connection: duckdb.DuckDBPyConnection, window: Window | None) -> ResultSet:
    """Return the events of *window* in order of time; the rows stream."""
    cursor = connection.execute(f"select * {_EVENTS} {_IN_ORDER}", _bounds(window))
    return ResultSet(_columns(cursor), _stream(cursor))


def stored_event_batches(
    connection: duckdb.DuckDBPyConnection, window: Window | None
) -> pa.RecordBatchReader:
    """Return the events of *window* in order of time as Arrow batches."""
    relation = connection.sql(f"select * {_EVENTS} {_IN_ORDER}", params=_bounds(window))
    return relation.to_arrow_reader(_BATCH_ROWS * 10)


def _bounds(window: Window | None) -> dict[str, object]:
    if window is None:
        return {"since": None, "until": None}
    return {"since": window.since, "until": window.until}
