"""Tables, records and escapes, as bytes."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from logkit_analysis.renderers import UNLIMITED
from logkit_analysis.renderers.csv_text import write_csv
from logkit_analysis.renderers.escaping import escape_controls
from logkit_analysis.renderers.json_text import write_json, write_jsonl
from logkit_analysis.renderers.markdown import write_markdown
from logkit_analysis.renderers.table import write_table
from logkit_analysis.results import Column, ResultSet

if TYPE_CHECKING:
    from collections.abc import Iterator

UTC_ZONE = ZoneInfo("UTC")
ZONED = "TIMESTAMP WITH TIME ZONE"
AT = datetime(2026, 1, 31, 9, 0, tzinfo=UTC)


def result(*rows: tuple[object, ...], **types: str) -> ResultSet:
    """Return rows with named and typed columns."""
    return ResultSet(tuple(Column(name, kind) for name, kind in types.items()), list(rows))


def table(rows: ResultSet, width: int = 80, zone: str = "UTC") -> str:
    """Return the table of some rows."""
    stream = io.BytesIO()
    write_table(rows, stream, ZoneInfo(zone), width=width)
    return stream.getvalue().decode()


def test_numbers_stand_in_columns() -> None:
    """Numbers are aligned at their points, text to the left, NULL is blank."""
    rows = result(("a", 1.0, 7), ("bb", 0.25, None), name="VARCHAR", score="DOUBLE", n="BIGINT")
    assert table(rows) == ("name  score  n\n----  -----  -\na      1.00  7\nbb     0.25\n")


@pytest.mark.parametrize(
    ("name", "kind", "values", "cells"),
    [
        ("hits", "BIGINT", (2368, -12_345_678), ["2,368", "-12,345,678"]),
        ("total", "HUGEINT", (2**100,), ["1,267,650,600,228,229,401,496,703,205,376"]),
        ("p95_ms", "DOUBLE", (8564.4, 93.0), ["8,564.4", "93.0"]),
        ("rss_bytes", "BIGINT", (412_000_000, 0, None), ["392.9 MiB", "0.0 MiB", ""]),
        ("slope_bytes_per_hour", "DOUBLE", (1536.0,), ["1,536 B"]),
        ("error_ratio", "DOUBLE", (0.0169, 0.0, 1.0), ["1.69%", "0.00%", "100.00%"]),
        ("error_ratio", "DOUBLE", (0.5, 0.0000169), ["50%", "0.0017%"]),
        ("cost_usd", "DECIMAL(18,4)", (Decimal("1234.5000"),), ["1,234.5"]),
        ("status_code", "BIGINT", (4290,), ["4290"]),
        ("guild_id", "BIGINT", (9007199254740993,), ["9007199254740993"]),
        ("depth", "DOUBLE", (float("nan"), 2.0), ["", "2"]),
    ],
)
def test_numbers_are_written_for_people(
    name: str, kind: str, values: tuple[object, ...], cells: list[str]
) -> None:
    """Thousands apart, bytes and shares in a readable unit, what only names something as it is."""
    rows = result(*((value,) for value in values), **{name: kind})
    assert [line.strip() for line in table(rows).splitlines()[2:]] == cells


def test_a_small_number_among_great_ones_keeps_its_digits() -> None:
    """A ratio in a column of milliseconds is not shown as nothing."""
    lines = table(result((3789.14,), (0.0026,), (0.0,), baseline="DOUBLE")).splitlines()
    assert [line.strip() for line in lines[2:]] == ["3,789.1", "0.0026", "0.0"]


@pytest.mark.parametrize(
    ("zone", "head", "cells"),
    [
        ("UTC", "at (UTC)", ["2026-01-31 09:00:00", "2026-01-31 09:00:00.000001"]),
        ("Europe/Berlin", "at (+01:00)", ["2026-01-31 10:00:00", "2026-01-31 10:00:00.000001"]),
        ("Asia/Kolkata", "at (+05:30)", ["2026-01-31 14:30:00", "2026-01-31 14:30:00.000001"]),
    ],
)
def test_times_are_shown_in_the_zone_that_the_head_tells(
    zone: str, head: str, cells: list[str]
) -> None:
    """A pasted table says its offset; a fraction is there only where a time has one."""
    lines = table(result((AT,), (AT.replace(microsecond=1),), at=ZONED), zone=zone).splitlines()
    assert (lines[0], lines[2:]) == (head, cells)


def test_where_the_clock_changes_each_time_tells_its_offset() -> None:
    """The hour that comes twice is told apart, and so is a time far below the head."""
    hours = [datetime(2026, 10, 25, hour, 30, tzinfo=UTC) for hour in (0, 1)]
    lines = table(result(*((hour,) for hour in hours), at=ZONED), zone="Europe/Berlin").splitlines()
    assert lines[0] == "at (Europe/Berlin)"
    assert lines[2:] == ["2026-10-25 02:30:00+02:00", "2026-10-25 02:30:00+01:00"]
    many = [(hours[0],)] * 1_000 + [(hours[1],)]
    lines = table(result(*many, at=ZONED), zone="Europe/Berlin", width=UNLIMITED).splitlines()
    assert (lines[0], lines[2]) == ("at (+02:00)", "2026-10-25 02:30:00")
    assert lines[-1] == "2026-10-25 02:30:00+01:00"


def test_wide_text_is_wrapped_at_its_joints() -> None:
    """A long endpoint is broken behind a slash, and no character is lost."""
    rows = result(
        ("/channels/{channel_id}/messages/{message_id}", 1), endpoint="VARCHAR", hits="BIGINT"
    )
    lines = table(rows, width=30).splitlines()[2:]
    assert lines == ["/channels/{channel_id}/      1", "messages/{message_id}"]


def test_what_is_broken_last_is_an_id() -> None:
    """A text is broken at blanks, then a time behind its day, then a path; an id never is."""
    path = "/channels/{channel_id}/messages/{message_id}"
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    types = {"message": "VARCHAR", "at": ZONED, "endpoint": "VARCHAR", "trace_id": "VARCHAR"}
    rows = result(("the call was refused by them", AT, path, trace), **types)
    assert table(rows, width=118).splitlines()[2:] == [
        f"the call was refused 2026-01-31 09:00:00 {path} {trace}",
        "by them",
    ]
    assert table(rows, width=107).splitlines()[2:] == [
        f"the call was   2026-01-31     {path} {trace}",
        "refused by     09:00:00",
        "them",
    ]
    short = result((AT, path, trace), at=ZONED, endpoint="VARCHAR", trace_id="VARCHAR")
    assert table(short, width=80).splitlines()[2:] == [
        f"2026-01-31 09:00:00 /channels/{{channel_id}}/     {trace}",
        "                    messages/{message_id}",
    ]
    records = table(rows, width=60).splitlines()
    assert records[0] == "--- row 1 of 1"
    assert {path, trace} <= {line.split("  ")[-1] for line in records}


def test_without_a_width_a_row_is_a_line() -> None:
    """Nothing is broken in a pipe, neither cells nor heads."""
    types = {f"column_{i}": "VARCHAR" for i in range(40)}
    lines = table(result(("a text of words",) * 40, **types), width=UNLIMITED).splitlines()
    assert len(lines) == 3
    assert lines[2].count("a text of words") == 40
    long, short = table(
        result(("x" * 60_000, 1), ("y", 2), message="VARCHAR", n="BIGINT"), width=UNLIMITED
    ).splitlines()[2:]
    assert long == "x" * 60_000 + "  1"
    assert len(short) < 200


def test_too_many_columns_become_records() -> None:
    """What cannot stand side by side is listed, with the number of empty columns."""
    types = {f"column_{i}": "VARCHAR" for i in range(20)}
    rows = result(("x",) * 19 + (None,), **types)
    lines = table(rows, width=40).splitlines()
    assert lines[0] == "--- row 1 of 1, 1 empty columns left out"
    assert lines[1] == "column_0   x"
    assert len(lines) == 20


def test_wide_characters_keep_the_columns_straight() -> None:
    """A character of two cells counts twice."""
    rows = result(("日本", 1), ("ab", 2), name="VARCHAR", n="BIGINT")
    assert table(rows).splitlines()[2:] == ["日本  1", "ab    2"]


TEXTS = st.text(max_size=40)


@given(rows=st.lists(st.tuples(TEXTS, st.floats() | st.none(), st.integers()), max_size=5))
def test_json_reads_back(rows: list[tuple[str, float | None, int]]) -> None:
    """JSON and JSON lines hold the values exactly, but for NaN, infinity and lone surrogates."""
    found = result(*rows, text="VARCHAR", number="DOUBLE", whole="HUGEINT")
    whole, lines = io.BytesIO(), io.BytesIO()
    write_json(found, whole)
    write_jsonl(found, lines)
    expected = [
        {
            "text": text,
            "number": number if number is not None and abs(number) < float("inf") else None,
            "whole": integer,
        }
        for text, number, integer in rows
    ]
    assert json.loads(whole.getvalue()) == expected
    assert [json.loads(line) for line in lines.getvalue().splitlines()] == expected
    assert len(lines.getvalue().splitlines()) == len(rows)


@given(text=TEXTS)
def test_no_format_lets_controls_through(text: str) -> None:
    """Whatever a log line holds, no text format writes a control or a bidi character."""
    rows = result((f"\x1b{text}",), t="VARCHAR")
    unsafe = {*map(chr, range(32)), *map(chr, range(0x7F, 0xA0)), *"\u202a\u202e\u2066"} - {"\n"}
    for write in (write_json, write_jsonl):
        stream = io.BytesIO()
        write(rows, stream)
        assert not unsafe & set(stream.getvalue().decode())
    for render in (write_csv, write_markdown):
        stream = io.BytesIO()
        render(rows, stream, UTC_ZONE)
        assert not unsafe & set(stream.getvalue().decode())
    assert not unsafe & set(table(rows))


@given(text=TEXTS)
def test_a_row_is_one_line(text: str) -> None:
    """Line breaks in log content make no lines in CSV and JSON lines."""
    rows = result((text,), t="VARCHAR")
    stream = io.BytesIO()
    write_csv(rows, stream, UTC_ZONE)
    assert stream.getvalue().decode().count("\n") == 2


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("plain", "plain"),
        ("a\tb\nc\r", "a\\tb\\nc\\r"),
        ("\x1b[31m", "\\x1b[31m"),
        ("\u202e", "\\u202e"),
        ("\U000e0041", "\\U000e0041"),
        ("👩\u200d💻 ñ", "👩\u200d💻 ñ"),
    ],
)
def test_escapes(text: str, escaped: str) -> None:
    """Controls and invisible characters are named; other text, emoji included, stays."""
    assert escape_controls(text) == escaped


def test_a_long_table_is_written_as_its_rows_come() -> None:
    """Only the first thousand rows or two wait; later ones keep the columns, numbers stay whole."""
    stream = io.BytesIO()

    def rows() -> Iterator[tuple[object, ...]]:
        for number in range(2_500):
            if number == 2_400:
                assert stream.getvalue().count(b"\n") > 2_000
            yield number, "text"
        yield 10**12, "longer text"

    types = (Column("n", "BIGINT"), Column("t", "VARCHAR"))
    write_table(ResultSet(types, rows()), stream, UTC_ZONE, width=20)
    lines = stream.getvalue().decode().splitlines()
    assert lines[2:4] == ["  0  text", "  1  text"]
    assert lines[-4:] == ["2,499  text", "1,000,000,000,000  long", "     er", "     text"]
