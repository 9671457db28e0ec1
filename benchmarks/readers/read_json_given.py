"""DuckDB's read_json, told which columns of ours the log has, and their types: the limit."""

import sys
from itertools import islice
from pathlib import Path

import orjson

from benchmarks.readers.typed_columns import read_typed
from logkit.schema import FIELDS

_SAMPLED_LINES = 1_000

log, folder = sys.argv[1:]
with Path(log).open("rb") as lines:
    present = {key for line in islice(lines, _SAMPLED_LINES) for key in orjson.loads(line)}
read_typed(log, folder, [field for field in FIELDS if field.name in present])
