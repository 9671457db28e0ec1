"""The header of a query file: what it says and what it must not say."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from logkit_analysis.catalog import QueryNotFoundError, load_catalog
from logkit_analysis.query_file import QueryHeaderError, QuerySpec, read_query

if TYPE_CHECKING:
    from pathlib import Path

GOOD = """-- @title    Calls of a service
-- @question How many
--           calls?
-- @param    since timestamptz  start, inclusive
-- @param    service varchar  which one
-- @param    text varchar = 'it''s = $x'  a literal with everything in it
-- @param    least integer = -5
-- @param    share double = 1e-2  a ratio
-- @param    flag boolean = true
-- @param    none varchar = null
-- @column   n  calls
-- @detector change_points
-- @sample   incident  (the seeded one)
select count(*) as n -- not $this
from events
where
    timestamp >= $since
    and service = $service
    and message <> $text and '$that' <> "$those"
    and duration_ms > $least * $share /* nor $these */
    and ($flag or event = $none)
"""


def read(tmp_path: Path, text: str) -> QuerySpec | None:
    """Return the query in a file with this text."""
    path = tmp_path / "calls.sql"
    path.write_text(text)
    return read_query(path)


def test_header_becomes_a_spec(tmp_path: Path) -> None:
    """Each tag of the header arrives, with defaults as values."""
    spec = read(tmp_path, GOOD)
    assert spec is not None
    assert (spec.name, spec.title) == ("calls", "Calls of a service")
    assert spec.question == "How many calls?"
    assert (spec.detector, spec.sample) == ("change_points", "incident")
    assert spec.columns == {"n": "calls"}
    assert {p.name: (p.is_required, p.default) for p in spec.parameters} == {
        "since": (True, None),
        "service": (True, None),
        "text": (False, "it's = $x"),
        "least": (False, -5),
        "share": (False, 0.01),
        "flag": (False, True),
        "none": (False, None),
    }


def test_since_and_until_need_no_declaration(tmp_path: Path) -> None:
    """The engine's own parameters may be used as they are."""
    spec = read(tmp_path, "-- @title x\nselect $since, $until")
    assert spec is not None
    assert spec.used == {"since", "until"}


@pytest.mark.parametrize(
    "text",
    ["'$a'", '"$a"', "/* $a */ 1", "$$ it's $a $$", "$t$ $a $$ $t$", r"E'it\'s $a'", "1 -- $a"],
)
def test_what_is_no_code_holds_no_parameter(tmp_path: Path, text: str) -> None:
    """Strings of every kind, quoted names and comments may hold a dollar sign."""
    spec = read(tmp_path, f"-- @title x\nselect {text}")
    assert spec is not None
    assert not spec.used


def test_file_without_title_is_no_query(tmp_path: Path) -> None:
    """Other SQL files may lie beside queries."""
    assert read(tmp_path, "select $anything") is None


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        pytest.param("-- @title x\nselect $a", 2, "$a is used but not declared", id="undeclared"),
        pytest.param("-- @title x\n-- @param a integer\nselect 1", 2, "a is not used", id="unused"),
        pytest.param(
            "-- @title x\n-- @param a integer\n-- @param a integer\nselect $a",
            3,
            "declared twice",
            id="twice",
        ),
        pytest.param("-- @title x\n-- @param a\nselect $a", 2, "write: @param", id="no_type"),
        pytest.param("-- @title x\n-- @param a int9\nselect $a", 2, "type int9", id="bad_type"),
        pytest.param(
            "-- @title x\n-- @param a integer = 1.5\nselect $a", 2, "no integer", id="bad_default"
        ),
        pytest.param(
            "-- @title x\n-- @param a integer = now()\nselect $a", 2, "no integer", id="no_literal"
        ),
        pytest.param(
            "-- @title x\n-- @param a boolean = yes\nselect $a", 2, "no boolean", id="bad_boolean"
        ),
        pytest.param(
            "-- @title x\n-- @param since varchar\nselect $since", 2, "engine", id="bad_since"
        ),
        pytest.param("-- @title x\n-- @titel y\nselect 1", 2, "unknown tag @titel", id="bad_tag"),
        pytest.param("-- @title x\n-- @title y\nselect 1", 2, "stands twice", id="two_titles"),
        pytest.param("-- @title x\n-- @column n\nselect 1", 2, "write: @column", id="bad_column"),
        pytest.param(
            "-- @title x\n-- @column n a\n-- @column n b\nselect 1", 3, "twice", id="two_columns"
        ),
    ],
)
def test_broken_headers_name_file_and_line(
    tmp_path: Path, text: str, line: int, problem: str
) -> None:
    """A broken header says where it is broken."""
    with pytest.raises(QueryHeaderError, match=rf"calls\.sql:{line}: ") as caught:
        read(tmp_path, text)
    assert problem in str(caught.value)


def test_a_file_that_is_no_text_is_a_broken_query(tmp_path: Path) -> None:
    """Bytes that are no UTF-8 are an error of that file alone."""
    (tmp_path / "bad.sql").write_bytes(b"-- @title \xff")
    (tmp_path / "good.sql").write_text("-- @title x\nselect 1")
    catalog = load_catalog([tmp_path])
    assert (list(catalog.queries), list(catalog.problems)) == (["good"], ["bad"])


def test_unknown_name_gets_the_nearest(tmp_path: Path) -> None:
    """A misspelt name is answered with the nearest, another one with all."""
    for name in ("error_rate", "throughput"):
        (tmp_path / f"{name}.sql").write_text("-- @title x\nselect 1")
    catalog = load_catalog([tmp_path])
    with pytest.raises(QueryNotFoundError, match=r"did you mean error_rate\?"):
        catalog.find("eror_rate")
    with pytest.raises(QueryNotFoundError, match="logkit query lists them"):
        catalog.find("zzz")


@given(header=st.text(max_size=60), body=st.text(max_size=60))
def test_any_text_is_a_query_or_a_clear_error(
    tmp_path_factory: pytest.TempPathFactory, header: str, body: str
) -> None:
    """No file makes the reader fail in another way."""
    path = tmp_path_factory.getbasetemp() / "any.sql"
    path.write_text(f"-- @title x\n-- @{header}\n{body}", encoding="utf-8", errors="replace")
    with suppress(QueryHeaderError):
        read_query(path)
