"""Lines of text that are read by column mean what they mean one by one."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from logkit_analysis.parsers.chunk_parser import ChunkParser
from logkit_analysis.parsers.text import columnar_texts, splitting, text_parser
from logkit_analysis.parsers.text.columnar_texts import ColumnarTexts
from logkit_analysis.parsers.text.layout import FormatTable

USUAL = (
    '203.0.113.9 - - [20/May/2015:04:05:11 +0000] "GET /a?b=1 HTTP/1.1" 200 36 "-" "curl/8"',
    '203.0.113.9 - ann [29/Feb/2016:23:59:59 -0730] "POST / HTTP/1.0" 500 -',
    '::1 id - [20/May/2015:04:05:11 +1400] "GET /a? HTTP/2.0" 304 0 "http://e.org/" "é" 1.250',
)
ADDRESSES = ["203.0.113.9", "::1", "-", "a\u00a0b", '"', "", "{", "\ufeff1", "\x1b[1m1"]
USERS = ["-", "ann", "ann lee", '""', "[x", "é"]
TIMES = [
    *("20/May/2015:04:05:11 +0000", "29/Feb/2016:23:59:59 -0730", "01/Jan/1970:00:00:00 +1400"),
    *("29/Feb/2015:04:05:11 +0000", "20/may/2015:04:05:11 +0000", "20/May/2015:24:00:00 +0000"),
    *("20/May/2015:04:05:11", "20/May/2015:04:05:60 +0000", "20/May/0015:04:05:11 +0000", "x"),
    *("31/Apr/2015:04:05:11 +0000", "20/May/2015:04:05:11 +9959", "00/May/2015:04:05:11 +0000"),
]
REQUESTS = [
    *("GET / HTTP/1.1", "POST /a?b=c?d HTTP/1.1", "GET /? HTTP/2", "GET /?- HTTP/1.1", "-", ""),
    *("GET /a", "get / HTTP/1.1", r"\x16\x03", r"GET /\" HTTP/1.1", "GET ?a HTTP/1.1", "OPTIONS *"),
    *("GET /é HTTP/1.1", "GET /a b HTTP/1.1", "GET /a\tb HTTP/1.1", "M-SEARCH * HTTP/1.1"),
]
TAILS = [
    *("", ' "-" "-"', ' "" ""', ' "-" "a b" 0.123', ' "-" "x" 12.5', ' "-" "x" more', "\r"),
    *(r' "-" "a\"b"', ' "-" "\x01"', ' "-" "a\x85b"', ' "-" "é" 123456789.123', ' "x"', " 0.1"),
]
access_lines = st.builds(
    '{} {} {} [{}] "{}" {} {}{}'.format,
    st.sampled_from(ADDRESSES),
    st.sampled_from(["-", "id"]),
    st.sampled_from(USERS),
    st.sampled_from(TIMES),
    st.sampled_from(REQUESTS),
    st.sampled_from(["200", "404", "-", "20", "999"]),
    st.sampled_from(["0", "17", "-", "007", "123456789012345678901", "x"]),
    st.sampled_from(TAILS),
)

inner = st.sampled_from(
    [
        '{"timestamp":"2026-03-19T10:00:00.5Z","level":"info","event":"tick","a":1}',
        '{"timestamp":"2026-03-19T10:00:01Z","seq":5}',
        '{"timestamp": "2026-03-19T10:00:02Z", "message": "one two"}',
        '{"timestamp":"2026-03-19T10:00:00","level":"info"}',
        '{"timestamp":null,"seq":6}',
        '{"level":"info","seq":7}',
        '{"timestamp":"2026-03-19T10:00:02Z","stream":"x"}',
        '{"timestamp":"2026-03-19T10:00:02Z",',
        '"seq":8}',
        '{"message":"é","timestamp":"2026-03-19T10:00:02Z"}\r',
        "free text",
        "{",
        "",
        " {}",
    ]
)
cri_lines = st.builds(
    "2026-03-19T10:00:{:02}{} {} {} {}".format,
    st.integers(0, 5),
    st.sampled_from(["Z", ".1Z", ".123456789Z", "+02:00", "x"]),
    st.sampled_from(["stdout", "stderr", "stdout", "other"]),
    st.sampled_from(["F", "F", "F", "P", "X"]),
    inner,
)


def _read(name: str, data: bytes, fewest_lines: int) -> tuple[dict[int, Any], list[Any]]:
    """Return events and rejects by offset; columns are used from *fewest_lines* on."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_parser, "FEWEST_LINES", fewest_lines)
        batch = ChunkParser(UTC, only_format=name).parse(
            data, 1_000, written_at=datetime(2026, 3, 20, tzinfo=UTC)
        )
    events = {}
    for table in batch.tables:
        for row in table.to_pylist():
            place, rest = row.pop("source_offset"), json.loads(row.pop("fields", None) or "{}")
            assert place not in events
            events[place] = {k: v for k, v in row.items() if v is not None} | {"fields": rest}
    return events, sorted((line.offset, line.reason, line.raw) for line in batch.rejects)


def _log(lines: list[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


@settings(max_examples=40, deadline=None)
@given(st.lists(access_lines | st.sampled_from(USUAL) | st.text(max_size=3), max_size=30))
@example([*USUAL, "", "no request"])
@example(['203.0.113.9 - "" [20/May/2015:04:05:11 +0000] "GET / HTTP/1.1" 200 0'])
@example(['203.0.113.9 - a\\b [20/May/2015:04:05:11 +9959] "GET / HTTP/1.1" 200 0'])
def test_access_lines(lines: list[str]) -> None:
    """The same events and rejects, whatever stands in the fields."""
    data = _log([line.replace("\n", " ") for line in lines])
    assert _read("access", data, 1) == _read("access", data, 10**9)


@settings(max_examples=40, deadline=None)
@given(st.lists(cri_lines | st.text(max_size=3), max_size=30), st.sampled_from([70, 500, 10**6]))
def test_json_in_lines_of_kubernetes(lines: list[str], gap: int) -> None:
    """The same events and rejects, also where parts of lines mingle with whole ones."""
    head = ["2026-03-19T10:00:00Z stdout F " + '{"timestamp":"2026-03-19T10:00:00.5Z","a":1}'] * 9
    data = _log([*head, *(line.replace("\n", " ") for line in lines)])
    with pytest.MonkeyPatch.context() as patch:
        for module in (splitting, columnar_texts):
            patch.setattr(module, "GAP_BYTES", gap)
        assert _read("cri:json", data, 1) == _read("cri:json", data, 10**9)


def test_usual_access_lines_are_read_by_column() -> None:
    """Common, combined, and with a request time; broken UTF-8 is handed back."""
    from logkit_analysis.parsers.lines import Lines

    read = ColumnarTexts().reader(FormatTable().layout("apache"))
    assert read is not None
    tables, others = read(Lines(_log([*USUAL]) + b"\xff\n", 0))
    assert [table.num_rows for table in tables] == [len(USUAL)]
    assert others == [len(USUAL)]


def test_other_layouts_are_not_read_by_column() -> None:
    """Neither several formats in one log nor text inside a transport."""
    columnar, table = ColumnarTexts(), FormatTable()
    for name in ("json", "nginx", "cri:python", "python", "docker", "syslog:json"):
        assert columnar.reader(table.layout(name)) is None
