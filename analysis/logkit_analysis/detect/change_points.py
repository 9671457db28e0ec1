"""When did it get worse? The bins of `degradation_start` in, one row per incident out."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from logkit_analysis.detect.contrast import near_sides
from logkit_analysis.detect.findings import Finding, finding_of, one_per_trouble
from logkit_analysis.detect.incidents import find_incidents
from logkit_analysis.detect.metrics import METRICS, Watched, watch
from logkit_analysis.detect.onset import Close, first_of_new_level
from logkit_analysis.detect.series import read_series
from logkit_analysis.results import Column, ResultSet

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from logkit_analysis.detect.series import Series

    Look = Callable[[datetime, datetime], list[Series]]

_COLUMNS = (
    Column("service", "VARCHAR"),
    Column("metric", "VARCHAR"),
    Column("endpoint", "VARCHAR"),
    Column("queue", "VARCHAR"),
    Column("started_at", "TIMESTAMP WITH TIME ZONE"),
    Column("ended_at", "TIMESTAMP WITH TIME ZONE"),
    Column("baseline", "DOUBLE"),
    Column("degraded", "DOUBLE"),
    Column("score", "DOUBLE"),
    Column("evidence", "JSON"),
)
_STARTS = "starts"
_SAMPLE_IDS = 3
# What decays has lost that much of its height, on the scale of its noise, in its last third.
_DECAYED = 0.5
# Calls that begin before the end of a look may be logged after it.
_CALL_SLACK_S = 120.0


def detect(rows: ResultSet, again: Callable[[Mapping[str, object]], ResultSet]) -> ResultSet:
    """Return one row per incident.

    Args:
        rows: Bins of the `degradation_start` query.
        again: Runs it again with other parameters: seconds around a start instead of minutes.
    """
    findings: list[Finding] = []
    endpoints: dict[str | None, list[Watched]] = {}
    runs: dict[str | None, list[float]] = {}
    for series in read_series(rows):
        if series.key.series == _STARTS:
            runs[series.key.service] = series.at.tolist()
            continue
        for metric in METRICS[series.key.series]:
            watched = watch(series, metric)
            findings += [finding_of(watched, one) for one in find_incidents(watched)]
            if series.key.endpoint is not None and metric.scale == "log":
                endpoints.setdefault(series.key.service, []).append(watched)
    closer = _remembered(again)
    refined: list[Finding] = []
    for one in sorted(one_per_trouble(findings, endpoints), key=lambda one: -one.incident.score):
        known = [other.started_at for other in refined if other.place == one.place]
        known += _nearest_first(runs.get(one.key.service, ()), one.started_at)
        refined.append(_refined(one, known, closer))
    refined.sort(key=_order)
    return ResultSet(_COLUMNS, [_row(finding) for finding in refined])


def _remembered(again: Callable[[Mapping[str, object]], ResultSet]) -> Look:
    """Return *again* as series; what many findings have to look at is asked for once."""
    looks: dict[tuple[object, ...], list[Series]] = {}

    def look(since: datetime, until: datetime) -> list[Series]:
        if (since, until) not in looks:
            looked = again({"since": since, "until": until, "bin_seconds": 1})
            looks[since, until] = read_series(looked)
        return looks[since, until]

    return look


def _order(finding: Finding) -> tuple[object, ...]:
    key = finding.key
    names = (key.service or "", finding.metric.name, key.endpoint or "", key.queue or "")
    return (finding.started_at, *names)


def _nearest_first(moments: Sequence[float], guess: float) -> list[float]:
    return sorted(moments, key=lambda moment: abs(moment - guess))


def _refined(
    finding: Finding,
    known: Sequence[float],
    look: Look,
) -> Finding:
    """Return the finding with its start and end looked at by the second.

    Args:
        finding: The finding.
        known: When clearer findings of the same place and runs of the process began.
        look: Gives the bins of a second between two instants.
    """
    incident, watched = finding.incident, finding.watched
    started_at, ended_at = finding.started_at, finding.ended_at
    if incident.ramp_at is None:
        close = _closer(finding, incident.start, (incident.floor, incident.end), look)
        started_at = first_of_new_level(close, started_at, known) or started_at
    if ended_at is not None:
        close = _closer(finding, incident.end, (incident.start, len(watched)), look)
        ended_at = first_of_new_level(close, ended_at) or ended_at
    return replace(finding, started_at=started_at, ended_at=ended_at)


def _closer(
    finding: Finding,
    position: int,
    within: tuple[int, int],
    look: Look,
) -> list[Close]:
    """Return the calls around the level that begins at *position*, by the second."""
    watched = finding.watched
    sides = near_sides(watched.counts, position, *within)
    width = float(watched.at[position] - watched.at[position - 1])
    since = float(watched.at[sides.left])
    until = float(watched.at[sides.right - 1]) + width
    keys = {part.series.key for part in finding.parts}
    return [
        _close(watch(series, finding.metric), since, until)
        for series in look(_time(since), _time(until + _CALL_SLACK_S))
        if series.key in keys
    ]


def _close(watched: Watched, since: float, until: float) -> Close:
    series, metric = watched.series, watched.metric
    first_at = series.first_at[watched.bins]
    near = (first_at >= since) & (first_at < until)
    values = series.upper_end[watched.bins] if metric.scale == "slow" else watched.values
    is_share = metric.scale == "failed"
    return Close(first_at[near], values[near], watched.counts[near], is_share)


def _time(seconds: float) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=round(seconds * 1e6))


def _row(finding: Finding) -> tuple[object, ...]:
    key, incident, watched = finding.key, finding.incident, finding.watched
    return (
        key.service,
        finding.metric.name,
        key.endpoint,
        key.queue,
        _time(finding.started_at),
        None if finding.ended_at is None else _time(finding.ended_at),
        watched.reported(incident.floor, incident.start),
        watched.reported(incident.start, incident.end),
        incident.score,
        json.dumps(_evidence(finding)),
    )


def _evidence(finding: Finding) -> dict[str, object]:
    incident, watched = finding.incident, finding.watched
    before = watched.reported(incident.floor, incident.start)
    during = watched.reported(incident.start, incident.end)
    evidence: dict[str, object] = {
        "statistic": finding.metric.statistic,
        "bin_seconds": float(watched.at[incident.start] - watched.at[incident.start - 1]),
        "samples_before": int(watched.counts[incident.floor : incident.start].sum()),
        "samples_during": int(watched.counts[incident.start : incident.end].sum()),
        "correlation_ids": _sample_ids(finding),
    }
    if before > 0:
        evidence["ratio"] = during / before
    if incident.ramp_at is not None:
        evidence["shape"] = "ramp"
    elif finding.ended_at is not None and _decays(finding):
        evidence["shape"] = "decay"
    during_bins = watched.bins[incident.start : incident.end]
    if 2 * watched.series.answers[during_bins].sum() > watched.series.answered[during_bins].sum():
        evidence["served"] = True
    if len(finding.parts) > 1:
        names = {part.series.key.endpoint for part in finding.parts}
        evidence["endpoints"] = sorted(name for name in names if name is not None)
    elif finding.key.method is not None:
        evidence["method"] = finding.key.method
    return evidence


def _decays(finding: Finding) -> bool:
    """Return whether what got worse got better bit by bit."""
    incident, cost = finding.incident, finding.watched.cost
    third = (incident.end - incident.start) // 3
    before = cost.level(incident.floor, incident.start)
    first = cost.level(incident.start, incident.start + third) - before
    last = cost.level(incident.end - third, incident.end) - before
    return bool(last <= _DECAYED * first)


def _sample_ids(finding: Finding) -> list[str]:
    incident, watched = finding.incident, finding.watched
    column = "failed_id" if finding.metric.scale == "failed" else "slow_id"
    first, last = watched.bins[incident.start], watched.bins[incident.end - 1] + 1
    return watched.series.ids(column, first, last)[:_SAMPLE_IDS]
