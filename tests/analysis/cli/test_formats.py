"""Every format, through the command: exact values, harmless text, whole files."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import stat
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

pytestmark = pytest.mark.usefixtures("store")

VALUES = (
    "select 9223372036854775807 as big, 170141183460469231731687303715884105727::hugeint as huge,"
    " 'nan'::double as nan, 0.1::double as tenth, timestamptz '2026-01-31 10:00:00.5+01' as at,"
    " null as nothing, '' as empty, true as yes, '\\xAA'::blob as bytes,"
    " '{\"id\": 9007199254740993}'::json as nested, [1, 2] as list, 1.50::decimal(5,2) as cents"
)
CONTROLS = "select chr(27) || '[2J' || chr(155) || chr(8238) || chr(13) || chr(10) as evil"


def test_json_is_one_array_with_exact_values(cli: Any) -> None:
    """Integers keep their digits, times are UTC with Z, NaN is null, JSON is nested."""
    answer = cli("sql", VALUES, "--format", "json", "--tz", "Europe/Berlin")
    assert answer.rows == [
        {
            "big": 9223372036854775807,
            "huge": 170141183460469231731687303715884105727,
            "nan": None,
            "tenth": 0.1,
            "at": "2026-01-31T09:00:00.500Z",
            "nothing": None,
            "empty": "",
            "yes": True,
            "bytes": "\\xaa",
            "nested": {"id": 9007199254740993},
            "list": [1, 2],
            "cents": 1.5,
        }
    ]
    assert b"1.50" in answer.stdout


def test_no_rows_are_an_empty_array(cli: Any) -> None:
    """JSON of no rows is still JSON."""
    assert cli("sql", "select 1 as x where false", "--format", "json").rows == []
    assert cli("sql", "select 1 as x where false", "--format", "jsonl").stdout == b""
    assert cli("sql", "select 1 as x where false", "--format", "csv").text == "x\n"


def test_csv_can_be_read_back(cli: Any) -> None:
    """A CSV reader finds every value; times carry the offset of --tz; NULL is not ''."""
    text = cli("sql", VALUES, "--format", "csv", "--tz", "Europe/Berlin").text
    row = next(csv.DictReader(io.StringIO(text)))
    assert row["big"] == "9223372036854775807"
    assert row["at"] == "2026-01-31T10:00:00.500+01:00"
    assert (row["nan"], row["nothing"], row["yes"]) == ("", "", "true")
    assert ',,"",' in text


@pytest.mark.parametrize("text", ["=1+1", "+cmd", "-2+3", "@sum", "=-1"])
def test_csv_disarms_formulas(cli: Any, text: str) -> None:
    """Log text that a spreadsheet would run becomes text."""
    out = cli("sql", f"select '{text}' as cell", "--format", "csv").text
    assert out == f"cell\n'{text}\n"


@pytest.mark.parametrize("text", ["-1001234567890", "+49", "-1.5", "a=b"])
def test_csv_leaves_ids_alone(cli: Any, text: str) -> None:
    """A Telegram chat id is negative and stays as it is."""
    assert cli("sql", f"select '{text}' as id", "--format", "csv").text == f"id\n{text}\n"


@pytest.mark.parametrize("form", ["table", "json", "jsonl", "csv", "markdown"])
def test_control_characters_never_come_out(cli: Any, form: str) -> None:
    """No text format lets log content move the cursor or reorder the line."""
    out = cli("sql", CONTROLS, "--format", form).text
    assert not set(out) & set("\x1b\x9b\u202e\r")


def test_markdown_is_only_a_table(cli: Any) -> None:
    """Log content makes no links, HTML or columns in Markdown."""
    out = cli("sql", "select '[a](b) <i> |' as t, 1 as n", "--format", "markdown").text
    assert out == "| t | n |\n| --- | ---: |\n| \\[a\\](b) \\<i\\> \\| | 1 |\n"


def test_parquet_says_what_it_cannot_hold(cli: Any) -> None:
    """A time beyond Python's calendar is an error in one line, and no half a file is left."""
    answer = cli("sql", "select timestamptz '290000-01-01' as far", "--output", "far.parquet")
    assert answer.code == 1
    assert answer.stderr.startswith("logkit: column far as TIMESTAMP WITH TIME ZONE: ")
    assert not Path("far.parquet").exists()


def test_parquet_keeps_types(cli: Any) -> None:
    """Parquet holds integers, instants and NULL as such."""
    assert cli("sql", VALUES, "--output", "values.parquet").code == 0
    row = pq.read_table("values.parquet").to_pylist()[0]
    assert row["big"] == 9223372036854775807
    assert int(row["huge"]) == 170141183460469231731687303715884105727
    assert row["at"] == datetime(2026, 1, 31, 9, 0, 0, 500_000, tzinfo=UTC)
    assert row["nothing"] is None
    assert row["bytes"] == b"\xaa"


def test_suffix_of_the_output_says_the_format(cli: Any) -> None:
    """--output x.csv writes CSV unless --format says otherwise."""
    cli("sql", "select 1 as x", "--output", "x.csv")
    assert Path("x.csv").read_text() == "x\n1\n"
    cli("sql", "select 1 as x", "--output", "x.csv", "--format", "jsonl")
    assert Path("x.csv").read_text() == '{"x":1}\n'


def test_a_failed_command_leaves_the_file_alone(cli: Any) -> None:
    """A file is replaced when the result is whole, and never left half-written."""
    Path("x.csv").write_text("old")
    late = "select error('late') from range(300000) t(x) where x = 299999"
    assert cli("sql", f"{late} union all select 1", "--output", "x.csv").code == 1
    assert Path("x.csv").read_text() == "old"
    assert sorted(path.name for path in Path().glob("*x.csv*")) == ["x.csv"]


def test_missing_folder_is_named(cli: Any) -> None:
    """A folder that is not there is named, not our partial file."""
    answer = cli("sql", "select 1", "--output", "nowhere/x.csv")
    assert answer.code == 1
    assert answer.stderr == "logkit: nowhere: no such directory\n"


def test_output_may_be_a_device(cli: Any) -> None:
    """A FIFO or device is written in place, not replaced."""
    assert cli("sql", "select 1", "--output", os.devnull).code == 0
    assert stat.S_ISCHR(Path(os.devnull).stat().st_mode)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a command showed on a terminal, and what it said beside it."""

    screen: list[str]
    notes: str


def on_terminal(*arguments: str) -> Seen:
    """Run ``logkit`` in a process whose stdout is a terminal."""
    ours, theirs = pty.openpty()
    words = [sys.executable, "-m", "logkit_analysis", *arguments]
    with subprocess.Popen(words, stdout=theirs, stderr=subprocess.PIPE, text=True) as process:
        os.close(theirs)
        parts = []
        # Linux tells the end of a terminal by an error.
        with suppress(OSError):
            while part := os.read(ours, 65536):
                parts.append(part)
        notes = process.stderr.read() if process.stderr else ""
    os.close(ours)
    return Seen(b"".join(parts).decode().splitlines(), notes)


@pytest.mark.usefixtures("cli")
def test_tables_fit_into_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wide result is wrapped or shown as records; nothing of it is cut off."""
    monkeypatch.setenv("NO_COLOR", "1")
    words = on_terminal("sql", "select repeat('word ', 60) as w, 1 as n").screen
    records = on_terminal("sql", "from events limit 2").screen
    assert max(map(len, words + records)) <= 80
    assert " ".join(words).count("word") == 60
    assert "empty columns left out" in records[0]


def test_in_a_pipe_and_in_a_file_a_row_is_a_line(cli: Any) -> None:
    """No cell is broken or cut, whatever the terminal's width: grep and copying work."""
    path = "/channels/{channel_id}/messages/{message_id}"
    statement = f"select '{path}' as endpoint, repeat('word ', 60) as w, * from events limit 2"
    lines = cli("sql", statement).text.splitlines()
    assert len(lines) == 4
    assert all(line.startswith(path) and line.count("word ") == 60 for line in lines[2:])
    cli("sql", statement, "--output", "rows.txt")
    assert Path("rows.txt").read_text().splitlines() == lines


def test_a_terminal_gets_a_thousand_rows_and_a_pipe_all(cli: Any) -> None:
    """A screen is not flooded: stderr tells how many rows are left out and how to get them."""
    statement = "select i from range(3500) as numbers (i)"
    seen = on_terminal("sql", statement)
    assert seen.screen[-1].strip() == "999"
    assert "2,500 more are not shown" in seen.notes
    assert "--output FILE.csv" in seen.notes
    piped = cli("sql", statement)
    assert piped.text.splitlines()[-1].strip() == "3,499"
    assert piped.stderr == ""


def test_json_lines_of_an_export_hold_what_an_event_has(cli: Any) -> None:
    """Fields that an event lacks are left out; rows of a query keep every column."""
    (first, *_) = cli("export", "--format", "jsonl").text.splitlines()
    assert {"timestamp", "service", "fields"} <= json.loads(first).keys()
    assert None not in json.loads(first).values()
    (row,) = cli("sql", "select 1 as x, null as y", "--format", "jsonl").text.splitlines()
    assert json.loads(row) == {"x": 1, "y": None}
