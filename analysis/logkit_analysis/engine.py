"""Running queries: `QuerySpec` and parameters in, `ResultSet` out."""

from __future__ import annotations

import re
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, cast

import duckdb

from logkit_analysis.errors import UsageError
from logkit_analysis.query_file import convert
from logkit_analysis.results import Column, ResultSet, Table
from logkit_analysis.statements import columns_of, explained, refuse_writing
from logkit_analysis.time_window import Window, parse_duration, parse_time

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from logkit_analysis.query_file import Parameter, QuerySpec

# A Python object for each value of their many rows would cost more than all the rest.
_BY_COLUMN = frozenset({"change_points"})

# What the macro lk_check says of a parameter.
_CHECK = re.compile(r"lk_check: (.*)")


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
        ParameterError: A check of the query, ``lk_check(...)``, refuses a parameter.
        UsageError: There is no statement, or no detector of the name that the query gives.
        WritingStatementError: The statement would write a file.
    """
    if spec.detector is None or is_raw:
        return _fetch(connection, spec, values, run_sql)
    fetch = _table if spec.detector in _BY_COLUMN else run_sql

    def again(changed: Mapping[str, object]) -> ResultSet:
        return _fetch(connection, spec, _within(values, changed), fetch)

    return _detector(spec.detector).detect(_fetch(connection, spec, values, fetch), again)


def _fetch(
    connection: duckdb.DuckDBPyConnection,
    spec: QuerySpec,
    values: Mapping[str, object],
    fetch: Callable[[duckdb.DuckDBPyConnection, str, Mapping[str, object]], ResultSet],
) -> ResultSet:
    try:
        statements = connection.extract_statements(spec.sql)
        if not statements:
            raise UsageError(f"query {spec.name}: {spec.path} holds no statement")
        for statement in statements:
            refuse_writing(statement)
        return fetch(connection, spec.sql, values)
    except (duckdb.Error, RuntimeError) as error:
        if said := _CHECK.search(str(error)):
            raise ParameterError(f"query {spec.name}: {said[1]}") from error
        raise explained(error, where=f"query {spec.name}: ") from error


def _table(
    connection: duckdb.DuckDBPyConnection, sql: str, values: Mapping[str, object]
) -> ResultSet:
    relation = connection.sql(sql, params=dict(values))
    columns = zip(relation.columns, relation.types, strict=True)
    described = tuple(Column(name, str(kind)) for name, kind in columns)
    return ResultSet(described, Table(relation.to_arrow_table()))


def _within(values: Mapping[str, Any], changed: Mapping[str, Any]) -> dict[str, Any]:
    """Return *values* with the changes; a closer look never leaves the window."""
    merged = {**values, **changed}
    if "since" in changed:
        merged["since"] = max(values["since"], changed["since"])
    if "until" in changed:
        merged["until"] = min(values["until"], changed["until"])
    return merged


def _detector(name: str) -> Detector:
    module = f"logkit_analysis.detect.{name}"
    try:
        return cast("Detector", import_module(module))
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        raise UsageError(f"no detector named {name!r}") from error


def run_sql(
    connection: duckdb.DuckDBPyConnection, text: str, values: Mapping[str, object]
) -> ResultSet:
    """Return the whole result of one statement of our own."""
    cursor = connection.execute(text, dict(values))
    return ResultSet(columns_of(cursor), cursor.fetchall())
