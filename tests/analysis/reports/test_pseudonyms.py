"""Pseudonyms: whatever ids a log has and wherever they stand, none of them leaves the house."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from logkit_analysis.reports.document import (
    Block,
    Document,
    Head,
    Queries,
    Query,
    Section,
    Table,
    Text,
    Tile,
    Tiles,
)
from logkit_analysis.reports.markdown import render_markdown
from logkit_analysis.reports.pseudonyms import redacted

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY, OTHER_KEY = b"k" * 32, b"o" * 32
COLUMNS = ("user_id", "guild_id", "channel_id", "chat_id")

snowflakes = st.integers(10**16, 10**19).map(str)
telegram = st.integers(10**4, 10**13).map(lambda number: f"-{number}")
slack = st.from_regex(r"[UCT][0-9A-Z]{8,10}", fullmatch=True)
names = st.from_regex(r"[a-z]{3,8}[._@ 0-9][a-zé用]{2,8}[0-9]{0,3}", fullmatch=True)
ids = st.one_of(snowflakes, telegram, slack, names)
around = st.sampled_from(
    ["{}", "<@{}>", "user={}&x=1", "/users/{}/bans", "u_{}_1", '{{"id": "{}"}}', "({}).", "é{}é"]
)
glued = st.sampled_from(["x{}y", "user{}", "id{}id"])


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield a database whose events have ids alone."""
    with duckdb.connect() as connection:
        columns = ", ".join(f"{name} varchar" for name in COLUMNS)
        connection.execute(f"create table events ({columns})")
        yield connection


def a_report(texts: list[str]) -> Document:
    """Return a report in which *texts* stand at every kind of place."""
    blocks: tuple[Block, ...] = (
        *(Text(one) for one in texts),
        Tiles(tuple(Tile(one, one, one) for one in texts)),
        Table("Texts", (Head("Text"),), tuple((one,) for one in texts), (1,), texts[0]),
        Queries((Query(1, "trace", "t", "select 1", (("id", texts[0]),), 1),)),
    )
    facts = (("Services", texts[-1]),)
    return Document(texts[0], "none", "", (texts[0],), facts, (Section("a", "A", blocks),), "UTC")


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_no_id_survives(connection: duckdb.DuckDBPyConnection, data: st.DataObject) -> None:
    """No id of any field is left in any text; long ones are found within other words too."""
    rows = data.draw(st.lists(st.tuples(ids, ids, ids, ids), min_size=1, max_size=4))
    connection.execute("delete from events")
    connection.executemany("insert into events values (?, ?, ?, ?)", rows)
    known = sorted({one for row in rows for one in row})
    texts = [
        data.draw(st.one_of(around, glued) if len(one) >= 8 else around).format(one)
        for one in known
    ]
    shown = redacted(a_report(texts), connection, KEY)
    written = re.sub(r"\\(.)", r"\1", render_markdown(shown))
    assert [one for one in known if one in written] == []


def pseudonyms(document: Document) -> list[str]:
    """Return the pseudonyms of a report."""
    return re.findall(r"[a-z]+-[0-9a-f]{8}", render_markdown(document))


def test_a_name_is_stable_and_needs_the_key(connection: duckdb.DuckDBPyConnection) -> None:
    """One id has one name in every report of a key; another key gives another."""
    connection.execute("delete from events")
    connection.execute("insert into events (user_id) values ('80351110224678912')")
    one, other = a_report(["<@80351110224678912>"]), a_report(["of 80351110224678912"])
    first, again = (set(pseudonyms(redacted(part, connection, KEY))) for part in (one, other))
    assert first == again
    assert len(first) == 1
    assert first.isdisjoint(pseudonyms(redacted(one, connection, OTHER_KEY)))


@pytest.mark.parametrize("text", ["42 requests", "3.14159265358979312 s", "api_call"])
def test_numbers_and_words_stay(connection: duckdb.DuckDBPyConnection, text: str) -> None:
    """A short id is not hunted: the report's own numbers and words would go with it."""
    connection.execute("delete from events")
    connection.execute("insert into events (user_id) values ('42'), ('api'), ('314')")
    assert text in render_markdown(redacted(a_report([text]), connection, KEY)).replace("\\", "")
