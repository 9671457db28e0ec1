"""The JSON texts of many values as columns of events, and which of them a column holds.

Nothing is coerced: a value fits where its JSON type is the column's and no digit would change.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from logkit.schema import LEVELS
from logkit_analysis.parsers.batch import COLUMN_TYPES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from logkit.schema import Field

_EXACT_FLOAT = 2**53
# Narrower than what a cast takes: these serve where it refuses some value and tells not which.
_INTEGER = r"^(0|-?[1-9]\d{0,8})$"
_NUMBER = r"^-?\d{1,15}(\.\d{1,17})?$"
_DATE = (
    r"[12]\d{3}-((0[13578]|1[02])-(0[1-9]|[12]\d|3[01])|(0[469]|11)-(0[1-9]|[12]\d|30)"
    r"|02-(0[1-9]|1\d|2[0-8]))"
)
_CLOCK = r"([01]\d|2[0-3]):[0-5]\d"
_TIME = rf"^{_DATE}T{_CLOCK}:[0-5]\d(\.\d{{1,6}})?(Z|[+-]{_CLOCK})$"
# Days near the ends of what Python's datetime knows are left to it.
_OLDEST = pa.scalar(datetime(2, 1, 1, tzinfo=UTC), COLUMN_TYPES["timestamp"])
_NEWEST = pa.scalar(datetime(9999, 1, 1, tzinfo=UTC), COLUMN_TYPES["timestamp"])
_SPELLED = {f'"{spelled}"': level for level in LEVELS for spelled in (level, level.upper())}
# Written by DuckDB, these may be longer than they were in the line: 1e2 is 100.0 there.
_LENGTHENED = r"\.0$|e|^-?0\.00"

Converted = tuple[pa.Array, pa.BooleanArray]
"""A column, and which of its values are as they were; null where there is none."""


def converted(field: Field, texts: pa.StringArray) -> Converted:
    """Return the column of *field* that the JSON *texts* are."""
    if field.name == "timestamp":
        return _times(texts)
    if field.name == "level":
        return _levels(texts)
    if field.duckdb == "VARCHAR":
        return unquoted(texts), is_string(texts)
    if field.duckdb == "DOUBLE":
        return _doubles(texts)
    return _cast(texts, COLUMN_TYPES[field.name], _INTEGER)


def is_string(texts: pa.StringArray) -> pa.BooleanArray:
    """Return which of the JSON *texts* are strings."""
    return pc.starts_with(texts, '"')


def unquoted(texts: pa.StringArray) -> pa.StringArray:
    """Return the JSON *texts* of strings without an escape as these strings."""
    return pc.binary_slice(texts.view(pa.binary()), 1, -1).view(pa.string())


def is_as_written(texts: pa.StringArray) -> pa.BooleanArray:
    """Return which numbers, in the *texts* that DuckDB makes of them, are as long as ever."""
    return pc.invert(pc.match_substring_regex(texts, _LENGTHENED))


def compact_size(texts: Mapping[str, pa.StringArray], count: int) -> pa.Int32Array:
    """Return how many bytes each of *count* objects has that holds the values and nothing else.

    Those are 2 for braces, less one for the comma that the last value has not, one for a newline,
    and for each value its own, those of its key, two quotes, a colon and a comma.
    """
    size: pa.Int32Array = pa.repeat(pa.scalar(2, pa.int32()), count)
    for key, values in texts.items():
        taken = pc.add(pc.binary_length(values), pa.scalar(len(key) + 4, pa.int32()))
        size = pc.add(size, pc.fill_null(taken, 0))
    return size


def value_count(texts: Mapping[str, pa.StringArray], count: int) -> pa.Int32Array:
    """Return how many values each of *count* objects has."""
    counts: pa.Int32Array = pa.repeat(pa.scalar(0, pa.int32()), count)
    for values in texts.values():
        counts = pc.add(counts, values.is_valid().cast(pa.int32()))
    return counts


def _cast(texts: pa.StringArray, kind: pa.DataType, pattern: str) -> Converted:
    try:
        column = texts.cast(kind)
    except pa.ArrowInvalid:
        fits = pc.match_substring_regex(texts, pattern)
        return pc.if_else(fits, texts, None).cast(kind), fits
    return column, pc.true_unless_null(column)


def _doubles(texts: pa.StringArray) -> Converted:
    column, fits = _cast(texts, pa.float64(), _NUMBER)
    return column, pc.and_kleene(fits, pc.less(pc.abs(column), float(_EXACT_FLOAT)))


def _times(texts: pa.StringArray) -> Converted:
    column, fits = _cast(unquoted(texts), COLUMN_TYPES["timestamp"], _TIME)
    is_near = pc.and_kleene(pc.greater(column, _OLDEST), pc.less(column, _NEWEST))
    return column, pc.and_kleene(pc.and_kleene(fits, is_string(texts)), is_near)


def _levels(texts: pa.StringArray) -> Converted:
    indexes = pc.index_in(texts, value_set=pa.array(list(_SPELLED)))
    column = pa.array(list(_SPELLED.values())).take(indexes)
    return column, pc.or_(column.is_valid(), texts.is_null())
