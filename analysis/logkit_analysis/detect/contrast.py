"""How much the points after a moment differ from those before it, and how usual that is."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from logkit_analysis.detect.metrics import Watched

_SIDE_BINS = 12
_MOST_SIDE_BINS = 48
_SIDE_SAMPLES = 40
# The size that nine of ten differences stay below, in standard deviations of a normal law: few
# incidents do not disturb it. Slow calls show in fewer of them.
_SHARES = ((0.9, 1.645), (0.98, 2.326))
_FEWEST_BLOCKS = 6
# Differences up to that many times as great as noise makes them are noise, and shrink with more
# points; greater ones are a level that wanders, and need not shrink.
_WHITE = 1.3


@dataclass(frozen=True, slots=True)
class Sides:
    """Points before and after a change: from *left* to *start*, and from *end* to *right*."""

    left: int
    start: int
    end: int
    right: int

    @property
    def size(self) -> int:
        """Points on the smaller side."""
        return min(self.start - self.left, self.right - self.end)


def near_sides(counts: np.ndarray, at: int, least: int, most: int) -> Sides:
    """Return the points just before and just after *at*, within *least* and *most*.

    They are a few, or more where few have enough samples to tell the sides apart.
    """
    before = _reach(counts[least:at][::-1])
    after = _reach(counts[at:most])
    return Sides(at - before, at, at, at + after)


def _reach(counts: np.ndarray) -> int:
    samples = np.cumsum(counts[:_MOST_SIDE_BINS])
    enough = int(np.searchsorted(samples, _SIDE_SAMPLES)) + 1
    return min(max(_SIDE_BINS, enough), counts.size, _MOST_SIDE_BINS)


def score(watched: Watched, sides: Sides, during: tuple[int, int]) -> float:
    """Return by how many standard errors the points after are above those before.

    The error is the greater of what the noise of single points gives, and of what differences
    between neighbours of that size are in the rest of the series: levels wander, and waves go on.

    Args:
        watched: The points.
        sides: Those before and after.
        during: Bounds of the whole incident, which tells nothing of the usual.
    """
    cost = watched.cost
    difference = cost.level(sides.end, sides.right) - cost.level(sides.left, sides.start)
    if difference <= 0:
        return 0.0
    plain = sqrt(max(_gain(watched, sides), 0.0))
    if plain == 0.0:
        return 0.0
    size, usual = _usual_difference(watched, sides, during)
    expected = difference / plain * sqrt(sides.size / size)
    if usual < _WHITE * expected:
        return float(plain / max(usual / expected, 1.0))
    return min(plain, float(difference / usual))


def _gain(watched: Watched, sides: Sides) -> float:
    before, after = (sides.left, sides.start), (sides.end, sides.right)
    apart = watched.cost.cost(*before) + watched.cost.cost(*after)
    return float(watched.cost.joint_cost(before, after) - apart)


def _usual_difference(watched: Watched, sides: Sides, during: tuple[int, int]) -> tuple[int, float]:
    """Return the standard deviation of differences between points as far apart, elsewhere.

    Where the series is too short for that, fewer points are compared: their number comes first.
    """
    size, gap, total = sides.size, sides.end - sides.start, len(watched)
    start, end = during
    inside, outside = end - start, total - (end - start)
    # What takes most of the log has to be told from its own ups and downs.
    while size > 1 and max(inside, outside) < (_FEWEST_BLOCKS + 4) * size + gap:
        size //= 2
    at = np.arange(size, total - size - gap + 1)
    begins, ends = at - size, at + gap + size
    usual = (ends <= start) | (begins >= end)
    if outside < (_FEWEST_BLOCKS + 4) * size + gap:
        usual |= (begins >= start) & (ends <= end)
    at = at[usual]
    if at.size < max(_FEWEST_BLOCKS * size, _SIDE_BINS):
        return size, 0.0
    level = watched.cost.level
    differences = np.abs(level(at + gap, at + gap + size) - level(at - size, at))
    shares = _SHARES if watched.metric.scale == "slow" else _SHARES[:1]
    return size, max(float(np.quantile(differences, q)) / sigmas for q, sigmas in shares)
