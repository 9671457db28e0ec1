"""Reading a log with DuckDB's read_json and columns of given types."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logkit.schema import Field


def read_typed(log: str, folder: str, fields: Sequence[Field]) -> None:
    """Read *log* into a table with *fields*, in a database in *folder*."""
    columns = ", ".join(f"{field.name}: '{field.duckdb}'" for field in fields)
    with duckdb.connect(str(Path(folder) / "peer.duckdb")) as connection:
        connection.execute(
            f"create table events as select * from read_json($1, columns = {{{columns}}}, "
            "format = 'newline_delimited')",
            [log],
        ).fetchall()
