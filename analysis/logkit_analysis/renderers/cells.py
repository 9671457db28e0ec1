"""The cells of a table for people: short, aligned, and harmless on a terminal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from logkit_analysis.renderers.escaping import escape_controls
from logkit_analysis.renderers.values import plain, short_time

if TYPE_CHECKING:
    from collections.abc import Sequence
    from zoneinfo import ZoneInfo

    from logkit_analysis.results import ResultSet, Row

_HUGE = 1e15
# Greatest number of a column and the decimals that a reader can use: a ratio gets four.
_DECIMALS = ((1.0, 4), (10.0, 3), (100.0, 2), (_HUGE, 1))
# The share of a number that its column's decimals may take from it.
_WORST_ROUNDING = 0.1


@dataclass(frozen=True, slots=True)
class CellColumn:
    """One column of a table as text.

    Attributes:
        name: The column's name.
        is_number: Whether it is aligned to the right.
        is_time: Whether it must not be wrapped.
        cells: The text of each row; ``None`` for NULL.
    """

    name: str
    is_number: bool
    is_time: bool
    cells: list[str | None]


def cell_columns(result: ResultSet, zone: ZoneInfo) -> list[CellColumn]:
    """Return the columns of *result* as text, times in *zone*."""
    rows: Sequence[Row] = list(result.rows)
    columns = []
    for index, column in enumerate(result.columns):
        values = [row[index] for row in rows]
        decimals = _decimals(values) if column.is_number else 0
        columns.append(
            CellColumn(
                escape_controls(column.name),
                column.is_number,
                column.type.startswith("TIMESTAMP"),
                [_text(value, zone, decimals) for value in values],
            )
        )
    return columns


def _text(value: object, zone: ZoneInfo, decimals: int) -> str | None:
    if isinstance(value, float | Decimal):
        return _number(float(value), decimals)
    match plain(value):
        case None:
            return None
        case bool() as flag:
            return "true" if flag else "false"
        case datetime() as moment:
            return short_time(moment, zone)
        case other:
            return escape_controls(str(other))


def _number(number: float, decimals: int) -> str:
    if abs(number) >= _HUGE:
        return f"{number:.6g}"
    # A ratio among milliseconds must not become 0.
    if abs(round(number, decimals) - number) > _WORST_ROUNDING * abs(number):
        return f"{number:.2g}"
    return f"{number:.{decimals}f}"


def _decimals(values: Sequence[object]) -> int:
    """Return how many decimals the column needs, so that its points stand in one line."""
    numbers = [float(v) for v in values if isinstance(v, float | Decimal)]
    numbers = [number for number in numbers if abs(number) < _HUGE]
    greatest = max(map(abs, numbers), default=0.0)
    most = next(decimals for limit, decimals in _DECIMALS if greatest <= limit)
    return max((_needed(number, most) for number in numbers), default=0)


def _needed(number: float, most: int) -> int:
    return len(f"{number:.{most}f}".rstrip("0").partition(".")[2])
