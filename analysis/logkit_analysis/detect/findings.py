"""Incidents of single series made into what is reported: one finding for one trouble."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from logkit_analysis.detect.incidents import Incident
    from logkit_analysis.detect.metrics import Metric, Watched
    from logkit_analysis.detect.series import Key

# Most endpoints of a service, or both: then it is the service that got worse.
_LEAST_ENDPOINTS = 3
_TOGETHER_S = 120.0
_LEAST_CALLS = 10


@dataclass(frozen=True, slots=True)
class Finding:
    """An incident of one series or, in *parts*, of most endpoints of a service.

    Attributes:
        key: What it is about.
        watched: The series in which it shows most clearly.
        incident: Where it is in that series.
        started_at: Its start, in seconds since 1970.
        ended_at: Its end; ``None`` while it is going on.
        parts: What is watched of each endpoint that it is made of.
    """

    key: Key
    watched: Watched
    incident: Incident
    started_at: float
    ended_at: float | None
    parts: tuple[Watched, ...]

    @property
    def metric(self) -> Metric:
        """What got worse."""
        return self.watched.metric

    @property
    def until(self) -> float:
        """The end, or the last bin while it is going on."""
        return float(self.watched.at[-1]) if self.ended_at is None else self.ended_at

    @property
    def subject(self) -> tuple[str | None, ...]:
        """What it is about, whatever the method and the statistic."""
        key = self.key
        return (key.series, key.service, key.endpoint, key.queue, self.metric.name)

    @property
    def place(self) -> tuple[str | None, ...]:
        """Where it is, whatever got worse there."""
        return (self.key.service, self.key.endpoint)

    def overlaps(self, other: Finding) -> bool:
        """Return whether both go on at some time."""
        return self.started_at <= other.until and other.started_at <= self.until


def finding_of(watched: Watched, incident: Incident) -> Finding:
    """Return what an incident of one series says."""
    started_at = incident.ramp_at or float(watched.at[incident.start])
    is_over = incident.end < len(watched)
    ended_at = float(watched.at[incident.end]) if is_over else None
    return Finding(watched.series.key, watched, incident, started_at, ended_at, (watched,))


def one_per_trouble(
    findings: Sequence[Finding], endpoints: Mapping[str | None, Sequence[Watched]]
) -> list[Finding]:
    """Return *findings* without those that tell of the same trouble as another.

    Args:
        findings: Incidents of single series.
        endpoints: The series of calls with an endpoint, by service.
    """
    return _merged_by_service(_without_echoes(_one_per_endpoint(findings)), endpoints)


def _one_per_endpoint(findings: Sequence[Finding]) -> list[Finding]:
    """Drop what another method of the endpoint shows more clearly, and tails of slow medians."""
    kept: list[Finding] = []
    clearest = sorted(findings, key=lambda one: (one.metric.scale == "slow", -one.incident.score))
    for finding in clearest:
        same = (other for other in kept if other.subject == finding.subject)
        if not any(other.overlaps(finding) for other in same):
            kept.append(finding)
    return kept


def _without_echoes(findings: list[Finding]) -> list[Finding]:
    """Drop calls without an endpoint (commands) that are slow because an endpoint is."""
    causes = [one for one in findings if one.key.endpoint is not None]
    return [one for one in findings if not any(_is_echo(one, cause) for cause in causes)]


def _is_echo(finding: Finding, cause: Finding) -> bool:
    return (
        finding.key.series == "calls"
        and finding.key.endpoint is None
        and cause.key.service == finding.key.service
        and cause.metric.name == finding.metric.name
        and cause.overlaps(finding)
    )


def _merged_by_service(
    findings: list[Finding], endpoints: Mapping[str | None, Sequence[Watched]]
) -> list[Finding]:
    """Make one finding of those that began together at most endpoints of a service."""
    merged: list[Finding] = []
    left = sorted(findings, key=lambda one: one.started_at)
    while left:
        first = left.pop(0)
        together = [first, *(one for one in left if _began_together(first, one))]
        names = {one.key.endpoint for one in together}
        known = _in_use(endpoints.get(first.key.service, ()), first) | names
        if first.key.endpoint is None or not _is_most(len(names), len(known)):
            merged.append(first)
            continue
        left = [one for one in left if one not in together]
        merged.append(_joined(together))
    return merged


def _began_together(first: Finding, other: Finding) -> bool:
    return (
        other.key.endpoint is not None
        and other.key.service == first.key.service
        and other.metric.name == first.metric.name
        and other.started_at - first.started_at <= _TOGETHER_S
    )


def _in_use(endpoints: Sequence[Watched], during: Finding) -> set[str | None]:
    """Return the endpoints with enough calls to show it if they got worse too."""
    used = set()
    for one in endpoints:
        start, end = one.position([during.started_at, during.until])
        if one.counts[start:end].sum() >= _LEAST_CALLS:
            used.add(one.series.key.endpoint)
    return used


def _is_most(count: int, known: int) -> bool:
    return (count >= _LEAST_ENDPOINTS and 2 * count > known) or count == known > 1


def _joined(together: Sequence[Finding]) -> Finding:
    strongest = max(together, key=lambda one: one.incident.score)
    parts = sorted((one.watched for one in together), key=lambda one: one.series.key.endpoint or "")
    return replace(
        strongest, key=strongest.key._replace(method=None, endpoint=None), parts=tuple(parts)
    )
