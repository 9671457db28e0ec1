"""data_quality: what counts as the same row twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from logkit.schema import FIELDS

ROW: dict[str, Any] = {
    "timestamp": datetime(2026, 1, 31, 9, tzinfo=UTC),
    "service": "bot",
    "event": "api_call",
    "message": "called",
}
OTHER = {"VARCHAR": "other", "INTEGER": 7, "BIGINT": 7, "DOUBLE": 7.5}


def copies(store: Any) -> int:
    """Return how many rows are told to be copies of another."""
    return sum(row["count"] for row in store.run("data_quality") if row["check"] == "duplicates")


def test_the_same_row_twice_is_a_duplicate(store: Any) -> None:
    """Rows without a sequence number that agree in everything are counted as copies."""
    store.fill([ROW, ROW, ROW])
    assert copies(store) == 2


def test_the_longest_gap_is_told_with_its_start(store: Any) -> None:
    """A gap is told with its length and, in RFC 3339, the time of the last row before it."""
    minutes = (0, 10, 30, 31)
    store.fill([ROW | {"timestamp": ROW["timestamp"] + timedelta(minutes=m)} for m in minutes])
    (gap,) = [row for row in store.run("data_quality") if row["check"] == "gap"]
    assert (gap["count"], gap["detail"]) == (2, "longest 1200.0 s from 2026-01-31T09:10:00.000Z")


@pytest.mark.parametrize("name", [f.name for f in FIELDS if f.name != "timestamp"] + ["fields"])
def test_a_difference_in_any_field_makes_two_rows(store: Any, name: str) -> None:
    """Two calls of one instant to different endpoints, say, are no copies of each other."""
    kinds = {field.name: field.duckdb for field in FIELDS}
    other = OTHER[kinds[name]] if name in kinds else '{"a": 1}'
    store.fill([ROW, ROW | {name: other}])
    assert copies(store) == 0


@pytest.mark.parametrize(
    "key",
    ['ke"y', "k'ey", "a.b", "a/b", "~", "a~1b", "$x", "*", "", "0", "a\nb", "\u202e"],
)
def test_any_key_of_the_catch_all_can_be_read(store: Any, key: str) -> None:
    """lk_field finds a key whatever characters it has, and nothing under another."""
    query = "select lk_field(json_object($key, 'found'), $key), lk_field('{}', $key)"
    assert store.connection.execute(query, {"key": key}).fetchall() == [("found", None)]
