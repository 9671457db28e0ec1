"""The cells of a table for people: short, aligned, and harmless on a terminal."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from logkit_analysis.renderers.escaping import escape_controls
from logkit_analysis.renderers.units import PLAIN, Unit, is_naming, table_unit
from logkit_analysis.renderers.values import offset, plain, short_time

if TYPE_CHECKING:
    from collections.abc import Sequence
    from zoneinfo import ZoneInfo

    from logkit_analysis.results import ResultSet, Row

_UTC = "UTC"
_ZONED = "TIMESTAMP WITH TIME ZONE"
_HUGE = 1e15
# Greatest number of a column and the decimals that a reader can use: a ratio gets four.
_DECIMALS = ((1.0, 4), (10.0, 3), (100.0, 2), (_HUGE, 1))
# Nobody reads further in percent.
_PERCENT_DECIMALS = 2
# The share of a number that its column's decimals may take from it.
_WORST_ROUNDING = 0.1


@dataclass(frozen=True, slots=True)
class CellColumn:
    """One column of a table as text.

    Attributes:
        name: The column's name and, of times, their zone.
        is_number: Whether it is aligned to the right.
        is_time: Whether it is broken between day and time of day alone.
        cells: The text of each row; ``None`` for NULL.
        unit: The unit of its numbers.
        offset: The distance from UTC that its name tells; ``None`` where each cell tells its own.
    """

    name: str
    is_number: bool
    is_time: bool
    cells: list[str | None]
    unit: Unit = PLAIN
    offset: str | None = None


def cell_columns(
    result: ResultSet, zone: ZoneInfo, like: Sequence[CellColumn] | None = None
) -> list[CellColumn]:
    """Return the columns of *result* as text.

    Counts have separators between thousands, bytes and shares are in a readable unit, and the zone
    of times stands in the head: as an offset where all are equal, so that no time is in doubt
    where the clock changes.

    Args:
        result: The rows.
        zone: Zone of the times.
        like: The columns of earlier rows under the same head, for their units and offsets.
    """
    rows: Sequence[Row] = list(result.rows)
    columns = []
    for index, column in enumerate(result.columns):
        values = [row[index] for row in rows]
        known = None if like is None else like[index]
        if column.is_number:
            columns.append(_numbers(column.name, values, known))
        elif column.type == _ZONED:
            columns.append(_times(column.name, values, zone, known))
        else:
            is_time = column.type.startswith("TIMESTAMP")
            cells = [_text(value, zone) for value in values]
            columns.append(CellColumn(escape_controls(column.name), False, is_time, cells))
    return columns


def _numbers(name: str, values: Sequence[object], known: CellColumn | None) -> CellColumn:
    numbers = [_float(value) for value in values]
    there = [number for number in numbers if number is not None]
    unit = known.unit if known else table_unit(name, max(map(abs, there), default=0.0))
    if unit is PLAIN and all(isinstance(value, int | None) for value in values):
        mark = "" if is_naming(name) else ","
        cells = [None if value is None else f"{value:{mark}}" for value in values]
    else:
        decimals = _decimals([number / unit.size for number in there], unit)
        cells = [None if one is None else _in(unit, one, decimals) for one in numbers]
    return CellColumn(escape_controls(name), True, False, cells, unit)


def _in(unit: Unit, number: float, decimals: int) -> str:
    return _number(number / unit.size, decimals) + unit.suffix


def _float(value: object) -> float | None:
    if isinstance(value, int | float | Decimal) and math.isfinite(value):
        return float(value)
    return None


def _times(
    name: str, values: Sequence[object], zone: ZoneInfo, known: CellColumn | None
) -> CellColumn:
    moments = [value.astimezone(zone) if isinstance(value, datetime) else None for value in values]
    offsets = {offset(moment) for moment in moments if moment is not None}
    shared = known.offset if known else next(iter(offsets)) if len(offsets) == 1 else None
    cells = [None if moment is None else short_time(moment, zone, shared) for moment in moments]
    head = _UTC if zone.key == _UTC else shared or zone.key
    return CellColumn(f"{escape_controls(name)} ({head})", False, True, cells, offset=shared)


def _text(value: object, zone: ZoneInfo) -> str | None:
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
    return f"{number:,.{decimals}f}"


def _decimals(numbers: Sequence[float], unit: Unit) -> int:
    """Return how many decimals the column needs, so that its points stand in one line."""
    numbers = [number for number in numbers if abs(number) < _HUGE]
    greatest = max(map(abs, numbers), default=0.0)
    most = next(decimals for limit, decimals in _DECIMALS if greatest <= limit)
    if unit.size < 1:
        most = min(most, _PERCENT_DECIMALS)
    return max((_needed(number, most) for number in numbers), default=0)


def _needed(number: float, most: int) -> int:
    return len(f"{number:.{most}f}".rstrip("0").partition(".")[2])
