"""What a query gives: named and typed columns, and rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

Row = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a result.

    Attributes:
        name: Its name; a result may hold the same name twice.
        type: DuckDB's name of its type, e.g. ``BIGINT`` or ``TIMESTAMP WITH TIME ZONE``.
    """

    name: str
    type: str

    @property
    def is_number(self) -> bool:
        """Whether its values are numbers."""
        return self.type in _NUMBER_TYPES or self.type.startswith("DECIMAL")


_NUMBER_TYPES = frozenset(
    f"{sign}{size}"
    for sign in ("", "U")
    for size in ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "DOUBLE", "FLOAT")
)


@dataclass(frozen=True, slots=True)
class ResultSet:
    """Columns and rows.

    Attributes:
        columns: The columns, in the order of the values of a row.
        rows: The rows; they may stream from the database and then can be read once.
    """

    columns: tuple[Column, ...]
    rows: Iterable[Row]

    @property
    def column_names(self) -> list[str]:
        """The names of the columns."""
        return [column.name for column in self.columns]

    def dicts(self) -> list[dict[str, object]]:
        """Return the rows as mappings from column name to value."""
        names = self.column_names
        return [dict(zip(names, row, strict=True)) for row in self.rows]
