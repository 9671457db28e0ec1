"""``logkit query``: what it lists, runs, refuses and says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from logkit_analysis.store.database import writing

pytestmark = pytest.mark.usefixtures("store")


def test_lists_the_queries_with_what_they_answer(cli: Any) -> None:
    """Without a name each query is listed with its question and its parameters."""
    rows = cli("query", "--format", "json").rows
    named = {row["name"]: row for row in rows}
    assert {"error_rate", "rate_limit_storms", "degradation_start"} <= named.keys()
    assert named["error_rate"]["parameters"] == "bucket_seconds=60"
    assert all(row["question"].endswith("?") for row in rows)


def test_runs_over_everything_stored(cli: Any) -> None:
    """Without time options the newest event is in, although a window's end is exclusive."""
    rows = cli("query", "error_rate", "-p", "bucket_seconds=3600", "--format", "json").rows
    assert rows == [
        {
            "bucket_at": "2026-01-31T09:00:00.000Z",
            "service": "bot",
            "requests": 10,
            "errors": 1,
            "server_errors": 1,
            "rate_limited": 0,
            "error_ratio": 0.1,
        }
    ]


@pytest.mark.parametrize(
    ("flags", "requests"),
    [
        pytest.param(["--since", "2026-01-31T09:08"], 2, id="since"),
        pytest.param(["--until", "2026-01-31T09:08"], 8, id="until_is_exclusive"),
        pytest.param(["--last", "2m"], 3, id="last_from_newest"),
        pytest.param(["--around", "2026-01-31 09:05", "--window", "1m"], 2, id="around"),
        pytest.param(["--since", "2026-01-31T10:08", "--tz", "Europe/Berlin"], 2, id="zone"),
        pytest.param(["--since", "2026-01-31T10:08+01:00"], 2, id="offset"),
        pytest.param(["--since", "1h"], 0, id="since_counts_from_now"),
    ],
)
def test_looks_at_the_window_asked_for(cli: Any, flags: list[str], requests: int) -> None:
    """Each time option picks the events that it should."""
    rows = cli("query", "throughput", "--format", "json", *flags).rows
    assert sum(row["requests"] for row in rows) == requests


def test_tells_window_and_rejects_beside_a_table(cli: Any) -> None:
    """A table comes with its time window, its zone and the rejected lines, on stderr."""
    answer = cli("query", "error_rate", "--tz", "Asia/Tokyo")
    assert "2026-01-31 18:00:00+09:00 until" in answer.stderr
    assert "Asia/Tokyo" in answer.stderr
    assert "3 rejected lines" in answer.stderr
    assert answer.text.startswith("bucket_at (+09:00) ")
    assert "\n2026-01-31 18:00:00  bot " in answer.text
    assert cli("query", "error_rate", "--format", "csv").stderr == ""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(["eror_rate"], "did you mean error_rate?", id="unknown_query"),
        pytest.param(["error_rate", "--since", "soon"], "'soon' is no time", id="bad_time"),
        pytest.param(["error_rate", "--until", "25:00"], "'25:00' is no time", id="bad_hour"),
        pytest.param(["error_rate", "--last", "1"], "'1' is no duration", id="bad_duration"),
        pytest.param(["error_rate", "--tz", "Mars/X"], "no time zone named", id="bad_zone"),
        pytest.param(
            ["error_rate", "--since", "2026-03-29T02:30", "--tz", "Europe/Berlin"],
            "does not exist",
            id="skipped_time",
        ),
        pytest.param(
            ["error_rate", "--since", "2026-10-25T02:30", "--tz", "Europe/Berlin"],
            "2026-10-25T02:30:00+02:00 or 2026-10-25T02:30:00+01:00",
            id="doubled_time",
        ),
        pytest.param(["error_rate", "--last", "1h", "--since", "2h"], "contradict", id="both"),
        pytest.param(["error_rate", "--window", "5m"], "needs --around", id="window_alone"),
        pytest.param(
            ["error_rate", "--since", "1h", "--until", "2h"], "is not before", id="backwards"
        ),
        pytest.param(["error_rate", "-p", "bucket_seconds=x"], "is no integer", id="bad_parameter"),
        pytest.param(["error_rate", "-p", "bucket_seconds=0"], "bucket_seconds=0", id="no_bucket"),
        pytest.param(["error_rate", "-p", "x=1"], "it takes bucket_seconds", id="no_parameter"),
        pytest.param(["error_rate", "-p", "x"], "-p KEY=VALUE", id="no_value"),
        pytest.param(["error_rate", "--format", "xml"], "'xml'", id="bad_format"),
        pytest.param(["error_rate", "--queries", "nowhere"], "no directory", id="no_directory"),
    ],
)
def test_refuses_what_it_cannot_take(cli: Any, words: list[str], said: str) -> None:
    """A wrong word ends with exit code 2 and one or two lines that say what to do."""
    answer = cli("query", *words)
    assert answer.code == 2
    assert said in answer.stderr
    assert len(answer.stderr.splitlines()) <= 2
    assert answer.stdout == b""


@pytest.mark.parametrize(
    ("settings", "words", "buckets"),
    [
        pytest.param('last = "2m"', [], 3, id="settings"),
        pytest.param('last = "2m"', ["--since", "2026-01-31T09:05"], 5, id="since_over_last"),
        pytest.param('since = "1h"', ["--last", "2m"], 3, id="last_over_since"),
        pytest.param('window = "1m"', [], 10, id="window_waits"),
        pytest.param('window = "1m"', ["--around", "2026-01-31T09:05"], 2, id="window_of_around"),
        pytest.param('last = "2m"', ["--around", "2026-01-31T09:05"], 10, id="around_over_last"),
    ],
)
def test_a_typed_time_wins_over_settings(
    cli: Any, settings: str, words: list[str], buckets: int
) -> None:
    """A window in logkit.toml is a default: any time option takes its place."""
    Path("logkit.toml").write_text(f"[query]\n{settings}\n")
    assert len(cli("query", "throughput", *words, "--format", "json").rows) == buckets


def test_missing_database_is_a_failure(cli: Any) -> None:
    """Without a database the command fails and says how to get one."""
    answer = cli("query", "error_rate", "--db", "nowhere.duckdb")
    assert (answer.code, answer.stdout) == (1, b"")
    assert "nowhere.duckdb" in answer.stderr
    assert "logkit ingest" in answer.stderr
    assert not Path("nowhere.duckdb").exists()


def test_other_file_is_no_database(cli: Any) -> None:
    """A file that is no database is named, without a traceback."""
    Path("log.txt").write_text("hello\n" * 1000)
    answer = cli("query", "error_rate", "--db", "log.txt")
    assert answer.code == 1
    assert "log.txt" in answer.stderr
    assert "Traceback" not in answer.stderr


OWN = """-- @title Mine
-- @param word varchar = 'it''s'  a word
select $word as said, count(*) as n from events where timestamp >= $since
"""


def test_own_queries_behave_like_ours(cli: Any) -> None:
    """A file with a title in ./queries is listed and runs; others there are left alone."""
    Path("queries").mkdir()
    Path("queries/mine.sql").write_text(OWN)
    Path("queries/notes.sql").write_text("select 1")
    assert cli("query", "mine", "--format", "json").rows == [{"said": "it's", "n": 10}]
    names = [row["name"] for row in cli("query", "--format", "json").rows]
    assert "mine" in names
    assert "notes" not in names


def test_ours_win_a_clash_unless_asked(cli: Any) -> None:
    """A query of our name in ./queries is passed over; with --queries it wins."""
    Path("queries").mkdir()
    Path("queries/error_rate.sql").write_text(OWN)
    assert "requests" in cli("query", "error_rate", "--format", "csv").text
    asked = cli("query", "error_rate", "--queries", "queries", "--format", "csv")
    assert asked.text.startswith("said,n\n")


def test_a_broken_file_hinders_no_other(cli: Any) -> None:
    """A broken query is named with file and line when listed or run; the rest works."""
    Path("queries").mkdir()
    Path("queries/broken.sql").write_text("-- @title B\n-- @param x integer\nselect 1")
    assert cli("query", "error_rate").code == 0
    assert "queries/broken.sql:2: parameter x is not used" in cli("query").stderr
    assert cli("query", "broken").code == 2


def test_a_query_reads_only(cli: Any, store: Path) -> None:
    """A query file cannot write, and one without a statement is told apart from an empty answer."""
    Path("queries").mkdir()
    Path(f"{store}.tmp").mkdir()
    Path("queries/out.sql").write_text(f"-- @title O\ncopy events to '{store}.tmp/x.csv'")
    Path("queries/none.sql").write_text("-- @title N\n")
    assert cli("query", "out").code == 1
    assert not list(Path(f"{store}.tmp").iterdir())
    nothing = cli("query", "none")
    assert (nothing.code, "none.sql holds no statement" in nothing.stderr) == (2, True)


@pytest.mark.parametrize(
    ("name", "given", "said"),
    [
        ("capacity", "per=cats", "per is one of users, guilds and chats"),
        ("capacity", "growth=0", "growth must be greater than 0"),
        ("error_budget", "objective=99", "objective must be from 0 to below 1"),
        ("data_quality", "gap_seconds=5", "gap_seconds must be 60 or more"),
        ("queue_lag", "trend_seconds=0", "trend_seconds must be greater than 0"),
    ],
)
def test_a_parameter_without_sense_is_refused(
    cli: Any, store: Path, name: str, given: str, said: str
) -> None:
    """A query says what it takes, rather than to answer another question."""
    with writing(store) as connection:
        connection.execute("update events set queue = 'q', queue_depth = 1")
    answer = cli("query", name, "-p", given)
    assert (answer.code, answer.text) == (2, "")
    assert answer.stderr == f"logkit: query {name}: {said}\n"


def test_raw_shows_the_rows_of_a_detector(cli: Any) -> None:
    """--raw gives the rows from which a detector draws its findings."""
    assert cli("query", "degradation_start", "--format", "json").rows == []
    rows = cli("query", "degradation_start", "--raw", "--format", "json").rows
    assert 1 in {row["answered"] for row in rows}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(
            ["query", "throughput", "--since", "2h"], "the newest from 2026-01-31 09:09", id="since"
        ),
        pytest.param(["query", "throughput", "--until", "2020-01-01"], "--last 1h", id="until"),
        pytest.param(
            ["export", "--since", "2h", "--format", "csv"], "the newest from", id="export"
        ),
        pytest.param(["triage", "--since", "2h"], "the newest from", id="triage"),
        pytest.param(
            ["query", "rate_limit_storms"], "finds nothing in 10 events", id="nothing_found"
        ),
        pytest.param(["query", "rate_limit_storms", "--format", "json"], "in 10 events", id="json"),
        pytest.param(["trace", "--slowest", "--since", "1h"], "the newest from", id="trace"),
        pytest.param(["rejects", "--reason", "nul"], "there are: invalid_json (3)", id="reason"),
        pytest.param(["rejects", "--file", "x"], "there are: bot.log (3)", id="file"),
        pytest.param(["rejects", "--file", "x", "--raw"], "no rejected line matches", id="raw"),
        pytest.param(["sql", "select 1 where false"], "no rows", id="sql"),
    ],
)
def test_an_empty_answer_says_why(cli: Any, words: list[str], said: str) -> None:
    """Nothing to show is explained on stderr: where the events are, or that none fits."""
    answer = cli(*words)
    assert answer.code == 0
    assert said in answer.stderr


def test_the_window_told_is_the_one_counted(cli: Any) -> None:
    """A query that counts ten minutes up to the end tells these, whatever --since says."""
    until = ["--since", "2026-01-31T08:00", "--until", "2026-01-31T09:05"]
    said = cli("query", "ban_headroom", *until).stderr
    assert said.startswith("2026-01-31 08:55:00Z until 2026-01-31 09:05:00Z")
    assert "finds nothing in 5 events" in said


def test_a_window_up_to_now_has_a_width(cli: Any) -> None:
    """--since after the newest event looks at the time from there until now."""
    told = cli("query", "throughput", "--since", "2h").stderr.splitlines()[0]
    since, until = told.split(", ")[0].split(" until ")
    assert since < until


def test_a_store_without_times_says_so(cli: Any, store: Path) -> None:
    """Without an event, or without one that has a time, no window can be shown."""
    with writing(store) as connection:
        connection.execute("update events set timestamp = null")
    assert "none of the 10 stored events has a time" in cli("query", "throughput").stderr
    with writing(store) as connection:
        connection.execute("delete from events")
    assert "logkit ingest" in cli("query", "throughput").stderr


@pytest.mark.parametrize("words", [["query", "throughput", "--last", "1h"], ["triage"]])
def test_a_newest_event_in_the_future_is_told(cli: Any, store: Path, words: list[str]) -> None:
    """A wrong clock that moves a window counted from the newest event away is no secret."""
    assert "future" not in cli(*words).stderr
    with writing(store) as connection:
        connection.execute("update events set timestamp = '2999-01-01' where status_code = 500")
    said = cli(*words).stderr
    assert "1 event lies in the future, the newest at 2999-01-01 00:00:00Z" in said
