"""The metrics of this process: a family for each row of the table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logkit import forks
from logkit.metrics.series import Family, Histogram, Number, Series, Window
from logkit.metrics.table import METRICS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from logkit.metrics.series import Child
    from logkit.metrics.table import Metric

_WINDOWS = frozenset({"bot_invalid_requests_10m"})


class Registry:
    """All families, by name.

    Attributes:
        families: What is counted.
        errors: Events of which a metric could not be derived.
    """

    def __init__(self) -> None:
        self.reset()

    def become_child(self) -> None:
        """In a forked child: start from zero, but leave the parts what they count with."""
        for family in self.families.values():
            family.reset()
        self.errors = 0

    def reset(self) -> None:
        """Forget every series."""
        self.families = {metric.name: Family(metric, _maker(metric)) for metric in METRICS}
        self.errors = 0

    def number(self, name: str, *labels: object) -> Number:
        """Return the counter or gauge of that name and these label values."""
        child = self.families[name].child(labels)
        assert isinstance(child, Number)
        return child

    def histogram(self, name: str, *labels: object) -> Histogram:
        """Return the histogram of that name and these label values."""
        child = self.families[name].child(labels)
        assert isinstance(child, Histogram)
        return child

    def __iter__(self) -> Iterator[tuple[Metric, list[Series]]]:
        for name, family in self.families.items():
            yield family.metric, list(family) + self._own(name)

    def _own(self, name: str) -> list[Series]:
        if name == "logkit_metric_errors_total":
            return [_counted(self.errors)]
        if name == "logkit_metric_overflows_total":
            families = self.families.values()
            return [_counted(f.overflows, f.metric.name) for f in families if f.overflows]
        return []


def _maker(metric: Metric) -> type[Number] | type[Window] | _HistogramMaker:
    if metric.name in _WINDOWS:
        return Window
    return _HistogramMaker(metric) if metric.kind == "histogram" else Number


class _HistogramMaker:
    def __init__(self, metric: Metric) -> None:
        self._bounds = metric.buckets

    def __call__(self) -> Child:
        return Histogram(self._bounds)


def _counted(value: float, *labels: str) -> Series:
    number = Number()
    number.value = value
    return Series(labels, number)


registry = Registry()
"""The metrics of this process."""

forks.in_child(registry.become_child)
