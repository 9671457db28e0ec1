"""A load against what drives it: a robust line, followed far beyond what was seen."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from statistics import fmean, median
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Basis = Literal["line", "bends", "flat", "narrow"]

_MOST_POINTS = 150
_LEAST_POINTS = 12
_LEAST_RANGE = 1.3
_BEND = 1.1
_Z = 1.645


@dataclass(frozen=True, slots=True)
class Slope:
    """A Theil-Sen slope and the ends of its 90 % interval (Sen 1968)."""

    middle: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Projection:
    """A load at *growth* times the driver of the busiest bins.

    Attributes:
        basis: ``line``; ``bends`` if the load grows faster among the busier bins; ``flat`` if the
            driver shows no effect; ``narrow`` if it hardly varies, so that nothing can be seen.
        fewest: Least driver of a bin.
        most: Greatest driver of a bin.
        active: Driver of the busiest bins: 95 of 100 have less.
        load: Load there.
        slope: What one more adds; with a narrow basis in proportion.
        middle: Load at *growth* times *active*.
        low: 9 of 10 bins of that size have more, and less than *high*.
        high: The upper end.
        growth: Growth asked about.
    """

    basis: Basis
    fewest: float
    most: float
    active: float
    load: float
    slope: float
    middle: float
    low: float
    high: float
    growth: float

    def reaches(self, limit: float) -> float | None:
        """Return the driver at which the upper end meets *limit*; ``None`` if it never does."""
        rise = (self.high - self.load) / (self.active * (self.growth - 1) or 1.0)
        if self.load >= limit:
            return self.active
        return self.active + (limit - self.load) / rise if rise > 0 else None


def project(points: Sequence[tuple[float, float]], growth: float) -> Projection | None:
    """Return the load at *growth* times the driver; ``None`` without a bin that has a driver.

    Args:
        points: Driver and load of each bin, in order of time.
        growth: How many times as much of the driver.
    """
    drivers = sorted(driver for driver, _ in points)
    if not drivers or drivers[-1] <= 0:
        return None
    tenth, ninetieth = _quantile(drivers, 0.1), _quantile(drivers, 0.9)
    if len(points) < _LEAST_POINTS or ninetieth < _LEAST_RANGE * tenth:
        return _narrow(points, drivers, growth)
    return _along_line(points, drivers, growth)


def _narrow(
    points: Sequence[tuple[float, float]], drivers: Sequence[float], growth: float
) -> Projection:
    active = _quantile(drivers, 0.95)
    loads = sorted(load for _, load in points)
    load = median(loads)
    ends = sorted((_quantile(loads, 0.05), _quantile(loads, 0.95) * growth))
    middle = load * growth
    return Projection(
        *("narrow", drivers[0], drivers[-1], active, load, load / active),
        *(middle, min(ends[0], middle), max(ends[1], middle), growth),
    )


def _along_line(
    points: Sequence[tuple[float, float]], drivers: Sequence[float], growth: float
) -> Projection:
    merged = _merged(points)
    middle_driver = median(driver for driver, _ in merged)
    middle_load = median(load for _, load in merged)

    def at(driver: float, slope: float) -> float:
        return max(middle_load + slope * (driver - middle_driver), 0.0)

    rough = slope_of(merged, 1.0)
    rests = [load - at(driver, rough.middle) for driver, load in points]
    slope = slope_of(merged, _likeness(rests))
    upper = slope_of([point for point in merged if point[0] >= middle_driver], _likeness(rests))
    bends = upper.low > _BEND * slope.high and slope.middle > 0
    active = _quantile(drivers, 0.95)
    target = active * growth
    middle = at(target, slope.middle)
    below, above = _spread(points, lambda driver: at(driver, slope.middle))
    steepest = upper.high if bends else slope.high
    low = middle - sqrt((middle - at(target, slope.low)) ** 2 + (below * middle) ** 2)
    high = middle + sqrt((at(target, steepest) - middle) ** 2 + (above * middle) ** 2)
    if bends:
        high = max(high, at(active, slope.middle) * growth * growth)
    basis: Basis = "bends" if bends else "flat" if slope.low <= 0 <= slope.high else "line"
    if basis == "flat" and slope.middle < 0:
        middle = at(active, slope.middle)
    return Projection(
        *(basis, drivers[0], drivers[-1], active, at(active, slope.middle), slope.middle),
        *(middle, max(low, 0.0), high, growth),
    )


def slope_of(points: Sequence[tuple[float, float]], likeness: float) -> Slope:
    """Return the Theil-Sen slope; neighbouring bins that are alike widen its interval.

    Args:
        points: Driver and load.
        likeness: Factor by which likeness shrinks the number of independent bins, at least 1.
    """
    slopes = sorted(
        (load - other_load) / (driver - other)
        for i, (driver, load) in enumerate(points)
        for other, other_load in points[:i]
        if driver != other
    )
    if not slopes:
        return Slope(0.0, 0.0, 0.0)
    count = len(points)
    # Spread of Kendall's S, on which the interval rests, without the small part that ties take.
    spread = sqrt(count * (count - 1) * (2 * count + 5) / 18 * likeness)
    reach = _Z * spread / (count * (count - 1)) * len(slopes)
    last = len(slopes) - 1
    low = max(0, round(last / 2 - reach))
    high = min(last, round(last / 2 + reach))
    return Slope(median(slopes), slopes[low], slopes[high])


def _likeness(rests: Sequence[float]) -> float:
    """Return (1 + r) / (1 - r) for the correlation r of neighbours, at least 1."""
    middle = fmean(rests)
    whole = sum((rest - middle) ** 2 for rest in rests)
    pairs = zip(rests[1:], rests[:-1], strict=True)
    near = sum((a - middle) * (b - middle) for a, b in pairs)
    r = min(max(near / whole, 0.0), 0.95) if whole else 0.0
    return (1 + r) / (1 - r)


def _spread(
    points: Sequence[tuple[float, float]], fitted: Callable[[float], float]
) -> tuple[float, float]:
    """Return how far 9 of 10 bins lie below and above the line, in shares of it."""
    shares = sorted(load / fitted(driver) - 1 for driver, load in points if fitted(driver) > 0)
    if not shares:
        return 0.0, 0.0
    return max(-_quantile(shares, 0.05), 0.0), max(_quantile(shares, 0.95), 0.0)


def _merged(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return at most `_MOST_POINTS` points, each the middle of some with a like driver."""
    ordered = sorted(points)
    size = -(-len(ordered) // _MOST_POINTS)
    groups = [ordered[i : i + size] for i in range(0, len(ordered), size)]
    return [(median(d for d, _ in group), median(y for _, y in group)) for group in groups]


def _quantile(ordered: Sequence[float], share: float) -> float:
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)
