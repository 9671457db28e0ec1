"""The ``lk_*`` macros: kept in the database so that any DuckDB shell can run our queries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logkit_analysis.resources import queries_directory

if TYPE_CHECKING:
    import duckdb


def install(connection: duckdb.DuckDBPyConnection) -> None:
    """Create or replace the macros in the open, writable database."""
    connection.execute(_text())


def install_temporary(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the macros for this connection alone.

    A read-only database written by another release may hold older macros or lack some;
    temporary ones come first in the search.
    """
    connection.execute(_text().replace("create or replace macro", "create or replace temp macro"))


def _text() -> str:
    return (queries_directory() / "macros" / "duckdb.sql").read_text(encoding="utf-8")
