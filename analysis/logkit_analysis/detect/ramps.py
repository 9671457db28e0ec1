"""Slow growth: where a level that was even begins to rise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from logkit_analysis.detect.levels import Floats
    from logkit_analysis.detect.metrics import Watched

_LEAST_BEFORE = 20
_LEAST_TOP = 10
# Slower growth is the time of the day, not an incident.
_SLOWEST_PER_MINUTE = 0.008
_FASTEST_PER_MINUTE = 1.0
_RATES = 24
_ONSETS = 80
_MOST_POINTS = 240
# By how much the growth must explain the points better than one step, even on a slope, does.
_LEAST_GAIN = 8.0


@dataclass(frozen=True, slots=True)
class Ramp:
    """Where growth begins: the position of the bin, and the time in seconds since 1970."""

    start: int
    at: float


def fit_ramp(watched: Watched, start: int, summit: int, end: int, floor: int) -> Ramp | None:
    """Return the ramp that explains a rise better than a step or a longer trend, if there is one.

    Args:
        watched: Points on a logarithmic scale.
        start: Position where the rise begins, roughly.
        summit: Position from which the level is at its highest.
        end: Position behind the highest level.
        floor: Position before which nothing may be looked at.
    """
    last = min(end, summit + max(_LEAST_TOP, (summit - start) // 4))
    first = max(floor, start - max(_LEAST_BEFORE, last - start))
    if start - first < _LEAST_BEFORE // 2 or last - start < 4:
        return None
    minutes, values, weights = _thinned(watched, first, last)
    onsets = np.quantile(minutes[:-3], np.linspace(0.05, 1.0, _ONSETS))
    rates = np.geomspace(_SLOWEST_PER_MINUTE, _FASTEST_PER_MINUTE, _RATES)
    grown = np.maximum(minutes - onsets[:, None], 0.0)
    shapes = np.log1p(rates[:, None, None] * grown)
    errors = _errors(shapes, values, weights)
    best = np.unravel_index(np.argmin(errors), errors.shape)
    if best[0] == 0 or _rival_error(minutes, values, weights) - errors[best] < _LEAST_GAIN:
        return None
    at = float(watched.at[first] + 60.0 * onsets[best[1]])
    return Ramp(int(watched.position(at)), at)


def _thinned(watched: Watched, first: int, last: int) -> tuple[Floats, Floats, Floats]:
    """Return minutes, values and weights, neighbours joined where there are many."""
    weights = watched.weights[first:last]
    step = -(-(last - first) // _MOST_POINTS)
    begins = np.arange(0, last - first, step)
    minutes = (watched.at[first:last] - watched.at[first]) / 60.0
    heavy = np.add.reduceat(weights, begins)
    joined = (
        np.add.reduceat(weights * part, begins) / heavy
        for part in (minutes, watched.values[first:last])
    )
    minutes, values = joined
    return minutes, values, heavy


def _errors(shapes: np.ndarray, values: Floats, weights: Floats) -> np.ndarray:
    """Return the weighted squares that each shape leaves, at its best height."""
    left = values - shapes
    level = (left @ weights) / weights.sum()
    return np.asarray(((left - level[..., None]) ** 2) @ weights)


def _rival_error(minutes: Floats, values: Floats, weights: Floats) -> float:
    """Return the weighted squares that the best step leaves, on a flat line or on a sloping one."""
    steps = (np.arange(values.size) >= np.arange(1, values.size)[:, None]).astype(np.float64)
    root = np.sqrt(weights)
    line = np.stack([root, root * minutes])
    errors = []
    for basis in (line[:1], line):
        basis = np.linalg.qr(basis.T)[0]
        target = root * values - basis @ (basis.T @ (root * values))
        rest = root * steps - (root * steps @ basis) @ basis.T
        gains = (rest @ target) ** 2 / np.maximum((rest**2).sum(axis=1), 1e-9)
        errors.append(target @ target - gains.max())
    return float(min(errors))
