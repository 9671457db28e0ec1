"""The wheel with its analysis extra, used far from any checkout."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.packaging.conftest import Environment

pytestmark = pytest.mark.timeout(600)  # the first test to come waits for the installation

QUERIES = Path(__file__).parents[2] / "queries"
CALL = {
    "timestamp": "2026-03-02T10:00:00.000Z",
    "level": "info",
    "service": "bot",
    "event": "api_call",
    "endpoint": "/channels/{id}/messages",
    "status_code": 500,
    "duration_ms": 12.5,
}


def test_every_query_is_found_in_the_wheel(
    analysis_environment: Environment, tmp_path: Path
) -> None:
    """The list of queries is the one of the checkout."""
    done = analysis_environment.run("logkit", "query", "--format", "json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert {row["name"] for row in json.loads(done.stdout)} == {
        path.stem for path in QUERIES.glob("*.sql")
    }


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        (["query", "error_rate"], {"requests": 1, "errors": 1}),
        (["sql", "select lk_epoch(timestamp) as at_us from events"], {"at_us": 1772445600000000}),
    ],
    ids=["query", "sql"],
)
def test_a_log_is_ingested_and_asked(
    analysis_environment: Environment,
    tmp_path: Path,
    question: list[str],
    answer: dict[str, int],
) -> None:
    """The canned queries and the macros are there, and the database lands where the user is."""
    (tmp_path / "bot.log").write_text(json.dumps(CALL) + "\n")
    ingested = analysis_environment.run("logkit", "ingest", "bot.log", cwd=tmp_path)
    assert (ingested.returncode, ingested.stdout) == (0, "")
    asked = analysis_environment.run("logkit", *question, "--format", "json", cwd=tmp_path)
    assert asked.returncode == 0, asked.stderr
    (row,) = json.loads(asked.stdout)
    assert answer.items() <= row.items()
    assert (tmp_path / "logkit.duckdb").is_file()


def test_the_demo_runs_outside_a_checkout(
    analysis_environment: Environment, tmp_path: Path
) -> None:
    """The installed command makes its incident, and its database answers afterwards."""
    done = analysis_environment.run("logkit", "demo", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    truth = json.loads((tmp_path / "demo" / "truth.json").read_text())
    asked = analysis_environment.run(
        *("logkit", "query", "rate_limit_storms", "--format", "json"),
        *("--db", "demo/logkit.duckdb"),
        cwd=tmp_path,
    )
    assert len(json.loads(asked.stdout)) == len(truth["storms"])


def test_duckdb_returns_times_without_further_packages(
    analysis_environment: Environment, tmp_path: Path
) -> None:
    """A TIMESTAMPTZ reaches Python although pytz is not installed."""
    code = "import duckdb; print(duckdb.sql('select to_timestamp(0)').fetchall()[0][0].timestamp())"
    done = analysis_environment.run("python", "-c", code, cwd=tmp_path)
    assert (done.stdout, done.stderr) == ("0.0\n", "")
