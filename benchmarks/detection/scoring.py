"""Findings against the truth, by the same rules for every detector."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median, quantiles
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.detection.logs import Truth


@dataclass(frozen=True, slots=True)
class Finding:
    """One degradation as a detector reports it; times are seconds since the start of the log."""

    service: str | None
    metric: str
    endpoint: str | None
    queue: str | None
    started_at: float
    ended_at: float | None


@dataclass(slots=True)
class Score:
    """Counts over scenarios.

    Attributes:
        hits: Truths that were found.
        misses: Truths that were not.
        false_alarms: Findings that are no truth.
        onset_errors: Seconds between a truth's onset and that of its finding.
        quiet_alarms: False alarms in logs in which nothing is wrong.
        quiet_days: Length of those logs, in days.
        wrong: Names of scenarios with a miss or a false alarm.
    """

    hits: int = 0
    misses: int = 0
    false_alarms: int = 0
    onset_errors: list[float] = field(default_factory=list)
    quiet_alarms: int = 0
    quiet_days: float = 0.0
    wrong: list[str] = field(default_factory=list)

    def add(
        self, name: str, truths: Sequence[Truth], findings: Sequence[Finding], hours: float
    ) -> None:
        """Count one scenario."""
        matched = match(truths, findings)
        required = [truth for truth in truths if truth.is_required]
        hit = [truth for truth in required if truth in matched]
        told = {id(finding) for finding in matched.values()}
        excess = sum(
            id(finding) not in told and not any(_is_effect(truth, finding) for truth in truths)
            for finding in findings
        )
        self.hits += len(hit)
        self.misses += len(required) - len(hit)
        self.false_alarms += excess
        self.onset_errors += [abs(matched[truth].started_at - truth.started_at) for truth in hit]
        if not truths:
            self.quiet_alarms += excess
            self.quiet_days += hours / 24.0
        if excess or len(hit) < len(required):
            self.wrong.append(f"{name} (-{len(required) - len(hit)} +{excess})")

    @property
    def precision(self) -> float:
        """Share of findings that are true."""
        return self.hits / max(self.hits + self.false_alarms, 1)

    @property
    def recall(self) -> float:
        """Share of truths that are found."""
        return self.hits / max(self.hits + self.misses, 1)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        return 2 * self.hits / max(2 * self.hits + self.misses + self.false_alarms, 1)

    @property
    def median_error(self) -> float:
        """Median onset error in seconds; NaN without hits."""
        return median(self.onset_errors) if self.onset_errors else float("nan")

    @property
    def p90_error(self) -> float:
        """90th percentile of the onset errors; NaN with fewer than two hits."""
        if len(self.onset_errors) < 2:
            return float("nan")
        return quantiles(self.onset_errors, n=10, method="inclusive")[-1]

    @property
    def alarms_a_day(self) -> float:
        """False alarms a day on quiet logs."""
        return self.quiet_alarms / max(self.quiet_days, 1e-9)


def match(truths: Sequence[Truth], findings: Sequence[Finding]) -> dict[Truth, Finding]:
    """Return the finding of each truth that has one: nearest onsets first, each used once."""
    pairs = sorted(
        (abs(finding.started_at - truth.started_at), i, j)
        for i, truth in enumerate(truths)
        for j, finding in enumerate(findings)
        if _may_match(truth, finding)
    )
    matched: dict[Truth, Finding] = {}
    used: set[int] = set()
    for _, i, j in pairs:
        if truths[i] not in matched and j not in used:
            matched[truths[i]] = findings[j]
            used.add(j)
    return matched


def _may_match(truth: Truth, finding: Finding) -> bool:
    is_near = abs(finding.started_at - truth.started_at) <= truth.slack_s
    return is_near and _is_about(truth, finding)


def _is_about(truth: Truth, finding: Finding) -> bool:
    return (
        truth.service == finding.service
        and truth.metric == finding.metric
        and truth.endpoint == finding.endpoint
        and truth.queue == finding.queue
    )


def _is_effect(truth: Truth, finding: Finding) -> bool:
    """Return whether a finding is one that may be reported, at whatever time of it."""
    ended_at = float("inf") if truth.ended_at is None else truth.ended_at
    is_during = truth.started_at - truth.slack_s <= finding.started_at <= ended_at
    return not truth.is_required and is_during and _is_about(truth, finding)
