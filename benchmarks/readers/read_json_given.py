"""DuckDB's read_json, told all columns and their types: the limit."""

import sys
from pathlib import Path

import duckdb

from logkit.schema import FIELDS

log, folder = sys.argv[1:]
columns = ", ".join(f"{field.name}: '{field.duckdb}'" for field in FIELDS)
with duckdb.connect(str(Path(folder) / "peer.duckdb")) as connection:
    connection.execute(
        f"create table events as select * from read_json($1, columns = {{{columns}}}, "
        "format = 'newline_delimited')",
        [log],
    ).fetchall()
