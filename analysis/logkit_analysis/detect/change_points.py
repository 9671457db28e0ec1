"""When did it get worse? The bins of `degradation_start` in, one row per incident out."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from logkit_analysis.detect.incidents import find_incidents
from logkit_analysis.detect.metrics import METRICS
from logkit_analysis.detect.onset import first_beyond, first_of_new_level
from logkit_analysis.detect.series import Bin, Key, read_series
from logkit_analysis.results import Column, ResultSet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from logkit_analysis.detect.incidents import Incident
    from logkit_analysis.detect.metrics import Metric
    from logkit_analysis.detect.onset import Step

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
_SAMPLE_IDS = 3
# Most endpoints of a service: then it is the service that got worse.
_LEAST_ENDPOINTS = 3
_TOGETHER = timedelta(minutes=2)
_CALL_SLACK = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Finding:
    """An incident of one series, with what is needed to look closer and to report it."""

    key: Key
    metric: Metric
    bins: list[Bin]
    incident: Incident
    started_at: datetime
    ended_at: datetime | None
    endpoints: tuple[str | None, ...]

    @property
    def until(self) -> datetime:
        """The end, or the last bin while it is going on."""
        return self.ended_at or self.bins[-1].at

    def overlaps(self, other: Finding) -> bool:
        """Return whether both go on at some time."""
        return self.started_at <= other.until and other.started_at <= self.until


def detect(rows: ResultSet, again: Callable[[Mapping[str, object]], ResultSet]) -> ResultSet:
    """Return one row per incident.

    Args:
        rows: Bins of the `degradation_start` query.
        again: Runs it again with other parameters: seconds around a start instead of minutes.
    """
    findings: list[Finding] = []
    endpoints: dict[str | None, set[str]] = {}
    for key, bins in read_series(rows).items():
        findings += _in_series(key, bins)
        if key.endpoint is not None:
            endpoints.setdefault(key.service, set()).add(key.endpoint)
    kept = _without_echoes(_one_per_endpoint(findings))
    kept = _merged_by_service(kept, endpoints)
    refined = [_refined(finding, again) for finding in kept]
    refined.sort(key=_order)
    return ResultSet(_COLUMNS, [_row(finding) for finding in refined])


def _order(finding: Finding) -> tuple[object, ...]:
    key = finding.key
    names = (key.service or "", finding.metric.name, key.endpoint or "", key.queue or "")
    return (finding.started_at, *names)


def _in_series(key: Key, bins: list[Bin]) -> Iterable[Finding]:
    for metric in METRICS[key.series]:
        watched = metric.watched(bins)
        for incident in find_incidents(watched, metric):
            ended_at = None if incident.finish is None else watched[incident.end].at
            started_at = watched[incident.start].at
            yield Finding(key, metric, watched, incident, started_at, ended_at, (key.endpoint,))


def _one_per_endpoint(findings: list[Finding]) -> list[Finding]:
    """Drop what another method of the endpoint shows more clearly, and tails of slow medians."""
    kept: list[Finding] = []
    for finding in sorted(findings, key=lambda one: (one.metric.is_tail, -one.incident.score)):
        same = (other for other in kept if _subject(other) == _subject(finding))
        if not any(other.overlaps(finding) for other in same):
            kept.append(finding)
    return kept


def _subject(finding: Finding) -> tuple[str | None, ...]:
    key = finding.key
    return (key.series, key.service, key.endpoint, key.queue, finding.metric.name)


def _without_echoes(findings: list[Finding]) -> list[Finding]:
    """Drop calls without an endpoint (commands) that are slow because an endpoint is."""
    causes = [one for one in findings if one.key.endpoint is not None]
    return [
        one
        for one in findings
        if one.key.series != "calls"
        or one.key.endpoint is not None
        or not any(
            cause.key.service == one.key.service
            and cause.metric.name == one.metric.name
            and cause.overlaps(one)
            for cause in causes
        )
    ]


def _merged_by_service(
    findings: list[Finding], endpoints: Mapping[str | None, set[str]]
) -> list[Finding]:
    """Make one finding of those that began together at most endpoints of a service."""
    merged: list[Finding] = []
    left = sorted(findings, key=lambda one: one.started_at)
    while left:
        first = left.pop(0)
        together = [first, *(one for one in left if _began_together(first, one))]
        names = {one.key.endpoint for one in together}
        known = endpoints.get(first.key.service, set())
        if first.key.endpoint is None or not _is_most(len(names), len(known)):
            merged.append(first)
            continue
        left = [one for one in left if one not in together]
        strongest = max(together, key=lambda one: one.incident.score)
        key = strongest.key._replace(endpoint=None)
        ordered = tuple(sorted(name for name in names if name is not None))
        merged.append(replace(strongest, key=key, endpoints=ordered))
    return merged


def _began_together(first: Finding, other: Finding) -> bool:
    return (
        other.key.endpoint is not None
        and other.key.service == first.key.service
        and other.metric.name == first.metric.name
        and other.started_at - first.started_at <= _TOGETHER
    )


def _is_most(count: int, known: int) -> bool:
    return count >= _LEAST_ENDPOINTS and 2 * count > known


def _refined(finding: Finding, again: Callable[[Mapping[str, object]], ResultSet]) -> Finding:
    incident, bins = finding.incident, finding.bins
    started_at = _closer(finding, incident.start, incident.begin, again)
    ended_at = finding.ended_at
    if incident.finish is not None:
        ended_at = _closer(finding, incident.end, incident.finish, again)
    return replace(
        finding,
        started_at=started_at or bins[incident.start].first_at,
        ended_at=ended_at,
    )


def _closer(
    finding: Finding,
    index: int,
    step: Step,
    again: Callable[[Mapping[str, object]], ResultSet],
) -> datetime | None:
    """Return the first call of the level that begins at bin *index*, looked at by the second."""
    bins = finding.bins
    since = bins[max(index - 2, 0)].at
    until = bins[min(index + 2, len(bins) - 1)].at + (bins[index].at - bins[index - 1].at)
    rows = again({"since": since, "until": until + _CALL_SLACK, "bin_seconds": 1})
    key = finding.key if len(finding.endpoints) == 1 else None
    found: list[Bin] = []
    for series, close in read_series(rows).items():
        if series == key or (key is None and series.endpoint in finding.endpoints):
            found += [one for one in close if since <= one.first_at < until]
    found.sort(key=lambda one: one.first_at)
    if finding.metric.is_tail:
        return first_beyond(
            [one for one in found if one.at >= bins[index].at], finding.metric, step
        )
    return first_of_new_level(found, finding.metric, step)


def _row(finding: Finding) -> tuple[object, ...]:
    key, incident = finding.key, finding.incident
    return (
        key.service,
        finding.metric.name,
        key.endpoint,
        key.queue,
        finding.started_at,
        finding.ended_at,
        incident.baseline,
        incident.degraded,
        incident.score,
        json.dumps(_evidence(finding)),
    )


def _evidence(finding: Finding) -> dict[str, object]:
    incident, metric = finding.incident, finding.metric
    during = finding.bins[incident.start : incident.end]
    before = finding.bins[: incident.start]
    is_error = metric.name == "error_ratio"
    ids = [one.failed_id if is_error else one.slow_id for one in during]
    evidence: dict[str, object] = {
        "statistic": metric.statistic,
        "samples_before": sum(map(metric.count, before)),
        "samples_during": sum(map(metric.count, during)),
        "correlation_ids": [one for one in ids if one][:_SAMPLE_IDS],
    }
    if incident.baseline > 0:
        evidence["ratio"] = incident.degraded / incident.baseline
    if len(finding.endpoints) > 1:
        evidence["endpoints"] = list(finding.endpoints)
    if finding.key.method is not None and len(finding.endpoints) == 1:
        evidence["method"] = finding.key.method
    return evidence
