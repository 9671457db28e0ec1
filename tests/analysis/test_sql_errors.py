"""What a person reads who mistyped SQL: DuckDB's own errors, made by DuckDB."""

from __future__ import annotations

import duckdb
import pytest
from logkit_analysis.sql_errors import plain_words


@pytest.fixture(scope="module")
def connection() -> duckdb.DuckDBPyConnection:
    """Return a database of one small table, locked like ours."""
    connection = duckdb.connect(":memory:")
    connection.execute("create table events (timestamp timestamptz, level text, seq integer)")
    connection.execute("insert into events values (null, 'error', 1), (null, 'info', 2)")
    connection.execute("create macro lk_bucket(seconds, ts) as seconds + ts")
    connection.execute("set temp_directory = ''; set memory_limit = '20MB'")
    connection.execute("set enable_external_access = false; set lock_configuration = true")
    return connection


MISTAKES = {
    "keyword": ("selct 1", 'syntax error at or near "selct"'),
    "column": ("select levl from events", 'there is no column "levl"; similar are "level"'),
    "quotes": ('select * from events where level = "error"', "stands in single quotes: 'error'"),
    "no from": ("select level", 'there is no column "level": the statement has no FROM'),
    "table": ("select * from event", "there is no table event; there are events, quarantine"),
    "alias": ("select x.seq from events e", 'there is no table "x" in FROM; similar are "e"'),
    "function": ("select cuont(*) from events", 'no function cuont; did you mean "count"?'),
    "cast": ("select level::int from events", "'error' to INTEGER when casting from source"),
    "try cast": ("select level::int from events", "; try_cast gives NULL instead"),
    "ambiguous": ("select seq from events a, events b", 'several tables have a column "seq"; '),
    "types": ("select timestamp + 5 from events", "there is no +(TIMESTAMPTZ, INTEGER); try a "),
    "arguments": ("select count(distinct seq, level) from events", "it takes count(arg ANY)"),
    "macro": ("select lk_bucket(60)", "for lk_bucket; it takes lk_bucket(seconds, ts)"),
    "group by": ("select level, count(*) from events", '"level" is neither in GROUP BY nor in'),
    "division": ("select seq % 0 from events", "nullif(divisor, 0) gives NULL"),
    "several rows": ("select (select seq from events)", "that stands for one value; limit 1"),
    "file": ("from 'bot.csv'", "SQL opens no other files: bot.csv; logkit ingest reads logs"),
    "setting": ("set threads = 1", "settings are locked: threads"),
    "two statements": ("select 1 select 2", 'syntax error at or near "select"'),
    "memory": ("select list(i) from range(100000000) t(i)", "out of memory (1"),
}


@pytest.mark.parametrize(("sql", "said"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_told_in_two_lines(
    connection: duckdb.DuckDBPyConnection, sql: str, said: str
) -> None:
    """A sentence in plain words with what helps, then the line of SQL where one is to blame."""
    with pytest.raises(duckdb.Error) as raised:
        connection.execute(sql).fetchall()
    lines = plain_words(str(raised.value)).split("\n")
    assert said in lines[0]
    assert lines[1:] in ([], [f"LINE 1: {sql}"])
    for theirs in ("Error:", "Candidate", "SET ", "INT32", "_LITERAL", "!"):
        assert theirs not in lines[0]


def test_a_long_value_does_not_fill_the_screen(connection: duckdb.DuckDBPyConnection) -> None:
    """Of a value of 100 kB both ends are shown, and what is wrong with it."""
    with pytest.raises(duckdb.Error) as raised:
        connection.execute("select (repeat('x\n', 50000) || current_date)::int").fetchall()
    said = plain_words(str(raised.value)).split("\n")[0]
    assert len(said) < 400
    assert said.startswith("Could not convert string 'x x")
    assert said.endswith("to INTEGER; try_cast gives NULL instead")
