"""A statement of DuckDB over many lines, which says of each whether it has read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    import duckdb


def read_columns(
    connection: duckdb.DuckDBPyConnection, batch: pa.Table, query: str
) -> tuple[pa.Table, pa.Array]:
    """Run *query*, which reads ``batch`` line by line in order and has a column ``is_ours``.

    Returns:
        The other columns of the lines that are ours, and the indexes of all other lines.
    """
    connection.register("batch", batch)
    try:
        result = connection.sql(query).to_arrow_table()
    finally:
        connection.unregister("batch")
    is_ours = result.column("is_ours").combine_chunks()
    others = pc.indices_nonzero(pc.invert(is_ours))
    events = result.drop_columns(["is_ours"])
    return (events.filter(is_ours) if len(others) else events), others
