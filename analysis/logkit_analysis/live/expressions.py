"""One SQL expression of a user's, checked before it is run: that and nothing else."""

from __future__ import annotations

import json
import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import duckdb

from logkit_analysis.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# Alone, only a whole expression is a condition; in parentheses, it stays one among others.
_ALONE = "select * from events where {}\n"
_ENCLOSED = "select * from events where ({}\n)"
_NO_COLUMN = re.compile(r'Referenced column "([^"]*)" not found')
_REFUSED = {
    "SUBQUERY": "a query inside is not possible; compare columns and values",
    "PARAMETER": "nothing is bound to ? or $name; write the value itself",
    "STAR": "name each column; columns(*) stands for too many",
}
_NOT_ALONE = "give one condition, as it would stand behind WHERE"


def needed_columns(
    connection: duckdb.DuckDBPyConnection, text: str, columns: Iterable[str]
) -> set[str]:
    """Return which of *columns* the condition *text* may need, if it is one and no more.

    Args:
        connection: Has a table ``events`` with a row of NULLs, and no access to anything else.
        text: What may stand behind WHERE in a query of ``events``.
        columns: The columns of ``events``.

    Raises:
        UsageError: It is no condition, does more than compare, or names what there is not.
    """
    known = list(columns)
    nodes = list(_nodes(_condition(connection, text)))
    kinds = {node.get("class") for node in nodes}
    for kind, refusal in _REFUSED.items():
        if kind in kinds:
            raise UsageError(f"--where: {refusal}")
    _bind(connection, text, known)
    return {part.lower() for node in nodes for part in node.get("column_names", ())} & {*known}


def run_time_problem(error: duckdb.Error) -> UsageError:
    """Return what it means that an expression failed on some event."""
    return UsageError(f"--where: {_first_line(error)}; try_cast gives NULL instead")


def _condition(connection: duckdb.DuckDBPyConnection, text: str) -> Any:
    """Return the tree of *text* if it is one expression."""
    template = _tree(connection, "true")
    tree = _tree(connection, text)
    condition = tree.pop("where_clause", None)
    template.pop("where_clause")
    if tree != template or condition is None:
        raise UsageError(f"--where: {_NOT_ALONE}")
    return condition


def _tree(connection: duckdb.DuckDBPyConnection, text: str) -> dict[str, Any]:
    """Return the tree of the query that has *text* as its condition.

    Raises:
        UsageError: There is none.
    """
    try:
        row = connection.execute(
            "select json_serialize_sql($query)", {"query": _ALONE.format(text)}
        ).fetchall()
    except (duckdb.Error, UnicodeError) as error:
        raise UsageError(f"--where: {_NOT_ALONE}") from error
    parsed = json.loads(row[0][0])
    if parsed["error"]:
        is_syntax = parsed["error_type"] == "parser"
        said = " ".join(parsed["error_message"].split())
        reason = f"{said}; {_NOT_ALONE}" if is_syntax else _NOT_ALONE
        raise UsageError(f"--where: {reason}")
    if len(parsed["statements"]) != 1:
        raise UsageError(f"--where: {_NOT_ALONE}")
    node: dict[str, Any] = parsed["statements"][0]["node"]
    return node


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """Yield the objects of *tree*."""
    pending = [tree]
    while pending:
        one = pending.pop()
        if isinstance(one, dict):
            yield one
            pending += one.values()
        elif isinstance(one, list):
            pending += one


def _bind(connection: duckdb.DuckDBPyConnection, text: str, known: list[str]) -> None:
    """Check names and types of *text*.

    Raises:
        UsageError: Some do not fit.
    """
    try:
        connection.execute(_ENCLOSED.format(text)).fetchall()
    except duckdb.Error as error:
        if missing := _NO_COLUMN.search(str(error)):
            raise UsageError(_no_column(missing[1], text, known)) from error
        raise UsageError(f"--where: {_first_line(error)}") from error


def _no_column(name: str, text: str, known: list[str]) -> str:
    near = get_close_matches(name.lower(), known, n=1)
    hints = [f"did you mean {near[0]}"] if near else []
    if f'"{name}"' in text:
        hints.append("a text stands in single quotes")
    key = name.replace("'", "''")
    hints.append(f"any other key is fields->>'{key}'")
    return f"--where: there is no column {name}; {'; '.join(hints)}"


def _first_line(error: duckdb.Error) -> str:
    paragraph = str(error).strip().partition("\n\n")[0].partition("\nLINE ")[0]
    return " ".join(paragraph.split())
