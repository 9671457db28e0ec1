"""A chunk of many JSON lines means what each of its lines means alone."""

from __future__ import annotations

import json
from datetime import UTC
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from hypothesis import example, given, settings
from hypothesis import strategies as st
from logkit_analysis.parsers.batch import parse_lines
from logkit_analysis.parsers.json_chunks import FEWEST_LINES, JsonChunkParser
from logkit_analysis.parsers.json_lines import JsonLinesParser

if TYPE_CHECKING:
    from logkit_analysis.parsers.batch import Batch

words = st.sampled_from(["level", "event", "status_code", "userId", "x"])
keys = words | words.map(str.upper) | words.map(str.title) | words.map(lambda key: f"{key}\n")


def rows(batch: Batch) -> list[dict[str, Any]]:
    """Return the events in the order of their lines, without what is NULL."""
    found = [row for table in batch.tables for row in table.to_pylist()]
    for row in found:
        row["fields"] = json.loads(row.get("fields") or "{}")
    known = [{name: value for name, value in row.items() if value is not None} for row in found]
    return sorted(known, key=lambda row: row["source_offset"])


@settings(max_examples=8, deadline=None)
@given(st.lists(st.sets(keys | st.text(max_size=8), min_size=1, max_size=4), min_size=1))
@example([{"abc\n"}])
@example([{"userId"}, {"userID"}])
@example([{"level", "LEVEL"}, {"Level"}])
def test_any_keys_may_be_in_many_lines(shapes: list[set[str]]) -> None:
    """Keys that differ in case alone, or hold what no name has, are keys as all others."""
    values = [{"event": "found", **dict.fromkeys(sorted(shape), "info")} for shape in shapes]
    lines = [json.dumps(value).encode() for value in values] * (FEWEST_LINES // len(values) + 1)
    data = b"".join(line + b"\n" for line in lines)
    offsets = accumulate((len(line) + 1 for line in lines[:-1]), initial=0)
    plain = JsonLinesParser(UTC)
    alone = parse_lines(zip(offsets, lines, strict=True), plain)
    assert rows(JsonChunkParser(plain).parse(data, 0)) == rows(alone)
