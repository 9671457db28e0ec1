"""The first call of a new level, found among bins of a second."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from math import log
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from logkit_analysis.detect.metrics import Metric
    from logkit_analysis.detect.series import Bin

_LEAST_RATIO = 1e-3
# One odd call must not move the change by itself: its pull is limited to this many steps.
_MOST_PULL = 1.0


@dataclass(frozen=True, slots=True)
class Step:
    """A change from one level to another, on the scale of the metric."""

    before: float
    after: float


def first_of_new_level(bins: Sequence[Bin], metric: Metric, step: Step) -> datetime | None:
    """Return the start of the first call after the change, or ``None`` without bins.

    The change is the cut with the greatest likelihood when the levels on both sides are known.
    """
    watched = [one for one in bins if metric.count(one) > 0]
    if not watched:
        return None
    pulls = [_pull(one, metric, step) for one in watched]
    # Cut before k: the bins up to k side with the old level, the others with the new one.
    balance = [0.0, *accumulate(pulls)]
    best = min(range(len(watched)), key=lambda k: (balance[k], k))
    return watched[best].first_at


def first_beyond(bins: Sequence[Bin], metric: Metric, step: Step) -> datetime | None:
    """Return the start of the first call on the new side of the middle between the levels.

    For a tail: most calls stay as they were, so that a cut between two levels means nothing.
    """
    middle = (step.before + step.after) / 2
    for one in bins:
        is_above = metric.count(one) > 0 and metric.value(one) > middle
        if metric.count(one) > 0 and is_above == (step.after > step.before):
            return one.first_at
    return None


def _pull(one: Bin, metric: Metric, step: Step) -> float:
    """Return how much more a bin looks like the new level than like the old one."""
    if metric.name == "error_ratio":
        old, new = (min(max(r, _LEAST_RATIO), 1 - _LEAST_RATIO) for r in (step.before, step.after))
        passed = one.answered - one.errors
        return one.errors * log(new / old) + passed * log((1 - new) / (1 - old))
    position = (metric.value(one) - step.before) / (step.after - step.before)
    return max(-_MOST_PULL, min(_MOST_PULL, 2.0 * position - 1.0)) * metric.count(one)
