"""Which value explains that it got worse? The counts of `compare` in, a ranking out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import erfc, sqrt
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Row = dict[str, Any]

_SIGNIFICANT = 0.01
_LEAST_REQUESTS = 20
_LEAST_RATIO_CHANGE = 0.005
_LEAST_SLOWDOWN = 0.1


@dataclass(frozen=True, slots=True)
class Explanation:
    """How one value of one attribute changed, and how much of the whole change that explains.

    Attributes:
        metric: ``error_ratio``, ``rate_limited_ratio`` or ``latency``.
        attribute: Name of the field.
        value: Its value.
        before: Level before: a ratio, or milliseconds; ``None`` without enough requests.
        after: Level after.
        before_requests: Requests that the level before rests on.
        after_requests: Requests that the level after rests on.
        share_before: Share of all requests before, 0 to 1.
        share_after: Share of all requests after, 0 to 1.
        explained: Share of what got worse, over all values of the attribute, that lies in this
            one, 0 to 1.
        score: *explained* less *share_after*: 0 for a value that got no worse than the rest.
        p_value: Chance of such a change without a cause, corrected for the number of tries.
    """

    metric: str
    attribute: str
    value: str
    before: float | None
    after: float
    before_requests: int
    after_requests: int
    share_before: float
    share_after: float
    explained: float
    score: float
    p_value: float


@dataclass(frozen=True, slots=True)
class _Sample:
    """A level as a count, a mean and a variance of the single values."""

    count: int
    mean: float
    variance: float


@dataclass(frozen=True, slots=True)
class _Measure:
    metric: str
    sample: Callable[[Row, str], _Sample]
    level: Callable[[Row, str], float | None]
    least_change: float


def explain(rows: Sequence[Row]) -> list[Explanation]:
    """Return what got significantly worse, by what explains the change of the whole best.

    A value is ranked by how much more of the change it holds than its share of the requests: a
    new version that serves all of them explains all of the change and tells nothing. P-values
    are those of Welch's test, corrected by Holm's method for all values of all attributes.
    """
    whole = next((row for row in rows if row["attribute"] == "all"), None)
    if whole is None or not whole["before_requests"] or not whole["after_requests"]:
        return []
    values = [row for row in rows if row["attribute"] != "all"]
    found = [one for measure in _MEASURES for one in _explained(measure, values, whole)]
    kept = [one for one in _corrected(found) if one.p_value <= _SIGNIFICANT]
    return sorted(kept, key=lambda one: (-one.score, one.p_value, one.attribute, one.value))


def merged(explanations: Sequence[Explanation]) -> list[Explanation]:
    """Return one of those that hold the same requests, with the names of the others in its value.

    A service that has one instance on one host would take three lines to say one thing.
    """
    alike: dict[object, list[Explanation]] = {}
    for one in explanations:
        key = (one.metric, one.before_requests, one.after_requests, one.before, one.after)
        alike.setdefault(key, []).append(one)
    found = []
    for first, *others in alike.values():
        also = ", ".join(f"{one.attribute} {one.value}" for one in others)
        found.append(replace(first, value=f"{first.value} (same: {also})") if also else first)
    return found


def _explained(measure: _Measure, values: Sequence[Row], whole: Row) -> list[Explanation]:
    """Return the values that got worse.

    The whole change is the sum over the values of an attribute, not that of all requests
    together: more calls of a slow endpoint make the whole slower and no endpoint worse.
    """
    totals: dict[str, float] = {}
    for row in values:
        excess = max(_excess(measure, row, whole), 0.0)
        totals[row["attribute"]] = totals.get(row["attribute"], 0.0) + excess
    found = []
    for row in values:
        before, after = measure.sample(row, "before"), measure.sample(row, "after")
        excess, total = _excess(measure, row, whole), totals[row["attribute"]]
        if excess <= 0 or after.count < _LEAST_REQUESTS:
            continue
        base = before if before.count >= _LEAST_REQUESTS else measure.sample(whole, "before")
        if after.mean - base.mean < measure.least_change:
            continue
        share_after = row["after_requests"] / whole["after_requests"]
        explained = excess / total
        found.append(
            Explanation(
                metric=measure.metric,
                attribute=row["attribute"],
                value=row["value"],
                before=measure.level(row, "before"),
                after=measure.level(row, "after") or 0.0,
                before_requests=before.count,
                after_requests=after.count,
                share_before=row["before_requests"] / whole["before_requests"],
                share_after=share_after,
                explained=explained,
                score=explained - share_after,
                p_value=_p_value(base, after),
            )
        )
    return found


def _excess(measure: _Measure, row: Row, whole: Row) -> float:
    """Return how much more there was after than the level before would have given.

    A value that was not there before is held against the whole.
    """
    before, after = measure.sample(row, "before"), measure.sample(row, "after")
    base = before if before.count >= _LEAST_REQUESTS else measure.sample(whole, "before")
    return after.count * (after.mean - base.mean)


def _p_value(before: _Sample, after: _Sample) -> float:
    """Return the one-sided chance that *after* is that much worse by luck (normal limit)."""
    # A level of exactly 0 has no variance of its own: half an event more keeps the test honest.
    noise = before.variance / before.count + after.variance / after.count
    noise += (0.5 / before.count) ** 2 + (0.5 / after.count) ** 2
    return 0.5 * erfc((after.mean - before.mean) / sqrt(2 * noise))


def _corrected(found: Sequence[Explanation]) -> list[Explanation]:
    """Return them with Holm's correction (Holm 1979) for the number of values looked at."""
    ordered = sorted(found, key=lambda one: one.p_value)
    worst, corrected = 0.0, []
    for rank, one in enumerate(ordered):
        worst = max(worst, min(1.0, one.p_value * (len(ordered) - rank)))
        corrected.append(replace(one, p_value=worst))
    return corrected


def _ratio(
    counted: str,
) -> tuple[Callable[[Row, str], _Sample], Callable[[Row, str], float | None]]:
    def sample(row: Row, side: str) -> _Sample:
        count = row[f"{side}_requests"]
        mean = row[f"{side}_{counted}"] / count if count else 0.0
        return _Sample(count, mean, mean * (1 - mean))

    def level(row: Row, side: str) -> float | None:
        return sample(row, side).mean if row[f"{side}_requests"] else None

    return sample, level


def _log_latency(row: Row, side: str) -> _Sample:
    count = row[f"{side}_timed"]
    if not count:
        return _Sample(0, 0.0, 0.0)
    mean = row[f"{side}_log_sum"] / count
    return _Sample(count, mean, max(row[f"{side}_square_sum"] / count - mean * mean, 0.0))


def _median(row: Row, side: str) -> float | None:
    median: float | None = row[f"{side}_p50_ms"]
    return median


_MEASURES = (
    _Measure("error_ratio", *_ratio("errors"), _LEAST_RATIO_CHANGE),
    _Measure("rate_limited_ratio", *_ratio("limited"), _LEAST_RATIO_CHANGE),
    _Measure("latency", _log_latency, _median, _LEAST_SLOWDOWN),
)
