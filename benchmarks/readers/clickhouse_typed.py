"""ClickHouse, in this process and told all columns and their types."""

import sys
from pathlib import Path

from chdb.session import Session

from logkit.schema import FIELDS

_TYPES = {
    "TIMESTAMPTZ": "DateTime64(6, 'UTC')",
    "VARCHAR": "String",
    "BIGINT": "Int64",
    "INTEGER": "Int32",
    "DOUBLE": "Float64",
}

log, folder = sys.argv[1:]
columns = ", ".join(f"{field.name} Nullable({_TYPES[field.duckdb]})" for field in FIELDS)
session = Session(str(Path(folder) / "peer.duckdb.clickhouse"))
session.query("create database bench engine = Atomic")
session.query(f"create table bench.events ({columns}) engine = MergeTree order by tuple()")
quoted = columns.replace("'", "''")
session.query(
    f"insert into bench.events select * from file('{log}', JSONEachRow, '{quoted}') "
    "settings date_time_input_format = 'best_effort', input_format_skip_unknown_fields = 1"
)
session.close()
