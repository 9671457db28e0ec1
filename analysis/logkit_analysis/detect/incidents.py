"""Levels that are worse than the one before, for long enough and suddenly enough."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from logkit_analysis.detect.contrast import Sides, near_sides, score
from logkit_analysis.detect.levels import Stretch, cut_into_levels
from logkit_analysis.detect.ramps import fit_ramp
from logkit_analysis.detect.recurrence import without_recurring

if TYPE_CHECKING:
    from logkit_analysis.detect.metrics import Watched

_LEAST_DURATION_S = 200.0
_LEAST_BINS = 3
_LEAST_SAMPLES = 10
_LEAST_EVENTS = 4
_LEAST_BASELINE_BINS = 8
_LEAST_BASELINE_SAMPLES = 20
_LEAST_SCORE = 5.0
# Of a tail that grows by itself the median call follows less than that share, on log scales.
_MOST_BODY = 0.5
_LEAST_TAIL_BINS = 48
_SHARPNESS = 0.5
_RECOVERY = 0.5
_LEAP = 0.6
# It is over when as much of the change is left: by then it may be another time of the day.
_LEFT = 0.25
# Shorter good spells within a bad time are not its end.
_BREATHER_S = 300.0


@dataclass(frozen=True, slots=True)
class Incident:
    """A worse level: from position *start* up to *end* of what is watched, exclusive.

    Attributes:
        start: Position of the first bin.
        end: Position behind the last bin.
        floor: Position behind the incident before it.
        score: Difference to the time before, in standard errors.
        ramp_at: When it began to grow bit by bit, in seconds since 1970; ``None`` for a step.
    """

    start: int
    end: int
    floor: int
    score: float
    ramp_at: float | None = None


def find_incidents(watched: Watched) -> list[Incident]:
    """Return the incidents in one series."""
    size = len(watched)
    if size < _LEAST_BASELINE_BINS + _LEAST_BINS or not _has_events(watched, 0, size):
        return []
    stretches = cut_into_levels(watched.cost)
    found: list[Incident] = []
    healthy: Stretch | None = None
    index = 0
    while index < len(stretches):
        if healthy is not None:
            floor = found[-1].end if found else 0
            incident, behind = _incident_at(watched, stretches, index, healthy, floor)
            if incident is not None:
                found.append(incident)
                index = behind
                continue
        if _is_baseline(watched, stretches[index]):
            healthy = stretches[index]
        index += 1
    return without_recurring(watched, found)


def _is_baseline(watched: Watched, stretch: Stretch) -> bool:
    samples = watched.counts[stretch.start : stretch.end].sum()
    size = stretch.end - stretch.start
    return bool(size >= _LEAST_BASELINE_BINS and samples >= _LEAST_BASELINE_SAMPLES)


def _incident_at(
    watched: Watched, stretches: list[Stretch], index: int, healthy: Stretch, floor: int
) -> tuple[Incident | None, int]:
    """Return the incident that begins with the stretch *index*, and the first one behind it."""
    top = _top_of_rise(stretches, index)
    if not watched.metric.is_worse(healthy.level, stretches[top].level):
        return None, index
    is_step = watched.metric.is_worse(healthy.level, stretches[index].level)
    behind = _worse_until(watched, stretches, index if is_step else top, healthy)
    start, end = stretches[index].start, stretches[behind - 1].end
    good = [
        one
        for one in stretches[index + 1 : behind]
        if not watched.metric.is_worse(healthy.level, one.level, share=_RECOVERY)
    ]
    if not _is_long(watched, start, end, sum(_seconds(watched, one) for one in good)):
        return None, index
    incident = _ramp(watched, stretches, (index, top, behind), floor)
    if incident is None and is_step and _is_of_its_own(watched, start, end, floor):
        incident = _step(watched, start, end, floor)
    return incident, behind


def _top_of_rise(stretches: list[Stretch], index: int) -> int:
    top = index
    while top + 1 < len(stretches) and stretches[top + 1].level > stretches[top].level:
        top += 1
    return top


def _worse_until(watched: Watched, stretches: list[Stretch], index: int, healthy: Stretch) -> int:
    """Return the index of the first stretch behind *index* that is well again."""
    least = healthy.level + _LEFT * (stretches[index].level - healthy.level)

    def is_worse(position: int) -> bool:
        level = stretches[position].level
        return level > least and bool(
            watched.metric.is_worse(healthy.level, level, share=_RECOVERY)
        )

    def is_breather(position: int) -> bool:
        if position + 1 == len(stretches) or not is_worse(position + 1):
            return False
        return _seconds(watched, stretches[position]) < _BREATHER_S

    end = index + 1
    while end < len(stretches) and (is_worse(end) or is_breather(end)):
        end += 1
    return end


def _seconds(watched: Watched, stretch: Stretch) -> float:
    """Return how long a stretch is that is not the last one."""
    return float(watched.at[min(stretch.end, len(watched) - 1)] - watched.at[stretch.start])


def _is_long(watched: Watched, start: int, end: int, good_s: float) -> bool:
    """Return whether what is worse, but for *good_s* seconds within it, is worth telling."""
    if end - start < _LEAST_BINS or watched.counts[start:end].sum() < _LEAST_SAMPLES:
        return False
    is_long = watched.at[end - 1] - watched.at[start] - good_s >= _LEAST_DURATION_S
    return bool(is_long) and _has_events(watched, start, end)


def _is_of_its_own(watched: Watched, start: int, end: int, floor: int) -> bool:
    """Return whether slow calls are more than all calls that got slower together.

    A level that wanders takes its tail along, and far more calls are then beyond a fixed limit.
    How much slower all of them got is judged for itself.
    """
    if watched.metric.scale != "slow":
        return True
    left = max(floor, start - max(end - start, _LEAST_TAIL_BINS))
    (body, tail), (later_body, later_tail) = (
        watched.body_and_tail(*bounds) for bounds in ((left, start), (start, end))
    )
    return later_body - body <= _MOST_BODY * (later_tail - tail)


def _has_events(watched: Watched, start: int, end: int) -> bool:
    """Return whether a share is more than the accident of a call or two."""
    if not watched.metric.is_share:
        return True
    events = watched.counts[start:end] * watched.values[start:end]
    return bool(events.sum() >= _LEAST_EVENTS)


def _step(watched: Watched, start: int, end: int, floor: int) -> Incident | None:
    """Return the incident if most of the change is there at once and it is no chance."""
    if start == floor:
        return None
    near = near_sides(watched.counts, start, floor, end)
    cost = watched.cost
    before, after = cost.level(near.left, start), cost.level(start, near.right)
    if not watched.metric.is_worse(before, after, share=_SHARPNESS):
        return None
    best, sides = 0.0, near
    while True:
        best = max(best, score(watched, sides, (start, end)))
        size = 2 * max(start - sides.left, sides.right - start)
        wider = Sides(max(start - size, floor), start, start, min(start + size, end))
        if wider == sides or best >= 2 * _LEAST_SCORE:
            break
        sides = wider
    return Incident(start, end, floor, best) if best >= _LEAST_SCORE else None


def _leaps(stretches: list[Stretch], index: int, top: int) -> bool:
    """Return whether most of a rise comes at once, after it began."""
    levels = [one.level for one in stretches[index - 1 : top + 1]]
    jumps = [after - before for before, after in pairwise(levels)]
    return max(jumps) > _LEAP * (levels[-1] - levels[0]) and max(jumps) > jumps[0]


def _ramp(
    watched: Watched, stretches: list[Stretch], indexes: tuple[int, int, int], floor: int
) -> Incident | None:
    """Return the incident if it grows bit by bit."""
    index, top, behind = indexes
    if watched.metric.is_share or _leaps(stretches, index, top):
        return None
    summit, end = stretches[top], stretches[behind - 1].end
    ramp = fit_ramp(watched, stretches[index].start, summit.start, summit.end, floor)
    if ramp is None:
        return None
    size = max(min(summit.end - summit.start, ramp.start - floor), 1)
    sides = Sides(
        max(ramp.start - size, floor), ramp.start, max(summit.start, ramp.start + 1), summit.end
    )
    if sides.size < 1:
        return None
    reached = score(watched, sides, (ramp.start, end))
    if reached < _LEAST_SCORE:
        return None
    return Incident(ramp.start, end, floor, reached, ramp.at)
