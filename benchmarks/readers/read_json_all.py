"""DuckDB's read_json, told all columns of our table: the same rows as ours, most of them NULL."""

import sys

from benchmarks.readers.typed_columns import read_typed
from logkit.schema import FIELDS

log, folder = sys.argv[1:]
read_typed(log, folder, FIELDS)
