"""What a query gives: named and typed columns, and rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pyarrow as pa
    from numpy.typing import NDArray

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
class Table:
    """Rows that are held by column, for a detector that works on many of them at once."""

    arrow: pa.Table

    def __len__(self) -> int:
        return int(self.arrow.num_rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(zip(*(column.to_pylist() for column in self.arrow.columns), strict=True))

    def numbers(self, name: str) -> NDArray[Any]:
        """Return a column of numbers or times as an array; NULL is NaN."""
        values: NDArray[Any] = self.arrow.column(name).to_numpy()
        return values

    def values(self, name: str, start: int, end: int) -> list[Any]:
        """Return the values of a column from row *start* up to *end*."""
        values: list[Any] = self.arrow.column(name).slice(start, end - start).to_pylist()
        return values

    def codes(self, name: str) -> NDArray[Any]:
        """Return a number for each row: the same where a column has the same value or NULL."""
        column = self.arrow.column(name).combine_chunks()
        codes: NDArray[Any] = column.dictionary_encode(null_encoding="encode").indices.to_numpy()
        return codes


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
