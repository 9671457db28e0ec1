"""The canned queries on the logs of a real service and a real bot, against known facts."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from logkit_analysis.cli.failures import run

if TYPE_CHECKING:
    from pathlib import Path

LLM = "atticus_2025-09-27.jsonl"
DISCORD = "discord_llm_bot_2025-06-05.log"
HOURLY = ("-p", "bucket_seconds=3600")
pytestmark = pytest.mark.needs_shared(
    f"reallogs/{LLM}", f"reallogs/{DISCORD}", "reallogs/expected.json"
)


def known_of(shared: Path, name: str) -> dict[str, Any]:
    """Return what is known of a log."""
    known: dict[str, Any] = json.loads((shared / "reallogs/expected.json").read_text())
    found: dict[str, Any] = known["files"][name]
    return found


@pytest.fixture
def facts(shared: Path) -> dict[str, Any]:
    """Return what is known of the LLM service's log."""
    return known_of(shared, LLM)


@pytest.fixture
def bot_facts(shared: Path) -> dict[str, Any]:
    """Return what is known of the Discord bot's log."""
    return known_of(shared, DISCORD)


@pytest.fixture(scope="module")
def databases(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the database of each log."""
    folder = tmp_path_factory.mktemp("real")
    made = {name: str(folder / f"{name}.duckdb") for name in (LLM, DISCORD)}
    for name, database in made.items():
        assert run(["ingest", str(shared / "reallogs" / name), "--db", database]) == 0
    return made


def asker(database: str, capture: pytest.CaptureFixture[bytes]) -> Any:
    """Return a function that gives the rows of a command on a database."""

    def rows(*arguments: str) -> Any:
        capture.readouterr()
        assert run([*arguments, "--db", database, "--format", "json"]) == 0
        return json.loads(capture.readouterr().out)

    return rows


@pytest.fixture
def rows_of(databases: dict[str, str], capfdbinary: pytest.CaptureFixture[bytes]) -> Any:
    """Return a function that gives the rows of a command on the LLM service's log."""
    return asker(databases[LLM], capfdbinary)


@pytest.fixture
def bot_rows_of(databases: dict[str, str], capfdbinary: pytest.CaptureFixture[bytes]) -> Any:
    """Return a function that gives the rows of a command on the Discord bot's log."""
    return asker(databases[DISCORD], capfdbinary)


def hours_of(rows: Any) -> dict[str, int]:
    """Return the errors of each hour that has some, from rows of throughput."""
    return {row["bucket_at"][:13]: row["errors"] for row in rows if row["errors"]}


def levels_of(rows: Any) -> Counter[str]:
    """Return the lines of each level, from rows of patterns."""
    levels: Counter[str] = Counter()
    for row in rows:
        levels[row["level"].upper()] += row["count"]
    return levels


def test_requests_and_errors(rows_of: Any, facts: dict[str, Any]) -> None:
    """Requests, errors, server errors and 429s are those counted by hand."""
    rows = rows_of("query", "error_rate", "-p", "bucket_seconds=86400")
    for name, count in facts["by_design_rule"].items():
        assert sum(row[name] for row in rows) == count


def test_time_span(rows_of: Any, facts: dict[str, Any]) -> None:
    """The first and last event are at the right instants, whatever offset the log wrote."""
    (span,) = rows_of("sql", "select min(timestamp) as first, max(timestamp) as last from events")
    assert (span["first"], span["last"]) == (facts["first_ts_utc"], facts["last_ts_utc"])


def test_percentiles_of_each_route(rows_of: Any, facts: dict[str, Any]) -> None:
    """Percentiles by route are the linear ones."""
    found = {
        (row["method"], row["endpoint"]): (row["requests"], row["p95_ms"])
        for row in rows_of("query", "latency_percentiles")
    }
    for route in facts["request_complete"]["by_route_top"]:
        requests, p95_ms = found[route["method"], route["path"]]
        assert requests == route["count"]
        assert p95_ms == pytest.approx(route["p95_linear"])


def test_errors_by_class_and_hour(rows_of: Any, facts: dict[str, Any]) -> None:
    """Each class of error with its count and first time, and the errors of each hour."""
    known = facts["errors"]
    lines = [row for row in rows_of("patterns") if row["level"] == "error"]
    assert {row["event"]: row["count"] for row in lines} == known["classes"]
    assert sum(row["count"] for row in lines) == known["count"]
    first = {row["event"]: row["first_seen_at"] for row in rows_of("query", "top_errors")}
    assert {name: first[name] for name in known["classes"]} == known["first_utc"]
    assert hours_of(rows_of("query", "throughput", *HOURLY)) == known["by_hour_utc"]


def test_statuses_of_failed_requests(rows_of: Any, facts: dict[str, Any]) -> None:
    """Failed requests by status, as the service's own lines count them."""
    failed: Counter[str] = Counter()
    for row in rows_of("query", "top_errors"):
        if row["event"] == "request_complete":
            failed[str(row["status_code"])] += row["errors"]
    known = facts["request_complete"]["status_counts"]
    assert failed == {status: count for status, count in known.items() if int(status) >= 400}


def test_kinds_of_lines_and_their_times(rows_of: Any, facts: dict[str, Any]) -> None:
    """Levels, the most frequent events and the blocked users with first and last time."""
    rows = rows_of("patterns")
    assert levels_of(rows) == facts["levels"]
    events: Counter[str] = Counter()
    for row in rows:
        events[row["event"] or row["example"]] += row["count"]
    assert {name: events[name] for name in facts["events_top"]} == facts["events_top"]
    (blocked,) = [row for row in rows if row["event"] == "rate_limit_blocked"]
    known = facts["rate_limit_blocked"]
    assert blocked["count"] == known["count"]
    assert (blocked["first_seen_at"], blocked["last_seen_at"]) == (
        known["first_utc"],
        known["last_utc"],
    )


def test_errors_of_the_bot(bot_rows_of: Any, bot_facts: dict[str, Any]) -> None:
    """Count, first, last, hours and exceptions of a log without event names."""
    known = bot_facts["error_or_critical"]
    rows = bot_rows_of("query", "top_errors")
    assert sum(row["errors"] for row in rows) == known["count"]
    assert min(row["first_seen_at"] for row in rows) == known["first"]
    assert max(row["last_seen_at"] for row in rows) == known["last"]
    assert hours_of(bot_rows_of("query", "throughput", *HOURLY)) == known["by_hour"]
    commands = [row for row in rows if row["error_type"] and "CommandInvoke" in row["error_type"]]
    assert sum(row["errors"] for row in commands) == 2
    assert levels_of(bot_rows_of("patterns")) == bot_facts["levels"]


def test_llm_calls_of_the_bot(bot_rows_of: Any, bot_facts: dict[str, Any]) -> None:
    """How long answers took, in a log that measures no durations."""
    words = ("-p", "first=Generating gemini response", "-p", "next=Gemini response generated")
    (row,) = bot_rows_of("query", "time_between", *words)
    calls, known = bot_facts["llm_calls"], bot_facts["llm_latency_ms_paired"]
    assert (row["first_lines"], row["next_lines"]) == (calls["started"], calls["finished"])
    assert (row["pairs"], row["max_ms"]) == (known["count"], known["max"])
    for name in ("p50", "p95", "p99"):
        assert row[f"{name}_ms"] == pytest.approx(known[f"{name}_linear"])
