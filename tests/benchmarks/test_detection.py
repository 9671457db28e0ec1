"""The simulated logs of the detection benchmark, and how they are scored."""

from __future__ import annotations

import pytest

from benchmarks.detection.logs import Truth
from benchmarks.detection.quiet import QUIET
from benchmarks.detection.scoring import Finding, Score
from benchmarks.detection.store import found_by_logkit
from benchmarks.detection.stories import STORIES
from benchmarks.detection.trials import open_trial


@pytest.mark.parametrize("name", ["errors_30", "tail_15", "ramp_20", "cascade"])
def test_what_is_in_a_log_is_found_and_nothing_else(name: str) -> None:
    """The truth of a story is what the query tells."""
    trial = open_trial(name, STORIES[name], 1, read=found_by_logkit, has_charts=False)
    score = Score()
    score.add(name, trial.log.truths, trial.findings, trial.log.hours)
    assert (score.f1, score.wrong) == (1.0, [])


@pytest.mark.parametrize("name", ["quiet_storm_429", "quiet_improvement", "quiet_cron_hourly"])
def test_quiet_logs_are_quiet(name: str) -> None:
    """Nothing is told of a day on which nothing got worse."""
    trial = open_trial(name, QUIET[name], 1, read=found_by_logkit, has_charts=False)
    assert trial.findings == []


def test_a_finding_counts_once() -> None:
    """Of two findings of one truth the nearer is a hit and the other a false alarm."""
    truth = Truth("latency", 1000.0, 2000.0, "/a")
    findings = [Finding("bot", "latency", "/a", None, at, None) for at in (1010.0, 1100.0)]
    score = Score()
    score.add("twice", [truth], findings, 6.0)
    assert (score.hits, score.misses, score.false_alarms) == (1, 0, 1)
    assert score.onset_errors == [10.0]
