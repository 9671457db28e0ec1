"""What is watched in a series, and from when on worse is bad enough."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from logkit_analysis.detect.levels import BinomialCost, Cost, Floats, GaussianCost, noise_variances

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logkit_analysis.detect.series import Series

_SIGMA_FLOOR = 0.03


@dataclass(frozen=True, slots=True)
class Metric:
    """One way to look at the bins of a series.

    Attributes:
        name: The metric as findings name it.
        statistic: What of the bins is reported as their level, for the evidence.
        scale: On which noise is even: logarithms of durations, logarithms of one more than a
            figure, or shares of calls that are slow or failed.
        least_ratio: Smallest ratio of levels that counts.
        least_step: Smallest difference of levels that counts, in the unit of the scale without
            logarithm.
    """

    name: str
    statistic: str
    scale: Literal["log", "log1p", "slow", "failed"]
    least_ratio: float
    least_step: float

    @property
    def is_share(self) -> bool:
        """Whether calls are counted rather than measured."""
        return self.scale in ("slow", "failed")

    def is_worse(self, before: Any, after: Any, *, share: float = 1.0) -> Any:
        """Return whether *after* is worse than *before* by *share* of what counts.

        Both are on the metric's scale; with arrays, an answer for each comes back.
        """
        before, after = self._without_log(before), self._without_log(after)
        ratio = 1.0 + (self.least_ratio - 1.0) * share
        return (after - before >= self.least_step * share) & (after >= before * ratio)

    def _without_log(self, level: Any) -> Any:
        if self.is_share:
            return level
        return np.exp(level) if self.scale == "log" else np.expm1(level)


LATENCY = Metric("latency", "p50_ms", "log", 1.4, 10.0)
LATENCY_TAIL = Metric("latency", "p95_ms", "slow", 2.5, 0.03)
ERROR_RATIO = Metric("error_ratio", "errors / requests", "failed", 2.0, 0.015)
# How many other lines there are depends on the time of the day: only much worse counts.
ERROR_LINES = Metric("error_lines", "errors / lines", "failed", 3.0, 0.05)
METRICS: dict[str, tuple[Metric, ...]] = {
    "calls": (LATENCY, LATENCY_TAIL, ERROR_RATIO),
    "lines": (ERROR_LINES,),
    "queue_depth": (Metric("queue_depth", "median", "log1p", 2.0, 8.0),),
    "cpu_percent": (Metric("cpu_percent", "median", "log1p", 1.4, 15.0),),
    "open_connections": (Metric("open_connections", "median", "log1p", 1.6, 10.0),),
}
"""The metrics of each kind of series in which something can get worse."""


@dataclass(frozen=True, slots=True, eq=False)
class Watched:
    """The bins of a series in which a metric has samples.

    Attributes:
        series: The series.
        metric: The metric.
        bins: Their positions in the series.
        at: Their starts, in seconds since 1970.
        counts: Samples of each.
        values: The watched value of each.
        weights: How much each tells, one over the variance of its noise or its samples.
        cost: The cost of one level over some of them.
    """

    series: Series
    metric: Metric
    bins: NDArray[np.intp]
    at: Floats
    counts: Floats
    values: Floats
    weights: Floats
    cost: Cost

    def __len__(self) -> int:
        return self.at.size

    def position(self, at: Any) -> Any:
        """Return the position of the first bin that starts at *at* or later."""
        return np.searchsorted(self.at, at)

    def reported(self, start: int, end: int) -> float:
        """Return the level of bins from *start* up to *end* as findings tell it."""
        if self.metric.scale == "failed":
            return float(self.cost.level(start, end))
        if self.metric.scale == "slow":
            return float(np.exp(self.body_and_tail(start, end)[1]))
        return _weighted_median(self.series.centre[self.bins[start:end]], self.counts[start:end])

    def body_and_tail(self, start: int, end: int) -> tuple[float, float]:
        """Return logarithms of the median and the 95th percentile of calls in these bins."""
        bins, counts = self.bins[start:end], self.counts[start:end]
        body = np.log(_weighted_median(self.series.centre[bins], counts))
        tail = np.average(np.log(self.series.upper_end[bins]), weights=counts)
        return float(body), float(tail)


def watch(series: Series, metric: Metric) -> Watched:
    """Return what *metric* sees of *series*."""
    trials = series.answered if metric.scale == "failed" else series.samples
    bins = np.flatnonzero(trials > 0)
    at, counts = series.at[bins], trials[bins]
    if metric.is_share:
        events = (series.errors if metric.scale == "failed" else series.slow)[bins]
        cost: Cost = BinomialCost(events, counts)
        return Watched(series, metric, bins, at, counts, events / counts, counts, cost)
    values = series.log_mean[bins]
    variances = noise_variances(values, counts, _SIGMA_FLOOR)
    cost = GaussianCost(values, variances)
    return Watched(series, metric, bins, at, counts, values, 1.0 / variances, cost)


def _weighted_median(values: Floats, weights: Floats) -> float:
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[order])
    return float(values[order[np.searchsorted(reached, reached[-1] / 2.0)]])
