"""Families of noise: factors by which single calls differ from the level of their endpoint."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[Any]
Noise = Callable[[np.random.Generator, Floats], Floats]
"""Random numbers and the times of calls (seconds) in, a factor for each call out."""


def lognormal(sigma: float) -> Noise:
    """Return noise whose logarithm is normal."""
    return lambda rng, at: rng.lognormal(0.0, sigma, at.size)


def gamma(shape: float) -> Noise:
    """Return gamma noise with mean 1: skewed, with a light tail."""
    return lambda rng, at: np.maximum(rng.gamma(shape, 1.0 / shape, at.size), 1e-3)


def weibull(shape: float) -> Noise:
    """Return Weibull noise: below shape 1 it has a heavy tail."""
    return lambda rng, at: np.maximum(rng.weibull(shape, at.size), 1e-3)


def pareto(alpha: float) -> Noise:
    """Return noise that is never below 1 and has a power-law tail."""
    return lambda rng, at: 1.0 + rng.pareto(alpha, at.size)


def cache(hit_share: float, speedup: float = 20.0) -> Noise:
    """Return noise of two modes: hits are faster than misses by *speedup*."""

    def draw(rng: np.random.Generator, at: Floats) -> Floats:
        hits = rng.random(at.size) < hit_share
        return np.where(hits, 1.0 / speedup, 1.0) * rng.lognormal(0.0, 0.3, at.size)

    return draw


def wandering(sigma: float, minutes: float, spread: float = 0.3) -> Noise:
    """Return noise around a level that wanders by *sigma* (log scale) and forgets in *minutes*."""

    def draw(rng: np.random.Generator, at: Floats) -> Floats:
        return np.exp(_wander(rng, at, sigma, minutes)) * rng.lognormal(0.0, spread, at.size)

    return draw


def _wander(rng: np.random.Generator, at: Floats, sigma: float, minutes: float) -> Floats:
    """Return an Ornstein-Uhlenbeck process, drawn once in ten seconds."""
    if at.size == 0:
        return at
    kept = float(np.exp(-10.0 / (60.0 * minutes)))
    shocks = rng.normal(0.0, sigma * np.sqrt(1 - kept**2), int(at.max() // 10) + 2)
    level = np.empty(shocks.size)
    level[0] = rng.normal(0.0, sigma)
    for i in range(1, shocks.size):
        level[i] = kept * level[i - 1] + shocks[i]
    return np.interp(at, np.arange(level.size) * 10.0, level)


def spiky(share: float, factor: float, sigma: float = 0.3) -> Noise:
    """Return lognormal noise in which a *share* of calls takes *factor* times as long."""

    def draw(rng: np.random.Generator, at: Floats) -> Floats:
        slow = rng.random(at.size) < share
        return np.where(slow, factor, 1.0) * rng.lognormal(0.0, sigma, at.size)

    return draw


FAMILIES: dict[str, Noise] = {
    "lognormal": lognormal(0.4),
    "narrow": lognormal(0.08),
    "broad": lognormal(0.9),
    "gamma": gamma(3.0),
    "weibull": weibull(0.8),
    "pareto": pareto(1.6),
    "cache": cache(0.6),
    "wandering": wandering(0.15, 8.0),
    "spiky": spiky(0.02, 15.0),
}
"""The families from which scenarios draw."""
