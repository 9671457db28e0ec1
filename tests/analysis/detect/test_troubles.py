"""Whose fault a trouble is follows from what happened before and beside it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from logkit_analysis.detect.troubles import Evidence, find_troubles

if TYPE_CHECKING:
    from logkit_analysis.detect.troubles import Trouble

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def degradation(metric: str = "latency", **changed: Any) -> dict[str, Any]:
    """Return a row of `degradation_start`."""
    row = {
        "service": "bot",
        "metric": metric,
        "endpoint": "/send",
        "queue": None,
        "started_at": NOON,
        "ended_at": None,
        "baseline": 0.1,
        "degraded": 0.5,
        "evidence": json.dumps({"method": "POST", "correlation_ids": ["c1"]}),
    }
    return row | changed


def restart(minutes: float, reason: str = "deploy", service: str = "bot") -> dict[str, Any]:
    """Return a row of `restarts`, so many minutes from noon, after half a minute of nothing."""
    return {
        "started_at": NOON + minutes * MINUTE,
        "ended_at": NOON + (minutes - 0.5) * MINUTE,
        "service": service,
        "instance": "i2",
        "reason": reason,
        "version": "2.0",
    }


def error(
    count: int, status: int | None, kind: str | None = None, event: str = "api_call_failed"
) -> dict[str, Any]:
    """Return a row of `top_errors`."""
    return {
        "event": event,
        "service": "bot",
        "endpoint": "/send",
        "status_code": status,
        "error_type": kind,
        "errors": count,
    }


def storm(minutes: float, ignored: int) -> dict[str, Any]:
    """Return a row of `rate_limit_storms` that ended so many minutes from noon."""
    return {
        "service": "bot",
        "scope": "b1",
        "endpoint": None,
        "started_at": NOON - 30 * MINUTE,
        "ended_at": NOON + minutes * MINUTE,
        "hits": 100,
        "ignored_retry_after": ignored,
    }


def troubles(**rows: Any) -> list[Trouble]:
    """Return the troubles of an hour that ends half an hour past noon."""
    errors = rows.pop("errors", [])
    kinds = ("degradations", "storms", "memory", "restarts", "silences")
    empty: dict[str, Any] = {kind: [] for kind in kinds}
    until = NOON + 30 * MINUTE
    evidence = Evidence(until=until, errors_of=lambda since, end: errors, **empty | rows)
    return find_troubles(evidence)


@pytest.mark.parametrize(
    ("row", "beside", "cause"),
    [
        pytest.param(degradation(), {}, "platform", id="one_slow_endpoint"),
        pytest.param(degradation(endpoint=None), {}, "unclear", id="all_slow"),
        pytest.param(degradation(), {"restarts": [restart(-14)]}, "us", id="after_a_deploy"),
        pytest.param(degradation(), {"restarts": [restart(-16)]}, "platform", id="long_after"),
        pytest.param(degradation(), {"restarts": [restart(1)]}, "platform", id="before_a_deploy"),
        pytest.param(
            degradation(), {"restarts": [restart(-1, service="web")]}, "platform", id="other_bot"
        ),
        pytest.param(
            degradation(), {"restarts": [restart(-2, "crash")]}, "platform", id="after_a_crash"
        ),
        pytest.param(
            degradation(), {"restarts": [restart(0.3)]}, "us", id="first_call_of_a_deploy"
        ),
        pytest.param(
            degradation(), {"restarts": [restart(0, "crash")]}, "unclear", id="with_a_restart"
        ),
        pytest.param(
            degradation(evidence=json.dumps({"shape": "decay"})),
            {"restarts": [restart(0, "crash")]},
            "us",
            id="warm_up",
        ),
        pytest.param(
            degradation(evidence=json.dumps({"served": True})), {}, "unclear", id="slow_answers"
        ),
        pytest.param(
            degradation("error_ratio"),
            {"errors": [error(6, 503, event="request_handled"), error(5, 503)]},
            "us",
            id="our_own_answers",
        ),
        pytest.param(
            degradation("error_ratio"),
            {"errors": [error(6, 404, event="request_handled"), error(5, 503)]},
            "unclear",
            id="answers_that_callers_deserved",
        ),
        pytest.param(
            degradation("error_lines", endpoint=None),
            {"errors": [error(6, None)]},
            "unclear",
            id="lines_tell_no_cause",
        ),
        pytest.param(
            degradation("error_ratio"),
            {"errors": [error(6, 503), error(5, 404), error(999, 429)]},
            "platform",
            id="server_errors",
        ),
        pytest.param(
            degradation("error_ratio"),
            {"errors": [error(5, None, "timeout"), error(6, 400)]},
            "us",
            id="refused_calls",
        ),
        pytest.param(degradation("error_ratio"), {}, "unclear", id="nothing_known_of_errors"),
        pytest.param(degradation("cpu_percent", endpoint=None), {}, "unclear", id="cpu"),
    ],
)
def test_cause_of_a_degradation(row: dict[str, Any], beside: dict[str, Any], cause: str) -> None:
    """A deploy just before it is ours; else the answers decide, or it is said to be unclear."""
    (found,) = troubles(degradations=[row], **beside)
    assert found.cause == cause
    assert found.because
    assert found.is_open


def test_a_queue_shares_the_cause_of_what_it_waits_for() -> None:
    """A queue that backs up minutes after calls got slow is a consequence."""
    queue = degradation("queue_depth", endpoint=None, queue="jobs", started_at=NOON + 6 * MINUTE)
    late = queue | {"started_at": NOON + 40 * MINUTE}
    assert [one.cause for one in troubles(degradations=[degradation(), queue])] == ["platform"] * 2
    assert troubles(degradations=[degradation(), late])[1].cause == "unclear"
    assert troubles(degradations=[queue])[0].cause == "unclear"


def test_a_storm_is_ours_if_waits_were_ignored() -> None:
    """Who obeyed retry_after is only near the limit; a storm is over two minutes after it."""
    ours, obeyed = troubles(storms=[storm(29, ignored=50), storm(27, ignored=3)])
    assert (ours.cause, ours.is_open) == ("us", True)
    assert (obeyed.cause, obeyed.is_open) == ("unclear", False)
    assert obeyed.subject == "b1"


def test_a_leak_goes_back_to_the_deploy_that_brought_it() -> None:
    """A leak without an end in sight is none."""
    row = {
        "service": "bot",
        "instance": "i2",
        "metric": "rss_bytes",
        "since_at": NOON - 20 * MINUTE,
        "slope_bytes_per_hour": 2.0**20,
        "exhausts_at": NOON + 60 * MINUTE,
    }
    (leak,) = troubles(memory=[row, row | {"exhausts_at": None}], restarts=[restart(-20.5)])
    assert leak.started_at == NOON - 20.5 * MINUTE
    assert "deploy of 2.0" in leak.because
    assert troubles(memory=[row])[0].started_at == row["since_at"]


def test_a_silent_service_is_broken_and_a_crash_is_ours() -> None:
    """A service that wrote nothing is a trouble; what ended the silence tells the cause."""
    silence = {"service": "bot", "started_at": NOON, "ended_at": None, "silent_seconds": 1800.0}
    (still,) = troubles(silences=[silence])
    assert (still.kind, still.is_open, still.cause) == ("silence", True, "unclear")
    over = silence | {"ended_at": NOON + 20 * MINUTE}
    (crashed,) = troubles(silences=[over], restarts=[restart(20, "crash")])
    assert (crashed.is_open, crashed.cause) == (False, "us")
    (hung,) = troubles(silences=[over], restarts=[restart(25, "crash")])
    assert hung.cause == "unclear"
