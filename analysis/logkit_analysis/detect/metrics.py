"""What is watched in a series, and from when on worse is bad enough."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, expm1, log, log1p
from typing import TYPE_CHECKING

from logkit_analysis.detect.levels import BinomialCost, Cost, GaussianCost, noise_variances

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from logkit_analysis.detect.series import Bin

# A duration of zero is a clock's rounding.
_LEAST_MS = 0.01
_SIGMA_FLOOR = 0.03


@dataclass(frozen=True, slots=True)
class Metric:
    """One way to look at the bins of a series.

    Attributes:
        name: The metric as findings name it.
        statistic: What of the bin is looked at, for the evidence.
        count: Samples of a bin.
        least_count: A bin with fewer is left out.
        value: The watched value of a bin, on the scale where noise is even.
        to_unit: From that scale to the metric's unit.
        least_ratio: Smallest ratio of levels that counts.
        least_step: Smallest difference of levels that counts, in the metric's unit.
    """

    name: str
    statistic: str
    count: Callable[[Bin], int]
    value: Callable[[Bin], float]
    to_unit: Callable[[float], float]
    least_ratio: float
    least_step: float
    least_count: int = 1

    @property
    def is_tail(self) -> bool:
        """Whether only the slowest calls are looked at."""
        return self is LATENCY_TAIL

    def watched(self, bins: Iterable[Bin]) -> list[Bin]:
        """Return the bins that have enough samples."""
        return [one for one in bins if self.count(one) >= self.least_count]

    def is_worse(self, before: float, after: float, *, share: float = 1.0) -> bool:
        """Return whether *after* is worse than *before* by *share* of what counts.

        Both are in the metric's unit.
        """
        ratio = 1.0 + (self.least_ratio - 1.0) * share
        return after - before >= self.least_step * share and after >= before * ratio

    def cost(self, bins: Sequence[Bin]) -> Cost:
        """Return the cost of one level over stretches of *bins*."""
        if self.name == "error_ratio":
            return BinomialCost([b.errors for b in bins], [b.answered for b in bins])
        values = [self.value(b) for b in bins]
        counts = [self.count(b) for b in bins]
        return GaussianCost(values, noise_variances(values, counts, _SIGMA_FLOOR))


def _log_centre(one: Bin) -> float:
    return log(max(one.centre or 0.0, _LEAST_MS))


def _log_upper_end(one: Bin) -> float:
    return log(max(one.upper_end or 0.0, _LEAST_MS))


def _samples(one: Bin) -> int:
    return one.samples


LATENCY = Metric("latency", "p50_ms", _samples, _log_centre, exp, 1.5, 10.0)
# The 90th percentile of fewer than five calls is their maximum, which is mostly noise.
LATENCY_TAIL = Metric("latency", "p90_ms", _samples, _log_upper_end, exp, 2.0, 50.0, least_count=5)
ERROR_RATIO = Metric(
    "error_ratio",
    "errors / requests",
    lambda one: one.answered,
    lambda one: one.errors / one.answered,
    float,
    2.0,
    0.02,
)


def _figure(name: str, least_ratio: float, least_step: float) -> Metric:
    return Metric(
        name,
        "median",
        _samples,
        lambda one: log1p(max(one.centre or 0.0, 0.0)),
        expm1,
        least_ratio,
        least_step,
    )


METRICS: dict[str, tuple[Metric, ...]] = {
    "calls": (LATENCY, LATENCY_TAIL, ERROR_RATIO),
    "queue_depth": (_figure("queue_depth", 3.0, 10.0),),
    "cpu_percent": (_figure("cpu_percent", 1.5, 20.0),),
    "open_connections": (_figure("open_connections", 2.0, 10.0),),
}
"""The metrics of each kind of series."""
