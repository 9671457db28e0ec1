"""A loop over the lines with orjson, the columns as Python lists."""

import sys
from pathlib import Path

import orjson

from logkit.schema import FIELDS

columns: dict[str, list[object]] = {field.name: [] for field in FIELDS}
with Path(sys.argv[1]).open("rb") as file:
    for line in file:
        event = orjson.loads(line)
        for name, values in columns.items():
            values.append(event.get(name))
