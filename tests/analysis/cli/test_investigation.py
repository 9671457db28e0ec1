"""The commands of an investigation name the truth of the sample incident."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from logkit_analysis.cli.failures import run
from logkit_analysis.demo.incident import write_incident

if TYPE_CHECKING:
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


def test_triage_in_the_middle_of_it(cli: Any, incident: Incident) -> None:
    """While an endpoint is slow the state is broken, and since when is told."""
    truth = incident.truth.degradation
    until = truth.started_at + timedelta(minutes=8)
    answer = cli("triage", "--db", incident.database, "--until", until.isoformat())
    assert answer.text.startswith("BROKEN")
    assert f"since {truth.started_at:%Y-%m-%d %H:%M}" in answer.text
    assert "the platform: only this endpoint got slow" in answer.text.replace("\n           ", " ")
