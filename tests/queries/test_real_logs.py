"""The canned queries on a real service's log, against facts counted without us."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from logkit_analysis.cli.failures import run

if TYPE_CHECKING:
    from pathlib import Path

LOG = "reallogs/atticus_2025-09-27.jsonl"
pytestmark = pytest.mark.needs_shared(LOG, "reallogs/expected.json")


@pytest.fixture
def facts(shared: Path) -> dict[str, Any]:
    """Return what is known of the log."""
    known = json.loads((shared / "reallogs/expected.json").read_text())
    found: dict[str, Any] = known["files"]["atticus_2025-09-27.jsonl"]
    return found


@pytest.fixture
def rows_of(shared: Path, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> Any:
    """Return a function that gives the rows of a command on the ingested log."""
    database = str(tmp_path / "logkit.duckdb")
    assert run(["ingest", str(shared / LOG), "--db", database]) == 0

    def rows(*arguments: str) -> Any:
        capfdbinary.readouterr()
        assert run([*arguments, "--db", database, "--format", "json"]) == 0
        return json.loads(capfdbinary.readouterr().out)

    return rows


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
