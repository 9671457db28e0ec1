"""DuckDB's read_json_auto, which finds the columns itself."""

import sys
from pathlib import Path

import duckdb

log, folder = sys.argv[1:]
with duckdb.connect(str(Path(folder) / "peer.duckdb")) as connection:
    connection.execute("create table events as from read_json_auto($1)", [log]).fetchall()
