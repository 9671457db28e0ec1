"""A line over the limit is a reject, whole, whichever way the lines are read."""

from __future__ import annotations

import json
from datetime import UTC
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from logkit_analysis.parsers import json_chunks
from logkit_analysis.parsers.json_lines import JsonLinesParser, Record
from logkit_analysis.parsers.line_limit import long_lines

LIMIT = 60

some_lines = st.lists(st.binary(max_size=9).map(lambda noise: noise.replace(b"\n", b"")))
events = st.builds(
    lambda seq, filling: b'{"level":"info","seq":%d,"note":"%s"}' % (seq, b"x" * filling),
    st.integers(0, 10**6),
    st.integers(0, LIMIT),
)


@given(some_lines, st.integers(0, 9), st.booleans())
def test_the_long_lines_are_found(lines: list[bytes], limit: int, has_end: bool) -> None:
    """All of them and no others, with a newline at the end or without."""
    data = b"\n".join(lines) + b"\n" * has_end
    expected, begin = [], 0
    for line in data.split(b"\n"):
        if len(line) > limit:
            expected.append((begin, begin + len(line)))
        begin += len(line) + 1
    assert list(long_lines(data, limit)) == expected


@settings(max_examples=40, deadline=None)
@given(st.lists(events | st.just(b"x" * 2 * LIMIT) | st.just(b""), max_size=40), st.booleans())
def test_both_ways_of_reading_agree(lines: list[bytes], has_end: bool) -> None:
    """A chunk gives the events and rejects that its lines give one by one."""
    plain = JsonLinesParser(UTC, LIMIT)
    data = b"\n".join(lines) + b"\n" * has_end
    expected_events, expected_rejects, offset = {}, [], 1_000
    for line in data.removesuffix(b"\n").split(b"\n") if data else ():
        outcome = plain.parse(line)
        if isinstance(outcome, Record):
            expected_events[offset] = outcome.columns | json.loads(outcome.fields or b"{}")
        else:
            expected_rejects.append((offset, outcome.reason, line))
        offset += len(line) + 1

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_chunks, "FEWEST_LINES", 1)
        batch = json_chunks.JsonChunkParser(plain).parse(data, 1_000)

    found: dict[int, dict[str, Any]] = {}
    for table in batch.tables:
        for row in table.to_pylist():
            place, rest = row.pop("source_offset"), json.loads(row.pop("fields", None) or "{}")
            found[place] = {name: value for name, value in row.items() if value is not None} | rest
    assert found == expected_events
    assert [(line.offset, line.reason, line.raw) for line in batch.rejects] == expected_rejects
