"""Metrics in the formats of Prometheus, beside those that the bot itself keeps.

Importing this module needs ``pip install 'botlogkit[metrics]'``.
"""

from __future__ import annotations

from functools import cache
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.utils import floatToGoString

from logkit.metrics import deriver, registry
from logkit.metrics.series import Histogram
from logkit.pipeline import pipeline
from logkit.reports import report
from logkit.spans import tracer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client.core import Metric as PrometheusFamily

    from logkit.metrics import Metric
    from logkit.metrics.series import Series

_OWN = {
    "logkit_events_accepted_total": "accepted",
    "logkit_events_written_total": "written",
    "logkit_events_suppressed_total": "suppressed",
    "logkit_events_truncated_total": "truncated",
    "logkit_values_redacted_total": "redacted",
    "logkit_write_errors_total": "write_errors",
    "logkit_events_pending": "pending",
}


class Collector:
    """What prometheus-client asks for our metrics, at each scrape."""

    def collect(self) -> Iterator[PrometheusFamily]:
        """Yield a family for each metric that has a series."""
        refresh()
        for metric, series in shown():
            yield _family(metric, series)

    def describe(self) -> list[PrometheusFamily]:
        """Return nothing, so that registering does not collect."""
        return []


def shown() -> Iterator[tuple[Metric, list[Series]]]:
    """Yield each metric that has a series; one that the bot keeps itself is left to the bot.

    A name that comes twice would cost the whole scrape.
    """
    # Private to prometheus-client; nothing else tells which names are taken.
    taken = getattr(REGISTRY, "_names_to_collectors", {})
    for metric, series in registry:
        if metric.name in taken or metric.name.removesuffix("_total") in taken:
            _tell_taken(metric.name)
        elif series:
            yield metric, series


@cache
def _tell_taken(name: str) -> None:
    report("warning", "metric_name_taken", metric=name)


def refresh() -> None:
    """Bring our metrics up to date with the events and with logkit's own counters."""
    deriver.settle()
    counts = pipeline.counters.snapshot()
    for name, key in _OWN.items():
        registry.number(name).value = counts[key]
    for level, dropped in counts["dropped_by_level"].items():
        registry.number("logkit_events_dropped_total", level).value = dropped
    registry.number("logkit_spans_dropped_total").value = tracer.count_lost()


def _family(metric: Metric, series: list[Series]) -> PrometheusFamily:
    if metric.kind == "histogram":
        histograms = HistogramMetricFamily(metric.name, metric.help, labels=metric.labels)
        for one in series:
            assert isinstance(one.child, Histogram)
            total = one.child.total * metric.scale
            histograms.add_metric(one.labels, _cumulative(metric, one.child), total)
        return histograms
    make: Any = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
    family: PrometheusFamily = make(metric.name, metric.help, labels=metric.labels)
    for one in series:
        assert not isinstance(one.child, Histogram)
        family.add_metric(one.labels, one.child.read() * metric.scale)  # type: ignore[attr-defined]
    return family


def _cumulative(metric: Metric, histogram: Histogram) -> list[tuple[str, float]]:
    below = accumulate(histogram.counts)
    return [(end, float(count)) for end, count in zip(bucket_ends(metric), below, strict=True)]


def bucket_ends(metric: Metric) -> list[str]:
    """Return the upper ends of a histogram's buckets as Prometheus writes them."""
    ends = [floatToGoString(bound * metric.scale) for bound in metric.buckets]
    return [*ends, "+Inf"]


@cache
def attach() -> None:
    """Show our metrics in prometheus-client's own registry, beside the bot's."""
    REGISTRY.register(Collector())


def exposition(accept: str, others: CollectorRegistry | None = None) -> tuple[bytes, str]:
    """Return all metrics as text, and the content type.

    Args:
        accept: The ``Accept`` header, which chooses between the text format and OpenMetrics.
        others: What to show instead of this process's metrics.
    """
    encode, content_type = choose_encoder(accept)
    return encode(REGISTRY if others is None else others), content_type
