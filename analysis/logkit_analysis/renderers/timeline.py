"""Rows of a result as series over time: which column is the time, which the value, which groups."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING

from logkit_analysis.errors import UsageError
from logkit_analysis.renderers.units import is_naming

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from logkit_analysis.results import Column, ResultSet

Point = tuple[datetime, float]

BUCKET = "bucket_at"
_NO_VALUE = "(none)"
_MINUTE = timedelta(minutes=1)
# An axis reaches beyond its points: floats and the calendar must not end there.
_MOST_VALUE = 1e300
_YEARS = range(1000, 5000)


class NoTimelineError(UsageError):
    """A result cannot be drawn over time; the message tells what it lacks."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """Values over time.

    Attributes:
        column: Name of the column that is drawn.
        others: Names of the columns that could be drawn instead.
        groups: Names of the columns that part the rows into series.
        series: Label to points; the series with the greatest sum comes first.
        moments: The times of all points, in order, each once.
        step: Time from one value to the next.
    """

    column: str
    others: tuple[str, ...]
    groups: tuple[str, ...]
    series: dict[str, list[Point]]
    moments: list[datetime]
    step: timedelta


def timeline(
    result: ResultSet, name: str, *, column: str | None = None, step: timedelta | None = None
) -> Timeline:
    """Return the rows of *result* as series over time.

    The time is the column ``bucket_at``, else the first column or the only one that is a time. The
    value is *column*, else the first number. Names, ids and flags are the groups. NULL, NaN,
    infinity and what comes near it are no points.

    Args:
        result: The rows.
        name: What gave them, for messages.
        column: The column of the values.
        step: Time from one value to the next; told from the rows when ``None``.

    Raises:
        NoTimelineError: There is no column of times or no such number.
    """
    columns = result.columns
    numbers = [index for index, one in enumerate(columns) if _is_value(one)]
    value = _value_column(columns, numbers, name, column)
    at = _time_column(columns)
    if at is None or value is None:
        raise NoTimelineError(f"{name} has {_lack(columns)}; {_NEED}")
    groups = [index for index, one in enumerate(columns) if _is_group(one)]
    series: dict[str, list[Point]] = {}
    for row in result.rows:
        number = _number(row[value])
        moment = _moment(row[at])
        if number is not None and moment is not None:
            series.setdefault(_label(row[index] for index in groups), []).append((moment, number))
    moments = sorted({moment for points in series.values() for moment, _ in points})
    largest = sorted(series.items(), key=lambda one: (-sum(abs(n) for _, n in one[1]), one[0]))
    return Timeline(
        column=columns[value].name,
        others=tuple(columns[index].name for index in numbers if index != value),
        groups=tuple(columns[index].name for index in groups),
        series=dict(largest),
        moments=moments,
        step=step or _step(moments),
    )


_NEED = "--plot needs one column of times, or bucket_at, and a number"


def _is_time(column: Column) -> bool:
    return column.type.startswith("TIMESTAMP") or column.type == "DATE"


def _is_value(column: Column) -> bool:
    return column.is_number and not is_naming(column.name)


def _is_group(column: Column) -> bool:
    is_name = column.is_number and is_naming(column.name)
    return is_name or column.type in {"VARCHAR", "BOOLEAN", "UUID"} or column.type[:4] == "ENUM"


def _time_column(columns: Sequence[Column]) -> int | None:
    times = [index for index, one in enumerate(columns) if _is_time(one)]
    buckets = [index for index in times if columns[index].name == BUCKET]
    if buckets or times[:1] == [0] or len(times) == 1:
        return (buckets or times)[0]
    return None


def _value_column(
    columns: Sequence[Column], numbers: Sequence[int], name: str, wanted: str | None
) -> int | None:
    if wanted is None or not numbers:
        return next(iter(numbers), None)
    names = [columns[index].name for index in numbers]
    if wanted not in names:
        raise NoTimelineError(f"{name} has no number {wanted!r}; it has {', '.join(names)}")
    return numbers[names.index(wanted)]


def _lack(columns: Sequence[Column]) -> str:
    times = [one.name for one in columns if _is_time(one)]
    if len(times) == 1:
        return "no number"
    return f"several times ({', '.join(times)})" if times else "no column of times"


def _label(values: Iterable[object]) -> str:
    return " ".join(_NO_VALUE if one is None else str(one) for one in values)


def _number(value: object) -> float | None:
    if not isinstance(value, int | float | Decimal):
        return None
    number = float(value)
    return number if abs(number) <= _MOST_VALUE else None


def _moment(value: object) -> datetime | None:
    """Return a time of a row as an instant; what names no zone is UTC, as all our times are."""
    if not isinstance(value, date) or value.year not in _YEARS:
        return None
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    return datetime.combine(value, time(), UTC)


def _step(moments: Sequence[datetime]) -> timedelta:
    """Return how far apart buckets are, even if most are missing; for samples, what is usual."""
    apart = sorted(later - earlier for earlier, later in pairwise(moments))
    if not apart:
        return _MINUTE
    is_regular = all(not one % apart[0] for one in apart)
    return apart[0] if is_regular else apart[len(apart) // 2]
