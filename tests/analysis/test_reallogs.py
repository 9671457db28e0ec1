"""Four logs of real programs, against facts that were found without our code."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.needs_shared("reallogs/expected.json")

LLM = "atticus_2025-09-27.jsonl"
DISCORD = "discord_llm_bot_2025-06-05.log"
APACHE = "apache_combined_access_part2.log"
KAFKA = "kafka_server_kafka2.log"
NAMES = (LLM, DISCORD, APACHE, KAFKA)


@pytest.fixture(scope="module")
def facts(shared: Path) -> dict[str, Any]:
    """Return what is known about the files, by name."""
    files: dict[str, Any] = json.loads((shared / "reallogs/expected.json").read_text())["files"]
    return files


@dataclass(frozen=True)
class Store:
    """A database, and the files to take in."""

    path: Path
    files: list[str]

    def run(self, command: str, *words: str) -> str:
        """Run ``logkit COMMAND`` with *words*; return what it said."""
        done = subprocess.run(
            [sys.executable, "-m", "logkit_analysis", command, *words, "--db", self.path],
            cwd=self.path.parent,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stderr

    def rows(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Return all rows of *query*."""
        with closing(duckdb.connect(str(self.path), read_only=True)) as connection:
            return connection.execute(query, list(parameters)).fetchall()


@pytest.fixture(scope="module")
def real(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Return a store of all four."""
    files = [str(shared / "reallogs" / name) for name in NAMES]
    store = Store(tmp_path_factory.mktemp("real") / "logkit.duckdb", files)
    assert store.run("ingest", *files).splitlines()[-1].startswith("6,051 new rows from 4 files")
    return store


def _counts(store: Store, column: str, name: str, condition: str = "true") -> dict[str, int]:
    rows = store.rows(
        f"select {column}, count(*) from events where source_file like $1 and {condition} "
        f"and {column} is not null group by 1",
        f"%{name}",
    )
    return {str(key): count for key, count in rows}


def _one(store: Store, query: str, name: str) -> Any:
    (row,) = store.rows(f"select {query} from events where source_file like $1", f"%{name}")
    return row if len(row) > 1 else row[0]


def _utc(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@pytest.mark.parametrize("name", NAMES)
def test_every_record_is_an_event(real: Store, facts: dict[str, Any], name: str) -> None:
    """No record is missing, none is there twice, and nothing is rejected."""
    assert _one(real, "count(*)", name) == facts[name]["records"]
    assert real.rows("select count(*) from quarantine where source_file like $1", f"%{name}") == [
        (0,)
    ]


@pytest.mark.parametrize("name", [LLM, DISCORD, KAFKA])
def test_levels(real: Store, facts: dict[str, Any], name: str) -> None:
    """Each level occurs as often as it stands in the file."""
    expected = {level.lower(): count for level, count in facts[name]["levels"].items()}
    assert _counts(real, "level", name) == expected


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        (LLM, "first_ts_utc", "last_ts_utc"),
        (DISCORD, "first_ts_as_utc", "last_ts_as_utc"),
        (APACHE, "first_ts_utc", "last_ts_utc"),
        (KAFKA, "first_ts", "last_ts"),
    ],
)
def test_spans(real: Store, facts: dict[str, Any], name: str, first: str, last: str) -> None:
    """The first and the last instant are right: with mixed offsets, none, and out of order."""
    spans = _one(real, "min(timestamp), max(timestamp)", name)
    assert spans == (_utc(facts[name][first]), _utc(facts[name][last]))


def test_the_second_run_finds_nothing_new(real: Store) -> None:
    """What is read is not read again, and there is nothing to explain."""
    assert real.run("ingest", *real.files).startswith("0 new rows from 4 files")
    assert "no rejected lines" in real.run("rejects")


def test_formats_are_remembered(real: Store) -> None:
    """What a file was found to be is kept with its stream."""
    found = dict(real.rows("select parse_filename(path), format from sources"))
    assert found == {LLM: "json", DISCORD: "python-dash", APACHE: "access", KAFKA: "log4j"}


class TestAccessLog:
    """A web server's log, half of whose lines are out of order."""

    def test_statuses_and_methods(self, real: Store, facts: dict[str, Any]) -> None:
        """Status and method of each request are columns."""
        assert _counts(real, "status_code", APACHE) == facts[APACHE]["status_counts"]
        assert _counts(real, "method", APACHE) == facts[APACHE]["methods"]

    def test_bytes_and_clients(self, real: Store, facts: dict[str, Any]) -> None:
        """What no column holds is a field with its type."""
        sent = "sum((fields->>'bytes_sent')::bigint), count(distinct fields->>'client')"
        expected = facts[APACHE]["bytes_sent_total"], facts[APACHE]["distinct_clients"]
        assert _one(real, sent, APACHE) == expected

    def test_paths(self, real: Store, facts: dict[str, Any]) -> None:
        """The endpoint is the path without its query."""
        found = _counts(real, "endpoint", APACHE)
        assert {path: found[path] for path, _ in facts[APACHE]["top_paths"]} == dict(
            facts[APACHE]["top_paths"]
        )

    def test_order(self, real: Store, facts: dict[str, Any]) -> None:
        """Lines keep their place, whatever their time."""
        (row,) = real.rows(
            "select count(*) from (select timestamp < lag(timestamp) over (order by source_offset) "
            "as is_earlier from events where source_file like $1) where is_earlier",
            f"%{APACHE}",
        )
        assert row[0] == facts[APACHE]["out_of_order_lines"]


class TestBotLog:
    """A Discord bot's log with tracebacks, blank lines and no zone."""

    def test_loggers(self, real: Store, facts: dict[str, Any]) -> None:
        """Each record has the logger that wrote it."""
        assert _counts(real, "logger", DISCORD) == facts[DISCORD]["loggers_top"]

    def test_continuation_lines(self, real: Store, facts: dict[str, Any]) -> None:
        """Every line that continues a record is in it."""
        newlines = "sum(length(text) - length(replace(text, chr(10), '')))"
        stacks = "coalesce(chr(10) || error_stack, '')"
        (row,) = real.rows(
            f"select {newlines} from (select coalesce(message, '') || {stacks} as text "
            "from events where source_file like $1)",
            f"%{DISCORD}",
        )
        assert row[0] == facts[DISCORD]["continuation_lines"]

    def test_exceptions(self, real: Store, facts: dict[str, Any]) -> None:
        """A traceback is the record's stack, and its last exception the record's error."""
        assert _one(real, "count(error_stack)", DISCORD) == facts[DISCORD]["records_with_traceback"]
        named = real.rows(
            "select unnest(regexp_extract_all(error_stack, '(?m)^([A-Za-z_.]+): ', 1)) as name, "
            "count(*) from events where source_file like $1 group by 1",
            f"%{DISCORD}",
        )
        assert dict(named) == facts[DISCORD]["exception_lines"]
        types = _counts(real, "error_type", DISCORD)
        assert types["discord.app_commands.errors.CommandInvokeError"] == 2
        assert sum(types.values()) == facts[DISCORD]["records_with_traceback"]

    def test_errors_by_hour(self, real: Store, facts: dict[str, Any]) -> None:
        """Errors fall into the hours in which they were written."""
        expected = facts[DISCORD]["error_or_critical"]
        condition = "level in ('error', 'critical')"
        hour = "strftime(timestamp at time zone 'UTC', '%Y-%m-%dT%H')"
        assert _counts(real, hour, DISCORD, condition) == expected["by_hour"]
        span = f"min(timestamp) filter ({condition}), max(timestamp) filter ({condition})"
        assert _one(real, span, DISCORD) == (_utc(expected["first"]), _utc(expected["last"]))

    def test_failed_commands(self, real: Store) -> None:
        """What discord.py says about a failed command is an event with the command."""
        rows = real.rows("select command, platform from events where event = 'command_failed'")
        assert rows == [("chat", "discord")] * 2

    def test_llm_latencies(self, real: Store, facts: dict[str, Any]) -> None:
        """Starts and ends of calls can be paired in SQL: an end right behind its start."""
        expected = facts[DISCORD]["llm_latency_ms_paired"]
        (row,) = real.rows(
            """
            with calls as (
                select
                    timestamp,
                    starts_with(message, 'Generating gemini response') as is_start,
                    lag(is_start) over place as is_after_start,
                    lag(timestamp) over place as started_at
                from events
                where logger = 'ai_service' and regexp_matches(message, '(?i)gemini response')
                window place as (order by source_id, source_offset)
            )
            select
                count(*) filter (is_start),
                count(*) filter (not is_start),
                count(ms),
                min(ms),
                max(ms),
                quantile_cont(ms, 0.5),
                quantile_cont(ms, 0.95),
            from (
                select *, case when not is_start and is_after_start
                    then date_diff('ms', started_at, timestamp) end as ms
                from calls
            )
            """
        )
        calls = facts[DISCORD]["llm_calls"]
        assert row[:3] == (calls["started"], calls["finished"], expected["count"])
        assert row[3:5] == (expected["min"], expected["max"])
        assert row[5:] == pytest.approx((expected["p50_linear"], expected["p95_linear"]))
