"""A chunk of lines as Arrow columns, ready for the store."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from logkit.schema import FIELDS
from logkit_analysis.parsers.json_lines import JsonLinesParser, Reject

if TYPE_CHECKING:
    from logkit_analysis.sources.reader import Chunk

_ARROW_TYPES = {
    "TIMESTAMPTZ": pa.timestamp("us", tz="UTC"),
    "VARCHAR": pa.string(),
    "BIGINT": pa.int64(),
    "INTEGER": pa.int32(),
    "DOUBLE": pa.float64(),
}
_COLUMN_TYPES: dict[str, pa.DataType] = {
    **{column.name: _ARROW_TYPES[column.duckdb] for column in FIELDS},
    "fields": pa.string(),
    "source_offset": pa.int64(),
}


@dataclass(frozen=True, slots=True)
class RejectedLine:
    """A line that is no event, whole, with its place and the reason."""

    offset: int
    reason: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class Batch:
    """What one chunk holds.

    Attributes:
        events: A column per event field that occurs, ``fields`` and ``source_offset``.
        rejects: The lines that are no events.
        start: Offset of the chunk's first byte.
        end: Offset behind its last byte.
    """

    events: pa.Table
    rejects: list[RejectedLine]
    start: int
    end: int


def parse_chunk(chunk: Chunk, parser: JsonLinesParser) -> Batch:
    """Parse every line of *chunk*; each ends up as an event or as a reject, never both."""
    lines = chunk.data.split(b"\n")
    if not chunk.is_unfinished:
        lines.pop()
    rows = _Rows(len(lines))
    rejects: list[RejectedLine] = []
    offset = chunk.start
    for line in lines:
        outcome = parser.parse(line)
        if isinstance(outcome, Reject):
            rejects.append(RejectedLine(offset, outcome.reason, line))
        else:
            rows.add(outcome.columns, outcome.fields, offset)
        offset += len(line) + 1
    return Batch(rows.table(), rejects, chunk.start, chunk.end)


@dataclass(slots=True)
class _Rows:
    """Columns under construction; a column exists once a row has a value for it."""

    capacity: int
    count: int = 0
    columns: dict[str, list[Any]] = field(default_factory=dict)

    def add(self, values: dict[str, Any], fields: bytes | None, offset: int) -> None:
        row = self.count
        for name, value in values.items():
            self._column(name)[row] = value
        if fields is not None:
            self._column("fields")[row] = fields
        self._column("source_offset")[row] = offset
        self.count = row + 1

    def _column(self, name: str) -> list[Any]:
        column = self.columns.get(name)
        if column is None:
            column = self.columns[name] = [None] * self.capacity
        return column

    def table(self) -> pa.Table:
        arrays = {
            name: pa.array(values[: self.count], type=_COLUMN_TYPES[name])
            for name, values in self.columns.items()
        }
        return pa.table(arrays)
