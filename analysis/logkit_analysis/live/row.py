"""The values of one row of a table as a mapping that takes little memory."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# Of a column with fewer different texts than this share of its rows, equal ones are one object.
_FEW = 0.5
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Row(Mapping[str, Any]):
    """The columns of a row that have a value.

    Args:
        places: The names of the columns with their places in *held*, shared by all rows.
        held: A value each; ``None`` for none.

    Attributes:
        held: The same.
    """

    __slots__ = ("_places", "held")

    def __init__(self, places: dict[str, int], held: tuple[Any, ...]) -> None:
        self._places = places
        self.held = held

    def __getitem__(self, name: str) -> Any:
        value = self.held[self._places[name]]
        if value is None:
            raise KeyError(name)
        return value

    def get(self, name: str, default: Any = None) -> Any:
        """Return the value of the column *name*, *default* if it has none."""
        place = self._places.get(name)
        value = None if place is None else self.held[place]
        return default if value is None else value

    def __iter__(self) -> Iterator[str]:
        return (
            name for name, value in zip(self._places, self.held, strict=True) if value is not None
        )

    def __len__(self) -> int:
        return len(self.held) - self.held.count(None)

    def __repr__(self) -> str:
        return f"Row({dict(self)})"


def rows(table: pa.Table, names: Sequence[str]) -> Iterator[Row]:
    """Yield the columns *names* of each row of *table*."""
    places = {name: place for place, name in enumerate(names)}
    columns = (_values(table.column(name)) for name in names)
    for values in zip(*columns, strict=True):
        yield Row(places, values)


def _values(column: pa.ChunkedArray) -> Sequence[Any]:
    if column.type == pa.string():
        encoded = column.combine_chunks().dictionary_encode()
        if len(encoded.dictionary) <= len(column) * _FEW:
            texts = [*encoded.dictionary.to_pylist(), None]
            none = pa.scalar(len(texts) - 1, encoded.indices.type)
            return [texts[place] for place in pc.fill_null(encoded.indices, none).to_pylist()]
    values: list[Any] = column.to_pylist()
    return values


def times(column: pa.ChunkedArray) -> list[datetime | None]:
    """Return the times of *column*, which are of microseconds in UTC.

    Its own ``to_pylist`` looks the zone up for each and takes ten times as long.
    """
    return [
        None if microseconds is None else _EPOCH + timedelta(microseconds=microseconds)
        for microseconds in column.cast(pa.int64()).to_pylist()
    ]
