"""A noisy series cut into stretches of one level each."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import log
from statistics import median
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

_SCALES = (2, 3, 5, 8, 13, 21, 34, 55, 89, 144)
_LEAST_GAIN = 12.0
_PENALTY_PER_LOG = 4.0
_MOST_CANDIDATES = 120
_POINTS_PER_SCALE = 8
_MOST_MOVE = 24
_MAD_TO_SIGMA = 1.4826


class Cost(Protocol):
    """How badly one level fits a stretch: twice the negative log-likelihood, in its own units."""

    def __len__(self) -> int:
        """Return the number of points."""

    def cost(self, start: int, end: int) -> float:
        """Return the cost of one level over the points from *start* up to *end*."""

    def level(self, start: int, end: int) -> float:
        """Return the level that fits these points best."""


class GaussianCost:
    """Points with normal noise of known size.

    Args:
        values: The points.
        variances: The variance of each point's noise.
    """

    def __init__(self, values: Sequence[float], variances: Sequence[float]) -> None:
        weights = [1.0 / variance for variance in variances]
        pairs = list(zip(values, weights, strict=True))
        self._weight = [0.0, *accumulate(weights)]
        self._sum = [0.0, *accumulate(value * weight for value, weight in pairs)]
        self._squares = [0.0, *accumulate(value * value * weight for value, weight in pairs)]

    def __len__(self) -> int:
        return len(self._weight) - 1

    def cost(self, start: int, end: int) -> float:
        """See `Cost`."""
        weight = self._weight[end] - self._weight[start]
        total = self._sum[end] - self._sum[start]
        return self._squares[end] - self._squares[start] - total * total / weight

    def level(self, start: int, end: int) -> float:
        """See `Cost`."""
        weight = self._weight[end] - self._weight[start]
        return (self._sum[end] - self._sum[start]) / weight


class BinomialCost:
    """Points that count how many of some trials failed.

    Args:
        failures: Failed trials of each point.
        trials: All trials of each point.
    """

    def __init__(self, failures: Sequence[int], trials: Sequence[int]) -> None:
        self._failures = [0, *accumulate(failures)]
        self._trials = [0, *accumulate(trials)]

    def __len__(self) -> int:
        return len(self._trials) - 1

    def cost(self, start: int, end: int) -> float:
        """See `Cost`."""
        failed = self._failures[end] - self._failures[start]
        passed = self._trials[end] - self._trials[start] - failed
        if failed == 0 or passed == 0:
            return 0.0
        ratio = failed / (failed + passed)
        return -2.0 * (failed * log(ratio) + passed * log(1.0 - ratio))

    def level(self, start: int, end: int) -> float:
        """See `Cost`."""
        trials = self._trials[end] - self._trials[start]
        return (self._failures[end] - self._failures[start]) / trials if trials else 0.0


@dataclass(frozen=True, slots=True)
class Stretch:
    """Points of one level: from *start* up to *end*, exclusive."""

    start: int
    end: int
    level: float


def cut_into_levels(cost: Cost) -> list[Stretch]:
    """Return the stretches of one level that explain the points best.

    The cuts are the exact optimum of cost plus a penalty per cut (optimal partitioning, Jackson
    et al. 2005) over candidates: the points where, at some scale, the two sides differ more than
    anywhere near them. That makes it fast enough for plain Python and loses no sharp step.
    """
    size = len(cost)
    if size == 0:
        return []
    marks = [0, *_candidates(cost), size]
    penalty = _PENALTY_PER_LOG * log(size + 1)
    best = [0.0]
    previous = [0]
    for j in range(1, len(marks)):
        options = [
            (best[i] + cost.cost(marks[i], marks[j]) + (penalty if i else 0.0), i) for i in range(j)
        ]
        value, i = min(options)
        best.append(value)
        previous.append(i)
    cuts = [len(marks) - 1]
    while cuts[-1]:
        cuts.append(previous[cuts[-1]])
    bounds = _moved_to_optimum(cost, [marks[i] for i in reversed(cuts)])
    return [Stretch(a, b, cost.level(a, b)) for a, b in pairwise(bounds)]


def _candidates(cost: Cost) -> list[int]:
    gains: dict[int, float] = {}
    for scale in _SCALES:
        if 2 * scale > len(cost):
            break
        for at, gain in _peaks(cost, scale):
            gains[at] = max(gains.get(at, 0.0), gain)
    strongest = sorted(gains, key=lambda at: -gains[at])[:_MOST_CANDIDATES]
    return sorted(strongest)


def _peaks(cost: Cost, scale: int) -> list[tuple[int, float]]:
    """Return the points where the gain of a cut at this *scale* is a maximum, with the gain."""
    size = len(cost)
    stride = max(scale // _POINTS_PER_SCALE, 1)
    gains = [(at, _gain(cost, at, scale)) for at in range(1, size, stride)]
    reach = max(scale // (2 * stride), 1)
    return [
        (at, gain)
        for index, (at, gain) in enumerate(gains)
        if gain > _LEAST_GAIN
        and gain == max(near for _, near in gains[max(index - reach, 0) : index + reach + 1])
    ]


def _gain(cost: Cost, at: int, scale: int) -> float:
    start, end = max(at - scale, 0), min(at + scale, len(cost))
    return cost.cost(start, end) - cost.cost(start, at) - cost.cost(at, end)


def _moved_to_optimum(cost: Cost, bounds: list[int]) -> list[int]:
    """Return *bounds* with each cut moved to the best place between its neighbours."""
    moved = list(bounds)
    for index in range(1, len(moved) - 1):
        left, right = moved[index - 1], moved[index + 1]
        near = range(
            max(left + 1, moved[index] - _MOST_MOVE), min(right, moved[index] + _MOST_MOVE)
        )
        moved[index] = min(near, key=lambda at: cost.cost(left, at) + cost.cost(at, right))
    return moved


def noise_variances(values: Sequence[float], counts: Sequence[int], floor: float) -> list[float]:
    """Return the variance of each point's noise, judged by the steps from point to point.

    A change of level makes few steps and does not disturb the estimate; points made of more
    samples are steadier, though not without limit.

    Args:
        values: The points.
        counts: How many samples each point is made of.
        floor: The smallest standard deviation to believe in.
    """
    steps = [abs(b - a) for a, b in pairwise(values)]
    sigma = max(_MAD_TO_SIGMA * median(steps) / 2**0.5, floor) if steps else floor
    typical = median(counts)
    return [sigma * sigma * (0.3 + 0.7 * typical / max(count, 1)) for count in counts]
