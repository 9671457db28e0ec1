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
_WITH_RESTART = timedelta(minutes=1)
_FOLLOWS_WITHIN = timedelta(minutes=30)
_IGNORED_SHARE = 0.1
_KEPT = "what the process takes it never gives back"
# As the macro lk_is_answer has them.
_ANSWERS = frozenset(
    ("request_handled", "request_complete", "request_completed", "request_finished")
)
_UNITS = {"latency": " ms", "cpu_percent": " %", "queue_depth": " items"}


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that is or was broken.

    Attributes:
        kind: A metric of `degradation_start`, ``rate_limit_storm``, ``memory`` or ``silence``.
        service: Logical name of the bot or worker.
        subject: Endpoint, queue or metric that it is about; ``None`` for the whole service.
        started_at: Since when.
        ended_at: Until when; ``None`` while it is going on.
        figures: How bad, for people.
        cause: Whose fault it is.
        because: What speaks for that.
        correlation_ids: Some actions that it hit.
        course: How its metric went over the whole window, in equal steps; ``None`` without rows.
        exhausts_at: When memory that grows will be full; ``None`` for what is no leak.
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
    exhausts_at: datetime | None = None

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
        silences: Of `silences`.
        errors_of: Gives the rows of `top_errors` between two instants.
    """

    until: datetime
    degradations: Sequence[Row]
    storms: Sequence[Row]
    memory: Sequence[Row]
    restarts: Sequence[Row]
    silences: Sequence[Row]
    errors_of: Callable[[datetime, datetime], Sequence[Row]]


def find_troubles(evidence: Evidence) -> list[Trouble]:
    """Return the troubles: those going on first, each group in order of their start."""
    found = [_degradation(row, evidence) for row in evidence.degradations]
    found = [_follower(one, found) for one in found]
    found += [_silence(row, evidence) for row in evidence.silences]
    found += [_storm(row, evidence) for row in evidence.storms]
    found += [_leak(row, evidence) for row in evidence.memory if row["exhausts_at"] is not None]
    return sorted(found, key=_order)


def _order(one: Trouble) -> tuple[object, ...]:
    return (not one.is_open, one.started_at, one.kind, one.service or "", one.subject or "")


def _degradation(row: Row, evidence: Evidence) -> Trouble:
    proof: Row = json.loads(row["evidence"])
    method = proof.get("method")
    endpoint = f"{method} {row['endpoint']}" if method and row["endpoint"] else row["endpoint"]
    cause, because = _blame(row, proof, evidence)
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
    if row["metric"] == "error_lines":
        return f"{before:.2%} -> {during:.2%} of lines are errors"
    unit = _UNITS.get(row["metric"], "")
    return f"{before:,.0f} -> {during:,.0f}{unit}"


def _blame(row: Row, proof: Row, evidence: Evidence) -> tuple[Cause, str]:
    deploy = _restart_before(row, evidence, _AFTER_DEPLOY, {"deploy"})
    restart = _restart_before(row, evidence, _WITH_RESTART, {"deploy", "stop", "crash"})
    if restart is not None and row["metric"] == "latency" and proof.get("shape") == "decay":
        return "us", f"warmed up after {_named(restart)}"
    if deploy is not None:
        passed = max((row["started_at"] - deploy["started_at"]).total_seconds(), 0.0)
        return "us", f"began {passed:.0f} s after {_named(deploy)}"
    if restart is not None:
        return "unclear", f"began with {_named(restart)}"
    if row["metric"] in ("error_ratio", "error_lines"):
        return _blame_errors(row, evidence)
    if row["metric"] == "latency":
        return _blame_slowness(row, proof)
    return "unclear", "no deploy came before it"


def _blame_slowness(row: Row, proof: Row) -> tuple[Cause, str]:
    if row["endpoint"] is None:
        return "unclear", "most endpoints got slow together: our process, our network or theirs"
    if proof.get("served"):
        return "unclear", "only our answers at this endpoint got slow, and no deploy came before it"
    return "platform", "only this endpoint got slow, and no deploy came before it"


def _restart_before(
    row: Row, evidence: Evidence, within: timedelta, reasons: set[str]
) -> Row | None:
    """Return the last restart of the service that *row* may follow from.

    A call may begin before the new run writes its first line, but not before the old run ended.
    """
    for restart in reversed(evidence.restarts):
        began = row["started_at"]
        is_near = restart["ended_at"] <= began <= restart["started_at"] + within
        if is_near and restart["service"] == row["service"] and restart["reason"] in reasons:
            return restart
    return None


def _named(restart: Row) -> str:
    if restart["reason"] == "deploy":
        return f"the deploy of {restart['version']}"
    return f"the restart at {restart['started_at']:%H:%M:%SZ} ({restart['reason']})"


def _blame_errors(row: Row, evidence: Evidence) -> tuple[Cause, str]:
    errors = [
        one
        for one in evidence.errors_of(row["started_at"], row["ended_at"] or evidence.until)
        if one["service"] == row["service"]
        and row["endpoint"] in (None, one["endpoint"])
        and one["status_code"] != 429
    ]
    total = sum(one["errors"] for one in errors)
    if not total:
        return "unclear", "the errors have neither a status nor a type"
    if row["metric"] == "error_lines":
        worst = max(errors, key=lambda one: one["errors"])
        return "unclear", f"most often: {worst['event'] or worst['template']} ({worst['errors']:,})"
    answers = sum(one["errors"] for one in errors if one["event"] in _ANSWERS)
    if 2 * answers > total:
        return _blame_answers(errors, answers)
    theirs = sum(one["errors"] for one in errors if _is_theirs(one))
    if 2 * theirs > total:
        return "platform", f"{theirs:,} of {total:,} errors are server errors or timeouts"
    return "us", f"{total - theirs:,} of {total:,} errors are refusals of our calls or exceptions"


def _blame_answers(errors: Sequence[Row], answers: int) -> tuple[Cause, str]:
    """Blame answers that we gave: those of 500 and above are ours, other ones the callers'."""
    ours = sum(
        one["errors"] for one in errors if one["event"] in _ANSWERS and one["status_code"] >= 500
    )
    if 2 * ours > answers:
        return "us", f"we answered {ours:,} requests with 500 or above"
    return "unclear", f"we refused {answers - ours:,} requests with 4xx"


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


def _silence(row: Row, evidence: Evidence) -> Trouble:
    cause, because = _blame_silence(row, evidence)
    return Trouble(
        kind="silence",
        service=row["service"],
        subject=None,
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        figures=f"not a line for {row['silent_seconds'] / 60:,.0f} min",
        cause=cause,
        because=because,
    )


def _blame_silence(row: Row, evidence: Evidence) -> tuple[Cause, str]:
    if row["ended_at"] is None:
        return "unclear", "others go on: it ended, hangs, or its newest lines were not read"
    for restart in evidence.restarts:
        is_its = restart["service"] == row["service"]
        if is_its and row["started_at"] <= restart["started_at"] <= row["ended_at"]:
            return "us", f"over with {_named(restart)}"
    return "unclear", "no restart ended it: it hung, had nothing to do, or lines are missing"


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
        figures=f"+{grown:,.1f} MiB an hour",
        cause="us",
        because=f"growing since the deploy of {born[-1]['version']}" if is_new else _KEPT,
        exhausts_at=row["exhausts_at"],
    )
