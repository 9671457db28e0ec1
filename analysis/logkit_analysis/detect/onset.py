"""The first call of a new level, found among bins of a second."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logkit_analysis.detect.levels import Floats

_LEAST_WIDTH = 0.05
_UNSEEN = 0.1
# Calls this near to the first guess may lie on either side of the change: they teach nothing.
_DOUBT_S = 60.0


@dataclass(frozen=True, slots=True)
class Close:
    """Bins of a second of one series around a change.

    Attributes:
        at: Start of the first call of each, in seconds since 1970.
        values: What is watched in each: a level, or a share of its calls.
        counts: Samples of each.
        is_share: Whether the values are shares.
    """

    at: Floats
    values: Floats
    counts: Floats
    is_share: bool


def first_of_new_level(
    parts: Sequence[Close], guess: float, known: Sequence[float] = ()
) -> float | None:
    """Return the start of the first call after the change, or ``None`` without calls.

    The change is the cut with the greatest likelihood, when how values are spread is learned from
    the calls on both sides of the first guess. No law is assumed, so one odd call has no pull.

    Args:
        parts: The calls.
        guess: About when it was.
        known: When related things changed: the first of these that is nearly as likely.
    """
    parts = [part for part in parts if part.at.size]
    if not parts:
        return None
    at = np.concatenate([part.at for part in parts])
    pulls = np.concatenate([_pulls(part, guess) for part in parts])
    order = np.argsort(at, kind="stable")
    # Cut before k: the bins up to k side with the old level, the others with the new one.
    balance = np.concatenate(([0.0], np.cumsum(pulls[order])[:-1]))
    at = at[order]
    # Before anything is seen, a known moment is as likely as all others together.
    nearly = np.log(at.size)
    for moment in known:
        cut = int(np.searchsorted(at, moment))
        if 0 < cut < at.size and balance[cut] <= balance.min() + nearly:
            return float(at[cut])
    best = np.flatnonzero(balance <= balance.min() + 1e-9)
    return float(at[best[np.argmin(np.abs(at[best] - guess))]])


def _pulls(part: Close, guess: float) -> Floats:
    """Return how much more each bin looks like the new level than like the old one."""
    doubt = min(_DOUBT_S, float(part.at[-1] - part.at[0]) / 8.0)
    old, new = part.at < guess - doubt, part.at >= guess + doubt
    if part.is_share:
        return _share_pulls(part, old, new)
    if not old.any() or not new.any():
        return np.zeros(part.at.size)
    width = min(_width(part.values[side]) for side in (old, new))
    before, after = (
        _density(part.values, part.values[side], part.counts[side], width) for side in (old, new)
    )
    return np.asarray((np.log(after) - np.log(before)) * part.counts)


def _width(values: Floats) -> float:
    """Return how far one call speaks for its neighbours: Silverman's rule, halved.

    The half keeps two modes (hits and misses of a cache) apart.
    """
    low, high = np.quantile(values, [0.25, 0.75])
    spread = min(float(values.std()), float(high - low) / 1.34) or float(values.std())
    return float(max(0.5 * spread * values.size**-0.2, _LEAST_WIDTH))


def _density(at: Floats, values: Floats, counts: Floats, width: float) -> Floats:
    """Return how often values like those *at* come among *values*; never zero."""
    near = np.exp(-0.5 * ((at[:, None] - values) / width) ** 2)
    return np.asarray((near @ counts + _UNSEEN) / (counts.sum() + 1.0))


def _share_pulls(part: Close, old: np.ndarray, new: np.ndarray) -> Floats:
    hits = part.values * part.counts
    before, after = (
        (hits[side].sum() + 0.5) / (part.counts[side].sum() + 1.0) for side in (old, new)
    )
    if after == before:
        return np.zeros(hits.size)
    missed = part.counts - hits
    return np.asarray(
        hits * np.log(after / before) + missed * np.log((1.0 - after) / (1.0 - before))
    )
