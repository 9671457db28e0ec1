"""``--plot``: rows drawn over time, on a terminal and in a pipe."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.usefixtures("store")

BY_MINUTE = "select lk_bucket(60, timestamp) as bucket_at, count(*) as n from events group by 1"


def test_a_query_draws_the_column_that_its_header_names(cli: Any) -> None:
    """The error rate is drawn as one, in the width of the terminal, in the zone asked for."""
    answer = cli("query", "error_rate", "--plot", "--tz", "Asia/Kolkata")
    lines = answer.text.splitlines()
    assert lines[0] == "error_ratio by service, every 60 s"
    assert lines[2] == "bot  at most 100% at 14:39"
    assert lines[-1].strip() == "2026-01-31, Asia/Kolkata (+05:30)"
    assert max(map(len, lines)) <= 80
    assert "\x1b" not in answer.text
    assert "--column draws another: requests, errors" in answer.stderr
    assert "2026-01-31 14:30:00+05:30 until" in answer.stderr


def test_another_column_is_drawn_by_its_name(cli: Any) -> None:
    """--column alone says that a chart is wanted."""
    answer = cli("query", "error_rate", "--column", "requests")
    assert answer.text.startswith("requests by service, every 60 s\n\nbot  always 1\n")


def test_sql_is_drawn_too(cli: Any) -> None:
    """Of a statement's rows the first number is drawn; a text file takes the chart whole."""
    piped = cli("sql", BY_MINUTE, "--plot")
    assert piped.text.startswith("n, every 60 s\n")
    assert cli("sql", BY_MINUTE, "--plot", "--output", "chart.txt").stdout == b""
    assert Path("chart.txt").read_text() == piped.text


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("query", "top_errors"), "top_errors has several times (first_seen_at, last_seen_at); "),
        (("query", "services"), "services has several times "),
        (("query", "feature_usage"), "feature_usage has no column of times; --plot needs one "),
        (("sql", "select timestamp from events"), "the result has no number; --plot needs "),
        (("query",), "--plot draws a query; name one"),
        (("sql", BY_MINUTE, "--format", "csv"), "it cannot be written as csv"),
        (("query", "error_rate", "-o", "x.json"), "it cannot be written as json"),
        (("query", "top_errors", "--column", "p95"), "top_errors has no number 'p95'; it has "),
        (("query", "error_rate", "--column", "p95"), "error_rate has no number 'p95'; it has req"),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, tuple) else "",
)
def test_what_cannot_be_drawn_is_told_in_a_line(
    cli: Any, words: tuple[str, ...], told: str
) -> None:
    """A usage error says what is missing, and nothing is written."""
    answer = cli(*words, "--plot")
    assert (answer.code, answer.stdout) == (2, b"")
    assert told in answer.stderr
    assert answer.stderr.count("\n") == 1


def test_nothing_to_draw_is_said_and_is_no_failure(cli: Any) -> None:
    """Without rows, or with rows of NULL, stdout is empty and stderr says why."""
    empty = cli("query", "error_rate", "--plot", "--since", "2020-01-01", "--until", "2020-01-02")
    assert (empty.code, empty.stdout) == (0, b"")
    assert "no events in this window" in empty.stderr
    null = cli("sql", "select timestamp, null::double as x from events", "--plot")
    assert (null.code, null.stdout) == (0, b"")
    assert null.stderr == "nothing to draw: no row has a x\n"


def test_a_header_names_the_column_to_draw(cli: Any) -> None:
    """@plot is checked: it names a column of the header, and a number."""
    header = "-- @title t\n-- @column at  time\n-- @column n  rows\n-- @plot {}\n"
    sql = "select lk_bucket(60, timestamp) as at, count(*) as n from events group by 1 order by 1"
    Path("queries").mkdir()
    for name, column in (("fine", "n"), ("no_number", "at"), ("unknown", "m")):
        Path(f"queries/{name}.sql").write_text(header.format(column) + sql)
    checked = cli("query", "--check", "--format", "json")
    assert [row["verdict"].partition(".sql:")[2] or row["verdict"] for row in checked.rows] == [
        "fine",
        "its column at, which @plot names, is no number",
        "4: @plot m: no @column of this name",
    ]
    assert cli("query", "fine", "--plot").text.startswith("n, every 60 s\n")
