"""Levels that are worse than the one before, for long enough and suddenly enough."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from math import sqrt
from typing import TYPE_CHECKING

from logkit_analysis.detect.levels import Stretch, cut_into_levels
from logkit_analysis.detect.onset import Step

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logkit_analysis.detect.levels import Cost
    from logkit_analysis.detect.metrics import Metric
    from logkit_analysis.detect.series import Bin

_LEAST_DURATION = timedelta(minutes=3)
_LEAST_BINS = 3
_LEAST_SAMPLES = 10
_LEAST_BASELINE_BINS = 8
_LEAST_BASELINE_SAMPLES = 20
_LEAST_SCORE = 5.0
_SIDE_BINS = 12
_MOST_SIDE_BINS = 48
_SIDE_SAMPLES = 40
_SHARPNESS = 0.5
_RECOVERY = 0.5
_DAY = timedelta(hours=24)
_LEAST_YESTERDAY_BINS = 3


@dataclass(frozen=True, slots=True)
class Incident:
    """A worse level: from bin *start* up to bin *end* of its series, exclusive.

    Attributes:
        start: Index of the first bin.
        end: Index behind the last bin.
        baseline: Level before, in the metric's unit.
        degraded: Level during, in the metric's unit.
        score: Difference of the sides of the start, in standard errors.
        begin: Levels just before and just after the start.
        finish: Levels just before and just after the end; ``None`` while it is going on.
    """

    start: int
    end: int
    baseline: float
    degraded: float
    score: float
    begin: Step
    finish: Step | None


def find_incidents(bins: Sequence[Bin], metric: Metric) -> list[Incident]:
    """Return the incidents in one series; *bins* all have samples of *metric*."""
    if len(bins) < _LEAST_BASELINE_BINS + _LEAST_BINS:
        return []
    cost = metric.cost(bins)
    stretches = cut_into_levels(cost)
    found: list[Incident] = []
    healthy: Stretch | None = None
    index = 0
    while index < len(stretches):
        stretch = stretches[index]
        if healthy is not None:
            end = _worse_until(stretches, index, healthy, metric)
            if end > index:
                incident = _judged(bins, metric, cost, healthy, stretches[index:end])
                if incident is not None:
                    found.append(incident)
                    index = end
                    continue
        if _is_baseline(bins, stretch, metric):
            healthy = stretch
        index += 1
    return found


def _worse_until(stretches: list[Stretch], index: int, healthy: Stretch, metric: Metric) -> int:
    """Return the index of the first stretch from *index* on that is not worse than *healthy*."""
    before = metric.to_unit(healthy.level)
    if not metric.is_worse(before, metric.to_unit(stretches[index].level)):
        return index
    end = index + 1
    while end < len(stretches) and metric.is_worse(
        before, metric.to_unit(stretches[end].level), share=_RECOVERY
    ):
        end += 1
    return end


def _is_baseline(bins: Sequence[Bin], stretch: Stretch, metric: Metric) -> bool:
    samples = sum(metric.count(one) for one in bins[stretch.start : stretch.end])
    size = stretch.end - stretch.start
    return size >= _LEAST_BASELINE_BINS and samples >= _LEAST_BASELINE_SAMPLES


def _judged(
    bins: Sequence[Bin],
    metric: Metric,
    cost: Cost,
    healthy: Stretch,
    worse: list[Stretch],
) -> Incident | None:
    """Return the incident that *worse* is, or ``None`` if it is too short, slow or usual."""
    start, end = worse[0].start, worse[-1].end
    during = bins[start:end]
    if len(during) < _LEAST_BINS or sum(map(metric.count, during)) < _LEAST_SAMPLES:
        return None
    if during[-1].at - during[0].at < _LEAST_DURATION:
        return None
    counts = [metric.count(one) for one in bins]
    score = _contrast(cost, metric, start, _reach(counts, start, 0, end))
    if score < _LEAST_SCORE:
        return None
    degraded = cost.level(start, end)
    if _was_so_yesterday(bins, metric, during, healthy.level, degraded):
        return None
    baseline, level = metric.to_unit(healthy.level), metric.to_unit(degraded)
    begin = _sides(cost, start, _reach(counts, start, 0, end))
    finish = None
    if end < len(cost):
        finish = _sides(cost, end, _reach(counts, end, start, len(cost)))
    return Incident(start, end, baseline, level, score, begin, finish)


def _sides(cost: Cost, at: int, sides: tuple[int, int]) -> Step:
    return Step(cost.level(sides[0], at), cost.level(at, sides[1]))


def _reach(counts: Sequence[int], at: int, least: int, most: int) -> tuple[int, int]:
    """Return the bounds of the bins just before and just after *at*, within *least* and *most*.

    They are a few, or more where few have enough samples to tell the sides apart.
    """
    left = right = at
    while left > least and (at - left < _SIDE_BINS or _is_thin(counts[left:at])):
        left -= 1
    while right < most and (right - at < _SIDE_BINS or _is_thin(counts[at:right])):
        right += 1
    return left, right


def _is_thin(counts: Sequence[int]) -> bool:
    return len(counts) < _MOST_SIDE_BINS and sum(counts) < _SIDE_SAMPLES


def _contrast(cost: Cost, metric: Metric, start: int, sides: tuple[int, int]) -> float:
    """Return by how many standard errors the bins after *start* are worse than those before.

    Zero if the step is not sharp: if most of the change is not there within a few bins.
    """
    left, right = sides
    step = _sides(cost, start, sides)
    before, after = metric.to_unit(step.before), metric.to_unit(step.after)
    if not metric.is_worse(before, after, share=_SHARPNESS):
        return 0.0
    gain = cost.cost(left, right) - cost.cost(left, start) - cost.cost(start, right)
    return sqrt(max(gain, 0.0))


def _was_so_yesterday(
    bins: Sequence[Bin],
    metric: Metric,
    during: Sequence[Bin],
    healthy: float,
    degraded: float,
) -> bool:
    """Return whether the same hours of the day before had most of the change too."""
    begin, finish = during[0].at - _DAY, during[-1].at - _DAY
    values = [metric.value(one) for one in bins if begin <= one.at <= finish]
    if len(values) < _LEAST_YESTERDAY_BINS:
        return False
    return sum(values) / len(values) - healthy >= (degraded - healthy) / 2
