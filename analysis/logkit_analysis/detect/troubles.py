"""What is broken, and whose fault it is: rows of several queries in, one list of troubles out."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Row = dict[str, Any]
Cause = Literal["us", "platform", "unclear"]

_STORM_GAP = timedelta(seconds=120)
_AFTER_DEPLOY = timedelta(minutes=15)
_FOLLOWS_WITHIN = timedelta(minutes=30)
_IGNORED_SHARE = 0.1
_UNITS = {"latency": " ms", "cpu_percent": " %", "queue_depth": " items"}


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that is or was broken.

    Attributes:
        kind: A metric of `degradation_start`, ``rate_limit_storm`` or ``memory``.
        service: Logical name of the bot or worker.
        subject: Endpoint, queue or metric that it is about; ``None`` for the whole service.
        started_at: Since when.
        ended_at: Until when; ``None`` while it is going on.
        figures: How bad, for people.
        cause: Whose fault it is.
        because: What speaks for that.
        correlation_ids: Some actions that it hit.
        course: How its metric went over the whole window, in equal steps; ``None`` without rows.
    """

    kind: str
    service: str | None
    subject: str | None
    started_at: datetime
    ended_at: datetime | None
    figures: str
    cause: Cause
    because: str
    correlation_ids: tuple[str, ...] = ()
    course: tuple[float | None, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether it is still going on."""
        return self.ended_at is None


@dataclass(frozen=True, slots=True)
class Evidence:
    """Rows of the queries that troubles are read from.

    Attributes:
        until: End of the window.
        degradations: Of `degradation_start`.
        storms: Of `rate_limit_storms`.
        memory: Of `memory_growth`.
        restarts: Of `restarts`.
        errors_of: Gives the rows of `top_errors` between two instants.
    """

    until: datetime
    degradations: Sequence[Row]
    storms: Sequence[Row]
    memory: Sequence[Row]
    restarts: Sequence[Row]
    errors_of: Callable[[datetime, datetime], Sequence[Row]]


def find_troubles(evidence: Evidence) -> list[Trouble]:
    """Return the troubles: those going on first, each group in order of their start."""
    found = [_degradation(row, evidence) for row in evidence.degradations]
    found = [_follower(one, found) for one in found]
    found += [_storm(row, evidence) for row in evidence.storms]
    found += [_leak(row, evidence) for row in evidence.memory if row["exhausts_at"] is not None]
    return sorted(found, key=_order)


def _order(one: Trouble) -> tuple[object, ...]:
    return (not one.is_open, one.started_at, one.kind, one.service or "", one.subject or "")


def _degradation(row: Row, evidence: Evidence) -> Trouble:
    proof: Row = json.loads(row["evidence"])
    method = proof.get("method")
    endpoint = f"{method} {row['endpoint']}" if method and row["endpoint"] else row["endpoint"]
    cause, because = _blame(row, evidence)
    return Trouble(
        kind=row["metric"],
        service=row["service"],
        subject=row["queue"] or endpoint,
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        figures=_levels(row),
        cause=cause,
        because=because,
        correlation_ids=tuple(proof.get("correlation_ids", ())),
    )


def _levels(row: Row) -> str:
    before, during = row["baseline"], row["degraded"]
    if row["metric"] == "error_ratio":
        return f"{before:.2%} -> {during:.2%} fail"
    unit = _UNITS.get(row["metric"], "")
    return f"{before:,.0f} -> {during:,.0f}{unit}"


def _blame(row: Row, evidence: Evidence) -> tuple[Cause, str]:
    deploy = _deploy_before(row, evidence)
    if deploy is not None:
        passed = (row["started_at"] - deploy["started_at"]).total_seconds()
        return "us", f"began {passed:.0f} s after the deploy of {deploy['version']}"
    if row["metric"] == "error_ratio":
        return _blame_errors(row, evidence)
    if row["metric"] == "latency" and row["endpoint"] is not None:
        return "platform", "only this endpoint got slow, and no deploy came before it"
    if row["metric"] == "latency":
        return "unclear", "most endpoints got slow together: our process, our network or theirs"
    return "unclear", "no deploy came before it"


def _deploy_before(row: Row, evidence: Evidence) -> Row | None:
    for restart in reversed(evidence.restarts):
        is_near = timedelta(0) <= row["started_at"] - restart["started_at"] <= _AFTER_DEPLOY
        if is_near and restart["service"] == row["service"] and restart["reason"] == "deploy":
            return restart
    return None


def _blame_errors(row: Row, evidence: Evidence) -> tuple[Cause, str]:
    errors = [
        one
        for one in evidence.errors_of(row["started_at"], row["ended_at"] or evidence.until)
        if one["service"] == row["service"]
        and row["endpoint"] in (None, one["endpoint"])
        and one["status_code"] != 429
    ]
    total = sum(one["errors"] for one in errors)
    theirs = sum(one["errors"] for one in errors if _is_theirs(one))
    if not total:
        return "unclear", "the errors have neither a status nor a type"
    if 2 * theirs > total:
        return "platform", f"{theirs:,} of {total:,} errors are server errors or timeouts"
    return "us", f"{total - theirs:,} of {total:,} errors are refusals of our calls or exceptions"


def _is_theirs(error: Row) -> bool:
    status = error["status_code"]
    return bool(status >= 500 if status is not None else error["error_type"] == "timeout")


def _follower(one: Trouble, others: Sequence[Trouble]) -> Trouble:
    """Blame a queue that backed up behind slow or failing calls on what it waits for."""
    if one.kind != "queue_depth" or one.cause != "unclear":
        return one
    for other in others:
        is_cause = other.kind in ("latency", "error_ratio") and other.service == one.service
        began = one.started_at - other.started_at
        if is_cause and timedelta(0) <= began <= _FOLLOWS_WITHIN:
            because = f"began {began.total_seconds() / 60:.0f} min after {other.subject} got worse"
            return replace(one, cause=other.cause, because=because)
    return one


def _storm(row: Row, evidence: Evidence) -> Trouble:
    is_open = evidence.until - row["ended_at"] <= _STORM_GAP
    hits, ignored = row["hits"], row["ignored_retry_after"]
    cause: Cause = "us"
    because = f"{ignored:,} calls did not wait for retry_after"
    if ignored < _IGNORED_SHARE * hits:
        cause, because = "unclear", "retry_after was obeyed: the load is near the limit"
    return Trouble(
        kind="rate_limit_storm",
        service=row["service"],
        subject=row["endpoint"] or row["scope"],
        started_at=row["started_at"],
        ended_at=None if is_open else row["ended_at"],
        figures=f"{hits:,} times 429",
        cause=cause,
        because=because,
    )


def _leak(row: Row, evidence: Evidence) -> Trouble:
    born = [one for one in evidence.restarts if one["instance"] == row["instance"]]
    since = born[-1]["started_at"] if born else row["since_at"]
    is_new = bool(born) and born[-1]["reason"] == "deploy"
    grown = row["slope_bytes_per_hour"] / 2**20
    return Trouble(
        kind="memory",
        service=row["service"],
        subject=row["metric"],
        started_at=since,
        ended_at=None,
        figures=f"+{grown:,.1f} MiB an hour, full at {row['exhausts_at']:%Y-%m-%d %H:%MZ}",
        cause="us",
        because=f"grows since the deploy of {born[-1]['version']}" if is_new else "never let go",
    )
