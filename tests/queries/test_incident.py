"""The canned queries on the sample incident, against the truth written beside it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from logkit_analysis import engine, stored
from logkit_analysis.cli.failures import run
from logkit_analysis.cli.query import load_queries
from logkit_analysis.demo.incident import write_incident
from logkit_analysis.store.database import reading
from logkit_analysis.time_window import TimeFlags, parse_zone, resolve

if TYPE_CHECKING:
    from collections.abc import Iterator

    import duckdb
    from logkit_analysis.demo.truth import IncidentTruth

ZONE = parse_zone("UTC")
NOW = datetime(2026, 3, 20, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Incident:
    """The ingested incident and what is true of it."""

    truth: IncidentTruth
    connection: duckdb.DuckDBPyConnection

    def run(
        self, name: str, *, flags: TimeFlags | None = None, **given: str
    ) -> list[dict[str, Any]]:
        """Return the rows of a query."""
        spec = load_queries(None).find(name)
        span = stored.stored_span(self.connection)
        window = resolve(flags or TimeFlags(), span=span, zone=ZONE, now=NOW)
        values = engine.bind(spec, given, window, zone=ZONE, now=NOW)
        return engine.run_query(self.connection, spec, values).dicts()


@pytest.fixture(scope="module")
def incident(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Incident]:
    """Yield an incident in a store."""
    folder = tmp_path_factory.mktemp("incident")
    truth = write_incident(folder / "logs", seed=11)
    assert run(["ingest", str(folder / "logs"), "--db", str(folder / "logkit.duckdb")]) == 0
    with reading(folder / "logkit.duckdb") as connection:
        yield Incident(truth, connection)


def test_storms_are_exact(incident: Incident) -> None:
    """Every storm is found with its bounds, hits, ignored waits and amplification."""
    found = incident.run("rate_limit_storms")
    assert [
        (s["scope"], s["endpoint"], s["bucket"], s["started_at"], s["ended_at"], s["hits"])
        for s in found
    ] == [
        (s.scope, s.endpoint, s.bucket, s.started_at, s.ended_at, s.hits)
        for s in incident.truth.storms
    ]
    assert [s["ignored_retry_after"] for s in found] == [
        s.ignored_retry_after for s in incident.truth.storms
    ]
    assert [s["retry_amplification"] for s in found] == pytest.approx(
        [s.retry_amplification for s in incident.truth.storms]
    )


def test_storms_look_back_before_the_window(incident: Incident) -> None:
    """A storm that began before the window is shown whole."""
    storm = incident.truth.storms[0]
    middle = storm.started_at + (storm.ended_at - storm.started_at) / 2
    found = incident.run("rate_limit_storms", flags=TimeFlags(since=middle.isoformat()))
    assert (found[0]["started_at"], found[0]["hits"]) == (storm.started_at, storm.hits)


def test_onset_is_found_and_nothing_else(incident: Incident) -> None:
    """The slow endpoint, which also fails, and the queue behind it are all, to the second."""
    found = {row["metric"]: row for row in incident.run("degradation_start")}
    truth = incident.truth.degradation
    assert set(found) == {"latency", "error_ratio", "queue_depth"}
    latency, errors, queue = found["latency"], found["error_ratio"], found["queue_depth"]
    assert (errors["service"], errors["endpoint"]) == (truth.service, truth.endpoint)
    assert errors["degraded"] == pytest.approx(truth.degraded_error_ratio, rel=0.1)
    assert latency["service"] == truth.service
    assert latency["endpoint"] == truth.endpoint
    assert abs(latency["started_at"] - truth.started_at) <= timedelta(seconds=5)
    assert abs(latency["ended_at"] - truth.ended_at) <= timedelta(seconds=5)
    assert latency["baseline"] == pytest.approx(truth.baseline_p50_ms, rel=0.1)
    assert latency["degraded"] == pytest.approx(truth.degraded_p50_ms, rel=0.1)
    assert queue["queue"] == "commands"


def test_a_degradation_that_goes_on_has_no_end(incident: Incident) -> None:
    """With the log cut five minutes after the onset it is found, and not over."""
    truth = incident.truth.degradation
    cut = truth.started_at + timedelta(minutes=5)
    found = incident.run("degradation_start", flags=TimeFlags(until=cut.isoformat()))
    assert [(f["metric"], f["endpoint"], f["ended_at"]) for f in found if f["endpoint"]] == [
        ("latency", truth.endpoint, None)
    ]


def test_quiet_hours_are_quiet(incident: Incident) -> None:
    """Before and after the incident there is nothing to report."""
    truth = incident.truth.degradation
    before = TimeFlags(until=truth.started_at.isoformat())
    after = TimeFlags(since=(truth.ended_at + timedelta(minutes=10)).isoformat())
    assert incident.run("degradation_start", flags=before) == []
    assert incident.run("degradation_start", flags=after) == []


def test_leak_is_told_with_its_end(incident: Incident) -> None:
    """The leaking process is the only one that runs out of memory, when the truth says."""
    leak = incident.truth.leak
    rows = incident.run("memory_growth")
    (found,) = [row for row in rows if row["exhausts_at"] is not None]
    assert found["service"] == leak.service
    assert found["slope_bytes_per_hour"] == pytest.approx(leak.slope_bytes_per_hour, rel=0.05)
    assert abs(found["exhausts_at"] - leak.exhausts_at) < timedelta(minutes=10)


def test_counts_are_exact(incident: Incident) -> None:
    """Requests, errors and 429s of the whole add up to the truth, as do uses of commands."""
    rows = incident.run("error_rate", bucket_seconds="600")
    counts = incident.truth.counts
    for name in ("requests", "errors", "rate_limited", "server_errors"):
        assert sum(row[name] for row in rows) == getattr(counts, name)
    uses = {row["command"]: row["uses"] for row in incident.run("feature_usage")}
    assert uses == incident.truth.uses_by_command


def test_deploys_and_restarts(incident: Incident) -> None:
    """The deploy is told with both versions, the crash as a restart."""
    (deploy,) = [row for row in incident.run("deploys") if row["previous_version"]]
    truth = incident.truth.deploy
    assert (deploy["version"], deploy["previous_version"]) == (
        truth.new_version,
        truth.old_version,
    )
    assert abs(deploy["started_at"] - truth.started_at) < timedelta(seconds=5)
    restarts = [row for row in incident.run("data_quality") if row["check"] == "restart"]
    assert {row["service"] for row in restarts} == {truth.service, incident.truth.restart.service}


def test_restarts_tell_a_deploy_from_a_crash(incident: Incident) -> None:
    """Both ends of each pause are those of the truth."""
    deploy, crash = incident.run("restarts")
    truth = incident.truth
    assert (deploy["service"], deploy["reason"]) == (truth.deploy.service, "deploy")
    assert (deploy["ended_at"], deploy["started_at"]) == (
        truth.deploy.stopped_at,
        truth.deploy.started_at,
    )
    assert (crash["service"], crash["reason"]) == (truth.restart.service, "crash")
    assert crash["started_at"] == truth.restart.started_at
    assert crash["ended_at"] <= truth.restart.crashed_at


def test_the_storms_are_the_worst_retries(incident: Incident) -> None:
    """Most retries are of the endpoint that was rate-limited, and about as amplified."""
    worst = incident.run("retries")[0]
    storm = incident.truth.storms[0]
    assert worst["endpoint"] == storm.endpoint
    assert worst["retry_amplification"] == pytest.approx(storm.retry_amplification, rel=0.1)


def test_the_slow_endpoint_is_what_makes_commands_slow(incident: Incident) -> None:
    """Within the degradation every command's time goes into the slow endpoint."""
    truth = incident.truth.degradation
    flags = TimeFlags(since=truth.started_at.isoformat(), until=truth.ended_at.isoformat())
    rows = incident.run("slow_commands", flags=flags)
    assert {row["slowest_endpoint"] for row in rows} == {truth.endpoint}
    assert sum(row["runs"] for row in incident.run("slow_commands")) == sum(
        incident.truth.uses_by_command.values()
    )


def test_the_backed_up_queue_is_told_with_its_peak(incident: Incident) -> None:
    """The depth and the moment of the peak are those of the truth."""
    truth = incident.truth.queue_backup
    (queue,) = [row for row in incident.run("queue_lag") if row["queue"] == truth.queue]
    assert (queue["peak_depth"], queue["peak_at"]) == (truth.peak_depth, truth.peak_at)


def test_errors_add_up_in_budgets_and_dependencies(incident: Incident) -> None:
    """No error is left out or counted twice."""
    by_service = incident.truth.counts_by_service
    budgets = {row["service"]: row for row in incident.run("error_budget")}
    for service, counts in by_service.items():
        row = budgets[service]
        assert (row["requests"], row["errors"]) == (counts.requests, counts.errors)
    rows = incident.run("dependency_health")
    counts = incident.truth.counts
    assert sum(row["server_errors"] for row in rows) == counts.server_errors
    assert sum(row["rate_limited"] for row in rows) == counts.rate_limited
