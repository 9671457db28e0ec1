"""Rows of a table as small mappings."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from logkit_analysis.live.row import rows, times

_TEXTS = st.none() | st.sampled_from(["info", "error"]) | st.text(max_size=3)
_TABLES = st.lists(
    st.tuples(_TEXTS, st.none() | st.integers(-5, 5), st.none() | st.just(1.5)), max_size=9
)


@settings(deadline=None)
@given(_TABLES, st.integers(0, 4))
def test_a_row_is_the_mapping_of_its_values(
    values: list[tuple[str | None, int | None, float | None]], cut: int
) -> None:
    """It has what a dict without the missing values has, however the table is cut."""
    names = ("text", "number", "share")
    kinds = (pa.string(), pa.int64(), pa.float64())
    columns = [
        pa.chunked_array(
            [[row[place] for row in part] for part in (values[:cut], values[cut:])], kind
        )
        for place, kind in enumerate(kinds)
    ]
    found = list(rows(pa.table(columns, names=list(names)), names))
    expected: list[dict[str, Any]] = [
        {name: value for name, value in zip(names, row, strict=True) if value is not None}
        for row in values
    ]
    assert found == expected
    for row, same in zip(found, expected, strict=True):
        assert (len(row), list(row), repr(row)) == (len(same), list(same), f"Row({same})")
        assert [row.get(name, 7) for name in (*names, "other")] == [
            same.get(name, 7) for name in (*names, "other")
        ]
        for name in {*names, "other"} - same.keys():
            with pytest.raises(KeyError):
                row[name]


@given(st.lists(st.none() | st.datetimes(timezones=st.just(UTC))))
def test_times_are_read_as_arrow_reads_them(values: list[datetime | None]) -> None:
    """Any time of the calendar, to the microsecond."""
    column = pa.chunked_array([values], pa.timestamp("us", tz="UTC"))
    assert times(column) == values
