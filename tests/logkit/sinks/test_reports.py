"""``logkit_stats`` comes at its interval while there are events, and soon after losses."""

from __future__ import annotations

import time
from time import monotonic
from typing import TYPE_CHECKING, Any

import orjson
import pytest

import logkit
from logkit.counters import Counters
from logkit.pipeline import pipeline
from logkit.sinks.reports import Reports
from logkit.testing import violations

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def counters() -> Counters:
    """Return the counts that are reported."""
    return Counters()


@pytest.fixture
def told(counters: Counters) -> tuple[list[str], Callable[[float], None]]:
    """Return the levels of the reports so far, and a function that looks some seconds later."""
    levels: list[str] = []

    def write(level: str) -> None:
        levels.append(level)
        counters.accepted += 1

    started = monotonic()
    reports = Reports(counters, write, 60)
    return levels, lambda seconds: reports.look(started + seconds)


def test_a_report_comes_each_minute_and_only_after_events(counters: Counters, told: Any) -> None:
    """Its own line is no reason for another report."""
    levels, look = told
    counters.accepted = 5
    look(59)
    assert levels == []
    look(61)
    look(62)
    assert levels == ["info"]
    look(122)
    assert levels == ["info"]
    counters.accepted += 1
    look(150)
    assert levels == ["info"]
    look(183)
    assert levels == ["info", "info"]


def test_losses_are_told_at_once_but_not_each_second(counters: Counters, told: Any) -> None:
    """A warning, the next one 10 s later; the ordinary report waits a whole interval."""
    levels, look = told
    counters.dropped_by_level["info"] += 1
    look(55)
    counters.suppressed += 1
    look(60)
    assert levels == ["warning"]
    look(66)
    assert levels == ["warning", "warning"]
    counters.accepted += 1
    look(100)
    assert levels == ["warning", "warning"]
    look(127)
    assert levels == ["warning", "warning", "info"]


@pytest.mark.parametrize(
    ("settings", "is_told"),
    [({}, True), ({"level": "warning"}, False), ({"stats_interval_s": 0}, False)],
    ids=["at_its_interval", "not_where_infos_are_not_wanted", "switched_off"],
)
def test_a_report_tells_what_became_of_the_events(
    log_path: Path, monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any], *, is_told: bool
) -> None:
    """All counts are in it, as fields of an ordinary event."""
    # Threads of earlier tests may still count in those of the process.
    monkeypatch.setattr(pipeline, "counters", Counters())
    logkit.configure("bot", path=log_path, **{"stats_interval_s": 1, **settings})
    before = logkit.stats()
    logkit.get_logger("bot").warning("started", api_token="abc")
    deadline = time.monotonic() + (60 if is_told else 1.2)
    while time.monotonic() < deadline and b"logkit_stats" not in log_path.read_bytes():
        time.sleep(0.02)
    reports = [
        event
        for event in map(orjson.loads, log_path.read_bytes().splitlines())
        if event["event"] == "logkit_stats"
    ]
    assert len(reports) == is_told
    for report in reports:
        assert violations(report) == []
        assert report["level"] == "info"
        grown = {name: report[name] - before[name] for name in ("accepted", "written", "redacted")}
        assert grown == {"accepted": 1, "written": 1, "redacted": 1}
        assert report["slowest_write_ms"] > 0
        for name in ("pending", "dropped", "suppressed", "truncated", "write_errors"):
            assert report[name] == before[name]
