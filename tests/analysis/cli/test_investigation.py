"""The commands of an investigation name the truth of the sample incident."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from logkit_analysis.cli.failures import run
from logkit_analysis.demo.incident import write_incident

if TYPE_CHECKING:
    from pathlib import Path

    from logkit_analysis.demo.truth import IncidentTruth


@dataclass(frozen=True, slots=True)
class Incident:
    """The ingested incident and what is true of it."""

    truth: IncidentTruth
    database: str


@pytest.fixture(scope="module")
def incident(tmp_path_factory: pytest.TempPathFactory) -> Incident:
    """Return an incident in a store."""
    folder = tmp_path_factory.mktemp("incident")
    truth = write_incident(folder / "logs", seed=23)
    database = str(folder / "logkit.duckdb")
    assert run(["ingest", str(folder / "logs"), "--db", database]) == 0
    return Incident(truth, database)


def is_near(text: str, moment: datetime, seconds: float) -> bool:
    """Return whether a time as it stands in JSON is that near to *moment*."""
    return abs(datetime.fromisoformat(text) - moment) <= timedelta(seconds=seconds)


def test_triage_tells_the_story(cli: Any, incident: Incident) -> None:
    """The leak goes on; slow platform, queue and storms are over, each with its cause."""
    truth = incident.truth
    found = cli("triage", "--db", incident.database, "--format", "json").rows
    assert found["state"] == "at_risk"
    leak, *over = found["troubles"]
    assert (leak["kind"], leak["service"], leak["cause"]) == ("memory", truth.leak.service, "us")
    assert is_near(leak["started_at"], truth.deploy.started_at, 5)
    assert truth.deploy.new_version in leak["because"]
    slow = next(one for one in over if one["kind"] == "latency")
    assert slow["subject"] == f"{truth.degradation.method} {truth.degradation.endpoint}"
    assert slow["cause"] == "platform"
    assert is_near(slow["started_at"], truth.degradation.started_at, 10)
    assert is_near(slow["ended_at"], truth.degradation.ended_at, 10)
    queue = next(one for one in over if one["kind"] == "queue_depth")
    assert (queue["subject"], queue["cause"]) == (truth.queue_backup.queue, "platform")
    storms = [one for one in over if one["kind"] == "rate_limit_storm"]
    assert [(one["started_at"], one["cause"]) for one in storms] == [
        (f"{one.started_at:%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z", "us") for one in truth.storms
    ]


def test_what_comes_next_runs(cli: Any, incident: Incident) -> None:
    """The commands that a triage hands on are complete, and say more."""
    found = cli("triage", "--db", incident.database, "--format", "json").rows
    names = [command.split()[1] for command in found["next_commands"]]
    assert names == ["query", "compare", "trace"]
    for command in found["next_commands"]:
        answer = cli(*command.split()[1:], "--db", incident.database)
        assert answer.code == 0
        assert answer.stdout


def test_triage_in_the_middle_of_it(cli: Any, incident: Incident) -> None:
    """While an endpoint is slow the state is broken, and since when is told."""
    truth = incident.truth.degradation
    until = truth.started_at + timedelta(minutes=8)
    answer = cli("triage", "--db", incident.database, "--until", until.isoformat())
    assert answer.text.startswith("BROKEN")
    assert f"since {truth.started_at:%Y-%m-%d %H:%M}" in answer.text
    assert "the platform: only this endpoint got slow" in answer.text.replace("\n           ", " ")


def test_trace_shows_where_an_action_waited(cli: Any, incident: Incident) -> None:
    """The slowest action of the incident waited in the backed-up queue, across two services."""
    db = ("--db", incident.database)
    slowest = cli("trace", "--slowest", *db, "--format", "json").rows[0]
    assert slowest["services"] == "bot-gateway, bot-worker"
    steps = cli("trace", slowest["correlation_id"], *db, "--format", "json").rows
    assert len(steps) == slowest["events"]
    longest = max(steps, key=lambda step: step["gap_before_ms"])
    assert longest["gap_before_ms"] > 0.8 * slowest["elapsed_ms"]
    text = cli("trace", slowest["correlation_id"], *db).text
    assert "gap: waited in a queue" in text
    assert "~" not in text, "in a pipe nothing is cut"
    assert len(text.splitlines()) == len(steps) + sum(step["gap_before_ms"] > 0 for step in steps)


def test_trace_finds_failed_actions(cli: Any, incident: Incident) -> None:
    """Each example holds a failure."""
    db = ("--db", incident.database, "--format", "json")
    rows = cli("trace", "--errors", *db).rows
    assert rows
    assert all(row["failures"] for row in rows)
    steps = cli("trace", rows[0]["correlation_id"], *db).rows
    assert any(step["level"] == "error" for step in steps)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        pytest.param(["nobody"], 1, id="unknown_id"),
        pytest.param([], 2, id="nothing"),
        pytest.param(["x", "--errors"], 2, id="both"),
    ],
)
def test_trace_says_what_is_missing(
    cli: Any, incident: Incident, arguments: list[str], code: int
) -> None:
    """An unknown id and a call without one lead on."""
    answer = cli("trace", *arguments, "--db", incident.database)
    assert (answer.code, answer.stdout) == (code, b"")
    assert "--slowest" in answer.stderr


def test_patterns_tell_what_the_incident_brought(cli: Any, incident: Incident) -> None:
    """The failure that the storms caused is new since their start, and gone after their end."""
    storms = incident.truth.storms
    first = storms[0].started_at - timedelta(seconds=1)
    last = storms[-1].ended_at + timedelta(seconds=1)
    db = ("--db", incident.database, "--format", "json")
    new = cli("patterns", "--new", "--since", first.isoformat(), *db).rows
    assert "board_refresh_failed" in {row["event"] for row in new}
    assert {row["change"] for row in new} == {"new"}
    gone = cli("patterns", "--vanished", "--since", last.isoformat(), *db).rows
    assert "board_refresh_failed" in {row["event"] for row in gone}
    whole = cli("patterns", *db).rows
    assert sum(row["count"] for row in whole) <= incident.truth.events
    assert {row["change"] for row in whole} == {None}


def test_usage_adds_up(cli: Any, incident: Incident) -> None:
    """Every use of every command is counted once, in days and in features."""
    found = cli("usage", "--db", incident.database, "--format", "json").rows
    truth = incident.truth.uses_by_command
    assert {row["command"]: row["uses"] for row in found["features"]} == truth
    assert sum(day["uses"] for day in found["days"]) == sum(truth.values())
    text = cli("usage", "--db", incident.database).text
    assert "new_" in text
    assert "summarize" in text


def test_compare_names_the_guilty_endpoint(cli: Any, incident: Incident) -> None:
    """Around the onset, by default, the slow endpoint explains nearly all of the slowdown."""
    truth = incident.truth.degradation
    first = cli("compare", "--db", incident.database, "--format", "json").rows[0]
    assert (first["metric"], first["attribute"]) == ("latency", "endpoint")
    assert first["value"] == f"{truth.method} {truth.endpoint}"
    assert first["explained"] > 0.9
    assert first["after"] == pytest.approx(truth.degraded_p50_ms, rel=0.05)
    answer = cli("compare", "--db", incident.database)
    assert f"after: {truth.started_at:%Y-%m-%d %H:%M}" in answer.stderr


def test_compare_of_quiet_hours_is_quiet(cli: Any, incident: Incident) -> None:
    """Two hours without the incident differ in nothing."""
    start = incident.truth.window.since
    at = [(start + timedelta(minutes=m)).isoformat() for m in (0, 50, 55, 115)]
    windows = ("--before", f"{at[0]}..{at[1]}", "--after", f"{at[2]}..{at[3]}")
    answer = cli("compare", *windows, "--db", incident.database)
    assert "nothing got significantly worse" in answer.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["--before", "2026-01-01..2026-01-02"], id="one_window"),
        pytest.param(["--before", "2026-01-01", "--after", "2026-01-02"], id="no_window"),
        pytest.param(["--before", "2h..1h", "--after", "1h..2h"], id="backwards"),
    ],
)
def test_compare_refuses_what_is_no_pair_of_windows(
    cli: Any, incident: Incident, arguments: list[str]
) -> None:
    """A misuse is told with the right form."""
    answer = cli("compare", *arguments, "--db", incident.database)
    assert (answer.code, answer.stdout) == (2, b"")


def test_doctor_finds_the_dirty_lines_and_calls_the_log_fit(cli: Any, incident: Incident) -> None:
    """A few broken lines of tens of thousands are warnings."""
    truth = incident.truth
    answer = cli("doctor", "--db", incident.database, "--format", "json")
    counts: dict[str, int] = {}
    for row in answer.rows:
        counts[row["check"]] = counts.get(row["check"], 0) + row["count"]
    assert answer.code == 0
    assert counts["rejected"] == sum(truth.rejects.values())
    assert {row["verdict"] for row in answer.rows} == {"warning"}
    assert "fit for analysis" in answer.stderr


def test_doctor_ends_with_ten_where_answers_would_mislead(cli: Any, tmp_path: Path) -> None:
    """Lines without a service, a level and with a token in them are not fit."""
    log = tmp_path / "bad.log"
    line = '{"timestamp":"2026-01-31T09:00:00Z","message":"redis://bot:hunter2@cache/0"}\n'
    log.write_text(line)
    assert cli("ingest", str(log), "--db", str(tmp_path / "x.duckdb")).code == 0
    answer = cli("doctor", "--db", str(tmp_path / "x.duckdb"), "--format", "json")
    assert answer.code == 10
    checks = {row["check"] for row in answer.rows if row["verdict"] == "unfit"}
    assert checks >= {"no_service", "no_level", "plain_secret"}
    assert "hunter2" not in answer.text
    assert "not fit for analysis" in answer.stderr


def test_what_holds_the_same_requests_is_one_line(cli: Any, incident: Incident) -> None:
    """A service of one instance on one host is told once, with its other names beside it."""
    table = " ".join(cli("compare", "--db", incident.database).text.split())
    assert "(same: instance" in table
    rows = cli("compare", "--db", incident.database, "--format", "json").rows
    assert {"host", "instance"} <= {row["attribute"] for row in rows}
