"""Which events a live view counts and shows."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from logkit_analysis.errors import UsageError
from logkit_analysis.live.event import LiveEvent
from logkit_analysis.live.filters import Selection
from logkit_analysis.live.view_filter import ViewFilter
from logkit_analysis.parsers.batch import Rows

AT = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)
EVENTS = [
    LiveEvent("logs/bot.log", 0, AT, {"level": "info", "status_code": 200, "message": "Fine"}),
    LiveEvent("logs/bot.log", 1, AT, {"level": "warning", "status_code": 429}, '{"guild":"7"}'),
    LiveEvent("old/bot.log", 2, AT, {"level": "error", "duration_ms": 2.5}, '{"user":{"id":5}}'),
    LiveEvent("worker.log", 3, None, {"message": "it's 100 % OFF"}, '{"a.b":true,"n/m":""}'),
    LiveEvent("worker.log", 4, None, {"message": "{"}, reject_reason="invalid_json"),
]


def chosen(*conditions: str, level: str | None = None, where: str | None = None) -> list[int]:
    """Return the offsets of the events that are shown."""
    return [one.offset for one in Selection(level, conditions, where).of_events(EVENTS)]


@pytest.mark.parametrize(
    ("condition", "offsets"),
    [
        ("status_code=429", [1]),
        ("status_code=429.0", [1]),
        ("status_code!=429", [0, 2, 3]),
        ("status_code~=2", [0, 1]),
        ("status_code=", [2, 3]),
        ("status_code!=", [0, 1]),
        ("duration_ms=2.50", [2]),
        ("message~=fine", [0]),
        ("message=fine", []),
        ("message=it's 100 % OFF", [3]),
        ("guild=7", [1]),
        ("guild!=7", [0, 2, 3]),
        ("guild=", [0, 2, 3]),
        ("user.id=5", [2]),
        ("a.b=true", [3]),
        ("n/m~=", [3]),
        ("fields~=GUILD", [1]),
        ("status=429", [1]),
        ("severity=WARN", [1]),
        ("level=err", [2]),
        ("level!=info", [1, 2, 3]),
        ("level=", [3]),
        ("file=bot.log", [0, 1, 2]),
        ("file=old/bot.log", [2]),
        ("file!=bot.log", [3]),
        ("file~=BOT", [0, 1, 2]),
    ],
)
def test_a_condition_chooses(condition: str, offsets: list[int]) -> None:
    """Numbers compare as numbers, texts as texts; what lacks the key differs from any value."""
    assert chosen(condition) == offsets


def test_all_conditions_must_hold() -> None:
    """Several -f, --where and the level narrow each other down."""
    assert chosen("file=bot.log", "status_code!=200") == [1, 2]
    assert chosen("file=bot.log", "status_code!=200", where="level <> 'info'") == [1, 2]
    assert chosen("file=bot.log", where="status_code = 200 or guild_id is null") == [0, 1, 2]
    assert chosen("file=bot.log", level="error") == [2]


def test_the_level_hides_what_is_counted() -> None:
    """The level shows itself and worse, hides what has none, and does not change the counts."""
    assert chosen(level="warn") == [1, 2]
    assert chosen(level="debug") == [0, 1, 2]
    table = pa.table({"level": ["info", None, "critical"], "status_code": [1, 2, 3]})
    selection = Selection("error", ["status_code!=1"])
    assert selection.counted(table).column("status_code").to_pylist() == [2, 3]
    assert selection.shown(selection.counted(table)).column("status_code").to_pylist() == [3]
    assert selection.shown(pa.table({"status_code": [1]})).num_rows == 0


def test_broken_lines_are_shown_only_without_filters() -> None:
    """A line that is no event fits no filter; without one it is never hidden."""
    assert chosen() == [0, 1, 2, 3, 4]
    assert not Selection("debug").shows_rejects
    assert not Selection(None, [], "true").shows_rejects


@pytest.mark.parametrize(
    ("where", "offsets"),
    [
        ("status_code >= 400", [1]),
        ("LEVEL in ('info', 'error') -- both", [0, 2]),
        ("fields->>'guild' = '7' or fields->>'$.user.id' = '5'", [1, 2]),
        ("lk_is_error(status_code, level)", [2]),
        ("events.source_file like 'logs/%'", [0, 1]),
        ("timestamp = '2026-01-31 10:30' and status_code = 200", [0]),
        ("message is null", [1, 2]),
        ("status_code", [0, 1]),
    ],
)
def test_an_expression_is_that_of_sql(where: str, offsets: list[int]) -> None:
    """--where takes what stands behind WHERE, with our macros, and times in the zone."""
    selection = Selection(None, (), where, zone="Europe/Berlin")
    assert [one.offset for one in selection.of_events(EVENTS)] == offsets


@pytest.mark.parametrize(
    ("text", "offsets"),
    [
        ("message='it''s 100 % OFF'", [3]),
        ("message~=it's", [3]),
        ("message='it'", []),
        ("lower(message)='it''s 100 % off'", [3]),
        ("fields->>'guild'='7'", [1]),
        ("guild='7'", [1]),
        ("coalesce(message,'')=''", [1, 2]),
        ("status_code=429 guild=7", [1]),
        ("level='WARN'", [1]),
    ],
)
def test_what_is_typed_is_conditions_or_sql(text: str, offsets: list[int]) -> None:
    """SQL without blanks is no condition on a key that no log has, which would show nothing."""
    assert [one.offset for one in ViewFilter(text=text)(EVENTS)] == offsets


def test_a_mistake_in_a_call_is_told() -> None:
    """It is no key."""
    with pytest.raises(UsageError, match="lenght"):
        ViewFilter(text="lenght(message)=5")


@pytest.mark.parametrize(
    "where",
    [
        "",
        "-- nothing",
        "1); copy (select 1) to 'x'; select (1",
        "1) or (1",
        "true) union select * from events where (true",
        "true; attach 'x.db'",
        "true limit 1",
        "true order by message",
        "true group by all",
        "exists (from read_text('/etc/passwd'))",
        "message in (select content from read_text('/etc/passwd'))",
        "message = (values (1))",
        "read_text('/etc/passwd') is not null",
        "query('drop table events') = 1",
        "count(*) > 1",
        "row_number() over () = 1",
        "columns(*) is not null",
        "* is not null",
        "message = ?",
        "message = $name",
        "select true",
        "where true",
        "level = 'x",
        "level = /* ",
        "'abc'",
        "nonsense(1)",
        "(1, 2)",
        "\ud800",
        "message = '\0' and (",
    ],
)
def test_what_is_no_condition_is_one_clear_line(where: str) -> None:
    """Whole queries, other statements, files and mistakes are refused before anything is read."""
    with pytest.raises(UsageError) as refusal:
        Selection(None, (), where)
    assert str(refusal.value).startswith("--where: ")
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("stauts_code = 1", "did you mean status_code; any other key is fields->>'stauts_code'"),
        ("guild = 1", "any other key is fields->>'guild'"),
        ('level = "info"', "a text stands in single quotes"),
    ],
)
def test_a_wrong_column_is_explained(where: str, words: str) -> None:
    """The refusal names the column that was meant, and how to reach other keys."""
    with pytest.raises(UsageError, match=words.replace("(", r"\(")):
        Selection(None, (), where)


def test_a_value_that_fails_is_explained() -> None:
    """An expression that cannot be computed for some event says how to get on."""
    with pytest.raises(UsageError, match=r"'Fine' to INT32 .*; try_cast gives NULL instead"):
        chosen(where="cast(message as integer) > 1")
    assert chosen(where="try_cast(message as integer) > 1") == []


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ("level", "write key=value"),
        ("=x", "write key=value"),
        ("duration_ms>=5", "--where 'duration_ms>=5' does more"),
        ("endpoint==/x", "--where 'endpoint=/x' does more"),
        ("user_id=\udcff", "-f user_id=\udcff: not UTF-8"),
        ("status_code=abc", "status_code is a number and 'abc' is none"),
        ("duration_ms=nan", "is a number"),
        ("level=bad", "levels are debug, info, warning, error, critical"),
        ("timestamp=now", "--since"),
    ],
)
def test_a_condition_that_cannot_hold_is_refused(condition: str, words: str) -> None:
    """A filter that would never match is no silence."""
    with pytest.raises(UsageError, match=words):
        Selection(None, [condition])


def test_doubts_about_a_key_are_told() -> None:
    """A key that may be misspelt, or that becomes another field, is named; others are not."""
    assert "did you mean status_code?" in Selection(None, ["stauts_code=1"]).notes[0]
    assert "becomes retry_after_ms" in Selection(None, ["retry_after=1"]).notes[0]
    assert Selection(None, ["guild=1", "status=1", "file=a", "level=info"]).notes == ()


_TEXTS = st.text(max_size=6) | st.sampled_from(["a", "'", "$x", "--", "%", "\\", "1"])
_ROWS = st.lists(
    st.fixed_dictionaries(
        {}, optional={"message": _TEXTS, "status_code": st.integers(0, 3), "level": st.just("info")}
    ),
    min_size=1,
    max_size=6,
)


def holds(found: Any, value: Any, *, is_same: bool) -> bool:
    """Return whether a key that is *found* in an event meets a condition."""
    if value == "":
        return (found in (None, "")) == is_same
    return bool(found == value) == is_same


@settings(deadline=None)
@given(_ROWS, _TEXTS, st.integers(0, 3), st.booleans())
def test_conditions_agree_with_plain_python(
    rows: list[dict[str, Any]], text: str, number: int, is_same: bool
) -> None:
    """Whatever the value says, it is compared and never obeyed."""
    table = Rows()
    for offset, row in enumerate(rows):
        table.add(row, None, offset)
    sign = "=" if is_same else "!="
    assume(not text.strip().startswith("="))
    selection = Selection(None, [f"message{sign}{text}", f"status_code{sign}{number}"])
    assert selection.counted(table.table()).column("source_offset").to_pylist() == [
        offset
        for offset, row in enumerate(rows)
        if holds(row.get("message"), text.strip(), is_same=is_same)
        and holds(row.get("status_code"), number, is_same=is_same)
    ]
