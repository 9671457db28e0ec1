"""What holds for each file in queries/."""

from __future__ import annotations

import random
import re
from dataclasses import astuple
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import duckdb
import pytest
from logkit_analysis import engine
from logkit_analysis.query_file import read_query
from logkit_analysis.resources import queries_directory
from logkit_analysis.store.database import writing
from logkit_analysis.time_window import Window

from logkit.schema import FIELDS

if TYPE_CHECKING:
    from pathlib import Path

NAMES = sorted(path.stem for path in queries_directory().glob("*.sql"))
START = datetime(2026, 1, 31, 9, tzinfo=UTC)
WINDOW = {"since": START, "until": START + timedelta(hours=1)}

pytestmark = pytest.mark.parametrize("name", NAMES)


def code_of(name: str) -> str:
    """Return the SQL of a query without its comments and the text of its strings."""
    text = (queries_directory() / f"{name}.sql").read_text(encoding="utf-8")
    return re.sub(r"'[^']*'", "''", re.sub(r"--[^\n]*", "", text))


def rich_events(rng: random.Random, count: int) -> list[dict[str, Any]]:
    """Return events that touch every query, many of them alike in all but their place."""
    return [
        {
            "timestamp": START + timedelta(seconds=rng.randrange(3600)),
            "level": rng.choice(["info", "error"]),
            "service": rng.choice(["a", "b", None]),
            "event": "api_call",
            "message": rng.choice(["x", "y"]),
            "correlation_id": rng.choice([None, *"pqrs"]),
            "instance": rng.choice(["i1", "i2", None]),
            "host": "h",
            "seq": rng.randrange(50),
            "version": rng.choice(["1", "2"]),
            "endpoint": rng.choice(["/x", "/y", None]),
            "method": rng.choice(["GET", "POST"]),
            "status_code": rng.choice([200, 200, 429, 500, 403]),
            "duration_ms": rng.choice([1.0, 10.0, 100.0]),
            "retry_after_ms": rng.choice([None, 5000]),
            "platform": "discord",
            "command": rng.choice(["ping", "ask", None]),
            "user_id": rng.choice("uvw"),
            "queue": "q",
            "queue_depth": rng.randrange(5),
            "rss_bytes": rng.randrange(10**6),
            "cpu_percent": float(rng.randrange(100)),
        }
        for _ in range(count)
    ]


def test_header_is_whole(name: str, catalog: Any) -> None:
    """Each query has a title, a question, a sample and a line about each of its columns."""
    assert not catalog.problems
    spec = catalog.find(name)
    assert spec.title
    assert spec.question.endswith("?")
    assert spec.sample == "incident"
    assert spec.columns
    assert all(meaning for meaning in spec.columns.values())
    assert all(parameter.meaning for parameter in spec.parameters)


@pytest.mark.parametrize("count", [0, 1, 300], ids=["empty", "one_row", "rows"])
def test_columns_are_the_documented_ones(name: str, count: int, store: Any) -> None:
    """The result has the documented columns in their order, also on an empty store."""
    store.fill(rich_events(random.Random(1), count))
    spec = store.catalog.find(name)
    values = engine.bind(spec, {}, Window(**WINDOW), zone=ZoneInfo("UTC"), now=START)
    result = engine.run_query(store.connection, spec, values)
    assert result.column_names == list(spec.columns)
    if count == 0:
        assert list(result.rows) == []


def test_order_of_rows_does_not_depend_on_the_order_of_lines(name: str, store: Any) -> None:
    """The same events give the same rows in the same order, wherever their lines lie."""
    events = rich_events(random.Random(2), 400)
    for offset, event in enumerate(events):
        event["source_offset"] = offset
    store.fill(events)
    first = store.run(name)
    random.Random(3).shuffle(events)
    store.fill(events)
    assert store.run(name) == first


def test_answers_do_not_depend_on_the_zone(name: str, store: Any) -> None:
    """A zone changes how times are shown; buckets, days and windows are the same instants."""
    store.fill(rich_events(random.Random(5), 300))
    window = Window(START + timedelta(minutes=10), START + timedelta(minutes=50))
    expected = store.run(name, window)
    try:
        store.connection.execute("set timezone = 'Asia/Kathmandu'")
        shifted = [at.astimezone(ZoneInfo("America/St_Johns")) for at in astuple(window)]
        assert store.run(name, Window(*shifted)) == expected
    finally:
        store.connection.execute("set timezone = 'UTC'")


@pytest.mark.parametrize("sign", [1, -1], ids=["great", "small"])
def test_any_number_is_taken(name: str, sign: int, store: Any) -> None:
    """One absurd number in a log line does not take the answer about the others away."""
    greatest: dict[str, float] = {"INTEGER": 2**31 - 1, "BIGINT": 2**63 - 1, "DOUBLE": 1e308}
    odd: dict[str, Any] = {
        f.name: sign * greatest[f.duckdb] for f in FIELDS if f.duckdb in greatest
    }
    odd = {"timestamp": START, "service": "a", "endpoint": "/x", "instance": "i1", **odd}
    refusals = [odd | {"status_code": 429, "seq": seq} for seq in (None, 0, 2**63 - 1)] * 3
    earlier = odd | {"timestamp": START - timedelta(seconds=100)}
    filling = [
        {"timestamp": START + timedelta(minutes=minute), "queue": "filling", "queue_depth": depth}
        | {"queue_limit": 2**63 - 1}
        for minute, depth in enumerate([-(2**63), -(2**62), -1], 56)
    ]
    store.fill([*rich_events(random.Random(4), 100), odd, earlier, *refusals, *filling])
    store.run(name)


def test_any_time_is_taken(name: str, store: Any) -> None:
    """Lines of the first and the last year do not take the answer about the others away."""
    years = (START.replace(year=year, day=2) for year in (1, 9999))
    odd = [event | {"timestamp": at} for at in years for event in rich_events(random.Random(6), 3)]
    store.fill([*rich_events(random.Random(7), 100), *odd])
    store.run(name)


def test_runs_as_text_in_plain_duckdb(name: str, tmp_path: Path) -> None:
    """A query is plain SQL: DuckDB alone runs it on the file, with the macros stored there."""
    path = tmp_path / "logkit.duckdb"
    with writing(path):
        pass
    spec = read_query(queries_directory() / f"{name}.sql")
    assert spec is not None
    defaults = {parameter.name: parameter.default for parameter in spec.parameters}
    values = {key: value for key, value in (defaults | WINDOW).items() if key in spec.used}
    with duckdb.connect(str(path), read_only=True) as connection:
        assert connection.execute(spec.sql, values).fetchall() == []


@pytest.mark.parametrize(
    "forbidden",
    [
        pytest.param(r"\b(group|order)\s+by\s+all\b", id="by_all"),
        pytest.param(r"::", id="double_colon"),
        pytest.param(r"(?<![\w.])\d+\.\d", id="decimal_literal"),
        pytest.param(r"\bfilter\s*\(", id="filter"),
        pytest.param(r"\bround\s*\(", id="round"),
        pytest.param(r"\b(date_trunc|time_bucket|date_part|epoch\w*|extract)\s*\(", id="time"),
        pytest.param(r"\b(quantile\w*|percentile\w*|median|regr_\w+)\s*\(", id="statistics"),
        pytest.param(r"\b(arg_m(in|ax)|m(in|ax)_by|json\w*)\s*\(|->", id="engine_function"),
        pytest.param(r"\binterval\b", id="interval"),
        pytest.param(r"\b(lag|lead)\s*\(\s*[^(),]*(\([^()]*\))?\s*\)", id="lag_without_default"),
        pytest.param(r"\bjoin\s+\w+\s+on\b", id="join_on"),
        pytest.param(r"\bqualify\b|\basof\b|\bunnest\b", id="dialect"),
    ],
)
def test_keeps_to_what_both_engines_know(name: str, forbidden: str) -> None:
    """The text will also run on ClickHouse, so engine-specific forms stay in the macros."""
    assert re.search(forbidden, code_of(name), re.IGNORECASE) is None


def test_windows_are_explicit(name: str) -> None:
    """Every window but lag and lead says its rows, and orders them."""
    code = " ".join(code_of(name).split())
    for match in re.finditer(
        r"(\w+)\s*\((?:[^()]|\([^()]*\))*\)\s*over\s*\(([^()]*(?:\([^()]*\)[^()]*)*)\)", code
    ):
        function, window = match[1].lower(), match[2].lower()
        assert "order by" in window
        assert function in {"lag", "lead"} or "rows between" in window


def test_steps_used_twice_are_materialized(name: str) -> None:
    """A step that two others read is computed once."""
    code = code_of(name)
    for step, rest in re.findall(r"\b(\w+) as( materialized)? \(", code):
        uses = len(re.findall(rf"\b(?:from|join)\s+{step}\b", code))
        assert uses < 2 or rest, f"{step} is used {uses} times"


def test_no_alias_is_used_in_its_own_select(name: str) -> None:
    """ClickHouse would take an alias for the column of the same name in the same SELECT."""
    for clause in re.split(r"\bselect\b", code_of(name))[1:]:
        targets = _items(re.split(r"\bfrom\b", clause)[0])
        named = [re.fullmatch(r"(.*)\bas\s+(\w+)\s*", target, re.DOTALL) for target in targets]
        expressions = [
            match[1] if match else target for match, target in zip(named, targets, strict=True)
        ]
        for match in filter(None, named):
            assert not any(re.search(rf"\b{match[2]}\b", text) for text in expressions)


def _items(clause: str) -> list[str]:
    items, depth, current = [], 0, ""
    for character in clause:
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == "," and depth == 0:
            items.append(current)
            current = ""
        else:
            current += character
    return [*items, current]
