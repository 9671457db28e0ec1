"""Parsed lines as Arrow columns, ready for the store."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from logkit.schema import FIELDS
from logkit_analysis.parsers.loading import Reject

if TYPE_CHECKING:
    from collections.abc import Iterable

    from logkit_analysis.parsers.choice import Choice
    from logkit_analysis.parsers.json_lines import JsonLinesParser

_ARROW_TYPES = {
    "TIMESTAMPTZ": pa.timestamp("us", tz="UTC"),
    "VARCHAR": pa.string(),
    "BIGINT": pa.int64(),
    "INTEGER": pa.int32(),
    "DOUBLE": pa.float64(),
}
COLUMN_TYPES: dict[str, pa.DataType] = {
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


@dataclass(slots=True)
class Batch:
    """What some lines hold.

    Attributes:
        tables: Events: a column per field that occurs, ``fields`` and ``source_offset``.
        rejects: The lines that are no events.
        consumed: How many bytes it stands for; what follows them may continue the last record.
        choice: The format that was chosen for these and all later lines of their stream, if that
            was decided now.
    """

    tables: list[pa.Table] = field(default_factory=list)
    rejects: list[RejectedLine] = field(default_factory=list)
    consumed: int = 0
    choice: Choice | None = None

    def add(self, other: Batch) -> None:
        """Take the events and rejects of *other*, which come later."""
        self.tables += other.tables
        self.rejects += other.rejects

    @property
    def row_count(self) -> int:
        """How many events there are."""
        return sum(table.num_rows for table in self.tables)


def parse_lines(lines: Iterable[tuple[int, bytes]], parser: JsonLinesParser) -> Batch:
    """Parse *lines*, each with its offset; each ends up as an event or as a reject, never both."""
    rows = Rows()
    batch = Batch()
    for offset, line in lines:
        outcome = parser.parse_all(line)
        if isinstance(outcome, Reject):
            batch.rejects.append(RejectedLine(offset, outcome.reason, line))
            continue
        for number, record in enumerate(outcome):
            # Several events of one line keep their order, and offsets of their own.
            rows.add(record.columns, record.fields, offset + number)
    if rows.count:
        batch.tables.append(rows.table())
    return batch


@dataclass(slots=True)
class Rows:
    """Columns under construction; a column exists once a row has a value for it."""

    count: int = 0
    columns: dict[str, list[Any]] = field(default_factory=dict)

    def add(self, values: dict[str, Any], fields: bytes | None, offset: int) -> None:
        """Add a row: its columns, what no column holds as JSON, and where it was found."""
        columns, count = self.columns, self.count
        for name, value in values.items():
            column = columns.get(name)
            if column is None or len(column) < count:
                column = self._column(name)
            column.append(value)
        if fields is not None:
            self._column("fields").append(fields)
        self._column("source_offset").append(offset)
        self.count += 1

    def _column(self, name: str) -> list[Any]:
        """Return the column of *name*, with NULLs for the rows that had none of it."""
        column = self.columns.setdefault(name, [])
        if len(column) < self.count:
            column.extend([None] * (self.count - len(column)))
        return column

    def table(self) -> pa.Table:
        """Return all rows."""
        return pa.table(
            {
                name: pa.array(self._column(name), type=COLUMN_TYPES[name])
                for name in list(self.columns)
            }
        )
