"""Tables, records and escapes, as bytes."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from logkit_analysis.renderers.csv_text import write_csv
from logkit_analysis.renderers.escaping import escape_controls
from logkit_analysis.renderers.json_text import write_json, write_jsonl
from logkit_analysis.renderers.markdown import write_markdown
from logkit_analysis.renderers.table import write_table
from logkit_analysis.results import Column, ResultSet

if TYPE_CHECKING:
    from collections.abc import Iterator

UTC_ZONE = ZoneInfo("UTC")
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
    rows = result(("a", 1.0, 7), ("bb", 0.25, None), name="VARCHAR", ratio="DOUBLE", n="BIGINT")
    assert table(rows) == ("name  ratio  n\n----  -----  -\na      1.00  7\nbb     0.25\n")


def test_a_small_number_among_great_ones_keeps_its_digits() -> None:
    """A ratio in a column of milliseconds is not shown as nothing."""
    lines = table(result((3789.14,), (0.0026,), (0.0,), baseline="DOUBLE")).splitlines()
    assert [line.strip() for line in lines[2:]] == ["3789.1", "0.0026", "0.0"]


def test_times_are_shown_in_the_zone() -> None:
    """A time shows its offset, a fraction only where there is one."""
    rows = result((AT,), (AT.replace(microsecond=1),), at="TIMESTAMP WITH TIME ZONE")
    lines = table(rows, zone="Europe/Berlin").splitlines()[2:]
    assert lines == ["2026-01-31 10:00:00+01:00", "2026-01-31 10:00:00.000001+01:00"]


def test_wide_text_is_wrapped_at_its_joints() -> None:
    """A long endpoint is broken behind a slash, and no character is lost."""
    rows = result(
        ("/channels/{channel_id}/messages/{message_id}", 1), endpoint="VARCHAR", hits="BIGINT"
    )
    lines = table(rows, width=30).splitlines()[2:]
    assert lines == ["/channels/{channel_id}/      1", "messages/{message_id}"]


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
    assert lines[-4:] == ["2499  text", "1000000000000  long", "     er", "     text"]
