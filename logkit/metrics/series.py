"""Series: the numbers of one metric, one for each combination of label values."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections import deque
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

from logkit.forks import new_lock
from logkit.metrics.table import OVERFLOW
from logkit.redaction import redact_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from logkit.metrics.table import Metric

_MAX_LABEL = 128
_MAX_LOOKED_AT = 1_024
_WINDOW_S = 600.0
_WINDOW_STEP_S = 10.0

# The methods that count hold no lock: on CPython threads take turns between calls and at the ends
# of loops only, and no statement that changes a number here has one inside.


class Number:
    """A counter's or gauge's value."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Start from zero."""
        self.value: float = 0

    def add(self, amount: float) -> None:
        """Add *amount*; what is negative or not finite is left out."""
        if 0 <= amount < inf:
            self.value += amount

    def set(self, value: float) -> None:
        """Take *value* as the last figure told, if it is one."""
        if -inf < value < inf:
            self.value = value

    def read(self) -> float:
        """Return the value."""
        return self.value


class Window:
    """How many there were in the last 10 minutes, counted in steps of 10 s."""

    __slots__ = ("_clock", "_steps")

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._steps: deque[list[float]] = deque(maxlen=int(_WINDOW_S / _WINDOW_STEP_S) + 1)

    def reset(self) -> None:
        """Start from zero."""
        self._steps.clear()

    def add(self, amount: float) -> None:
        """Add *amount* to what there was now."""
        now = self._clock()
        if not self._steps or now - self._steps[-1][0] >= _WINDOW_STEP_S:
            self._steps.append([now, 0])
        self._steps[-1][1] += amount

    def read(self) -> float:
        """Return the count."""
        since = self._clock() - _WINDOW_S
        return sum(count for at, count in list(self._steps) if at > since)


class Histogram:
    """Figures counted by size.

    Attributes:
        bounds: Upper ends of the buckets, inclusive.
        counts: Figures in each bucket alone, the last one without an end.
        total: Sum of all figures.
    """

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: tuple[int, ...]) -> None:
        # Floats, as durations are: comparing a float with an int takes far longer.
        self.bounds = tuple(map(float, bounds))
        self.reset()

    def reset(self) -> None:
        """Start from zero."""
        self.counts = [0] * (len(self.bounds) + 1)
        self.total: float = 0

    def add(self, value: float) -> None:
        """Count *value*; what is negative or not finite is left out."""
        if 0 <= value < inf:
            bucket = bisect_left(self.bounds, value)
            self.counts[bucket] += 1
            self.total += value


Child = Number | Window | Histogram


@dataclass(frozen=True, slots=True)
class Series:
    """One combination of label values, in the order of the metric's labels, and its numbers."""

    labels: tuple[str, ...]
    child: Child


class Family:
    """The series of one metric.

    Beyond the metric's limit, values of its open labels are counted as ``(overflow)``.

    Attributes:
        metric: Its row in the table.
        overflows: Label values that were given up.
    """

    def __init__(self, metric: Metric, make: Callable[[], Child]) -> None:
        self.metric = metric
        self.overflows = 0
        self._make = make
        self._lock = new_lock()
        self._children: dict[tuple[str, ...], Child] = {}

    def child(self, values: tuple[object, ...]) -> Child:
        """Return the numbers of a combination of label values."""
        labels = tuple(_clean(value) for value in values)
        with self._lock:
            if labels in self._children:
                return self._children[labels]
            if len(self._children) >= self.metric.max_series:
                self.overflows += 1
                labels = tuple(
                    value if name in self.metric.closed else OVERFLOW
                    for name, value in zip(self.metric.labels, labels, strict=True)
                )
            return self._children.setdefault(labels, self._make())

    def reset(self) -> None:
        """Start from zero, with the series there are."""
        self.overflows = 0
        for child in self._children.values():
            child.reset()

    def __iter__(self) -> Iterator[Series]:
        with self._lock:
            children = list(self._children.items())
        return (Series(labels, child) for labels, child in children)


def _clean(value: object) -> str:
    # An open label comes from outside: an endpoint may hold a token, a name may have no end.
    text = value if isinstance(value, str) else str(value)
    return redact_text(text[:_MAX_LOOKED_AT])[:_MAX_LABEL]
