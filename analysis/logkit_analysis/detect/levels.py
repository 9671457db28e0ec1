"""A noisy series cut into stretches of one level each."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import log
from typing import Any, Protocol

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Index = Any
"""A position or an array of positions."""

_SCALES = (2, 3, 5, 8, 13, 21, 34, 55, 89, 144)
_LEAST_GAIN = 12.0
_PENALTY_PER_LOG = 4.0
_MOST_CANDIDATES = 120
_MOST_MOVE = 24
# A change of level makes few great steps from point to point: they do not count as noise.
_GREAT_STEPS = 0.01
_FEWEST_GREAT_STEPS = 3
# Bins of many calls are steadier, though not without limit: levels wander a little by themselves.
_WANDERING_SHARE = 0.3


class Cost(Protocol):
    """How badly one level fits a stretch: twice the negative log-likelihood, in its own units.

    Positions may be arrays: then a value for each comes back.
    """

    def __len__(self) -> int:
        """Return the number of points."""

    def cuts(self) -> NDArray[np.intp]:
        """Return the positions before which a level may begin."""

    def cost(self, start: Index, end: Index) -> Any:
        """Return the cost of one level over the points from *start* up to *end*."""

    def joint_cost(self, one: tuple[Index, Index], other: tuple[Index, Index]) -> Any:
        """Return the cost of one level over the points of two stretches."""

    def level(self, start: Index, end: Index) -> Any:
        """Return the level that fits these points best."""


class GaussianCost:
    """Points with normal noise of known size.

    Args:
        values: The points.
        variances: The variance of each point's noise.
    """

    def __init__(self, values: Floats, variances: Floats) -> None:
        weights = 1.0 / variances
        # Sums of squares far from zero lose their digits.
        self._origin = float(np.median(values)) if values.size else 0.0
        centred = values - self._origin
        self._weight = _summed(weights)
        self._sum = _summed(weights * centred)
        self._squares = _summed(weights * centred * centred)

    def __len__(self) -> int:
        return self._weight.size - 1

    def cuts(self) -> NDArray[np.intp]:
        """See `Cost`."""
        return np.arange(1, len(self))

    def cost(self, start: Index, end: Index) -> Any:
        """See `Cost`."""
        weight, total, squares = self._sums(start, end)
        return squares - total * total / weight

    def joint_cost(self, one: tuple[Index, Index], other: tuple[Index, Index]) -> Any:
        """See `Cost`."""
        pairs = zip(self._sums(*one), self._sums(*other), strict=True)
        weight, total, squares = (a + b for a, b in pairs)
        return squares - total * total / weight

    def _sums(self, start: Index, end: Index) -> tuple[Any, Any, Any]:
        of = (self._weight, self._sum, self._squares)
        weight, total, squares = (sums[end] - sums[start] for sums in of)
        return weight, total, squares

    def level(self, start: Index, end: Index) -> Any:
        """See `Cost`."""
        weight, total, _ = self._sums(start, end)
        return self._origin + total / weight


class BinomialCost:
    """Points that count how many of some trials failed.

    Args:
        failures: Failed trials of each point.
        trials: All trials of each point; more than none.
    """

    def __init__(self, failures: Floats, trials: Floats) -> None:
        self._failures = _summed(failures)
        self._trials = _summed(trials)

    def __len__(self) -> int:
        return self._trials.size - 1

    def cuts(self) -> NDArray[np.intp]:
        """See `Cost`: the best cuts are beside failures, which are few."""
        failed = np.flatnonzero(np.diff(self._failures))
        beside = np.unique(np.concatenate((failed, failed + 1)))
        return beside[(beside > 0) & (beside < len(self))]

    def cost(self, start: Index, end: Index) -> Any:
        """See `Cost`."""
        return _binomial_cost(*self._sums(start, end))

    def joint_cost(self, one: tuple[Index, Index], other: tuple[Index, Index]) -> Any:
        """See `Cost`."""
        failed, trials = (a + b for a, b in zip(self._sums(*one), self._sums(*other), strict=True))
        return _binomial_cost(failed, trials)

    def level(self, start: Index, end: Index) -> Any:
        """See `Cost`."""
        failed, trials = self._sums(start, end)
        return failed / trials

    def _sums(self, start: Index, end: Index) -> tuple[Any, Any]:
        failed = self._failures[end] - self._failures[start]
        return failed, self._trials[end] - self._trials[start]


def _binomial_cost(failed: Any, trials: Any) -> Any:
    return -2.0 * (_times_log(failed, trials) + _times_log(trials - failed, trials))


def _summed(values: Floats) -> Floats:
    return np.concatenate(([0.0], np.cumsum(values, dtype=np.float64)))


def _times_log(part: Any, whole: Any) -> Any:
    return part * np.log(np.maximum(part, 1e-300) / whole)


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
    anywhere near them. That keeps it linear in the points and loses no sharp step.
    """
    size = len(cost)
    if size == 0:
        return []
    marks = np.concatenate(([0], _candidates(cost), [size]))
    penalty = _PENALTY_PER_LOG * log(size + 1)
    best = np.zeros(marks.size)
    previous = np.zeros(marks.size, dtype=np.intp)
    for j in range(1, marks.size):
        options = best[:j] + cost.cost(marks[:j], marks[j]) + penalty * (marks[:j] > 0)
        previous[j] = np.argmin(options)
        best[j] = options[previous[j]]
    cuts = [marks.size - 1]
    while cuts[-1]:
        cuts.append(int(previous[cuts[-1]]))
    bounds = _moved_to_optimum(cost, [int(marks[i]) for i in reversed(cuts)])
    return [Stretch(a, b, float(cost.level(a, b))) for a, b in pairwise(bounds)]


def _candidates(cost: Cost) -> NDArray[np.intp]:
    size = len(cost)
    strongest = np.zeros(size)
    for scale in _SCALES:
        if 2 * scale > size:
            break
        at, gains = _peaks(cost, scale)
        strongest[at] = np.maximum(strongest[at], gains)
    found = np.flatnonzero(strongest)
    if found.size > _MOST_CANDIDATES:
        found = np.sort(found[np.argsort(-strongest[found], kind="stable")[:_MOST_CANDIDATES]])
    return found


def _peaks(cost: Cost, scale: int) -> tuple[NDArray[np.intp], Floats]:
    """Return the points where the gain of a cut at this *scale* is a maximum, with the gain."""
    size, at = len(cost), cost.cuts()
    start, end = np.maximum(at - scale, 0), np.minimum(at + scale, size)
    gains = cost.cost(start, end) - cost.cost(start, at) - cost.cost(at, end)
    high = np.flatnonzero(gains > _LEAST_GAIN)
    if not high.size:
        return high, gains[high]
    reach = max(scale // 2, 1)
    padded = np.full(size + 2 * reach, -np.inf)
    padded[at + reach] = gains
    around = sliding_window_view(padded, 2 * reach + 1)
    peaks = high[gains[high] == around[at[high]].max(axis=1)]
    return at[peaks], gains[peaks]


def _moved_to_optimum(cost: Cost, bounds: list[int]) -> list[int]:
    """Return *bounds* with each cut moved to the best place between its neighbours."""
    moved = list(bounds)
    for index in range(1, len(moved) - 1):
        left, right = moved[index - 1], moved[index + 1]
        near = np.arange(
            max(left + 1, moved[index] - _MOST_MOVE), min(right, moved[index] + _MOST_MOVE)
        )
        moved[index] = int(near[np.argmin(cost.cost(left, near) + cost.cost(near, right))])
    return moved


def noise_variances(values: Floats, counts: Floats, floor: float) -> Floats:
    """Return the variance of each point's noise, judged by the steps from point to point.

    Args:
        values: The points.
        counts: How many samples each point is made of.
        floor: The smallest standard deviation to believe in.
    """
    if values.size < 2:
        return np.full(values.size, floor * floor)
    typical = float(np.median(counts))
    relative = _WANDERING_SHARE + (1.0 - _WANDERING_SHARE) * typical / np.maximum(counts, 1.0)
    squares = np.sort(np.diff(values) ** 2 / (relative[1:] + relative[:-1]))
    great = min(max(_FEWEST_GREAT_STEPS, round(_GREAT_STEPS * squares.size)), squares.size // 4)
    variance = float(squares[: squares.size - great].mean())
    return max(variance, floor * floor) * relative
