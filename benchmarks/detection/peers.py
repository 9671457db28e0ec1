"""Other detectors, each with the settings among which its best are chosen."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import pairwise, product
from typing import TYPE_CHECKING, Any

import numpy as np
import ruptures
from otava.analysis import compute_change_points
from river.drift import PageHinkley

from benchmarks.detection.scoring import Finding

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.detection.charts import Chart
    from benchmarks.detection.noise import Floats

Spans = list[tuple[int, int]]
"""Positions of the first and behind the last point of each worse level."""
Setting = tuple[float, float]
"""How sure it must be, and the least ratio of levels that counts."""

_TOGETHER_S = 120.0
_LEAST_ENDPOINTS = 3
_PERSISTENCE = 3


@dataclass(frozen=True, slots=True)
class Peer:
    """A detector.

    Attributes:
        name: As the table names it.
        spans: Finds the worse levels of a chart with a setting.
        settings: The settings to choose from.
    """

    name: str
    spans: Callable[[Chart, Setting], Spans]
    settings: Sequence[Setting]

    def findings(self, charts: Sequence[Chart], setting: Setting) -> list[Finding]:
        """Return what it finds; most endpoints that change together are the service."""
        found = []
        for chart in charts:
            if chart.values.size >= 20:
                found += [_finding(chart, span) for span in self.spans(chart, setting)]
        return _merged(found)


def _finding(chart: Chart, span: tuple[int, int]) -> Finding:
    start, end = span
    ended_at = 60.0 * float(chart.minutes[end]) if end < chart.minutes.size else None
    started_at = 60.0 * float(chart.minutes[start])
    return Finding(chart.service, chart.metric, chart.endpoint, chart.queue, started_at, ended_at)


def _merged(findings: list[Finding]) -> list[Finding]:
    """Make one finding of a service's endpoints that got worse together, three at least."""
    merged: list[Finding] = []
    left = sorted(findings, key=lambda one: one.started_at)
    while left:
        first = left[0]
        together = [
            one
            for one in left
            if (one.service, one.metric) == (first.service, first.metric)
            and one.endpoint is not None
            and one.started_at - first.started_at <= _TOGETHER_S
        ]
        if len({one.endpoint for one in together}) < _LEAST_ENDPOINTS:
            merged.append(left.pop(0))
            continue
        left = [one for one in left if one not in together]
        started_at, ended_at = first.started_at, first.ended_at
        merged.append(Finding(first.service, first.metric, None, None, started_at, ended_at))
    return merged


def _worse(values: Floats, bounds: Sequence[int], rise: float) -> Spans:
    """Return the levels that are above the one before by *rise*, until they are half back."""
    levels = [float(values[a:b].mean()) for a, b in pairwise(bounds)]
    spans: Spans = []
    index = 1
    while index < len(levels):
        before, level = levels[index - 1], levels[index]
        if level - before < rise or bounds[index + 1] - bounds[index] < _PERSISTENCE:
            index += 1
            continue
        end = index + 1
        while end < len(levels) and levels[end] - before >= (level - before) / 2:
            end += 1
        spans.append((bounds[index], bounds[end]))
        index = end
    return spans


def _scaled(values: Floats) -> Floats:
    """Return the values in units of their noise, told from the steps between neighbours."""
    noise = float(np.median(np.abs(np.diff(values)))) / 0.954
    return values / max(noise, 0.01)


def _pelt(chart: Chart, setting: Setting) -> Spans:
    return _worse(chart.values, _pelt_bounds(chart, setting[0]), chart.rise(setting[1]))


@cache
def _pelt_bounds(chart: Chart, penalty: float) -> list[int]:
    signal = _scaled(chart.values)
    model = ruptures.KernelCPD(kernel="linear", min_size=_PERSISTENCE).fit(signal)
    return [0, *map(int, model.predict(pen=penalty * np.log(signal.size)))]


def _otava(chart: Chart, setting: Setting) -> Spans:
    return _worse(chart.values, _otava_bounds(chart, setting[0]), chart.rise(setting[1]))


@cache
def _otava_bounds(chart: Chart, most_p: float) -> list[int]:
    # Its least magnitude is relative to the level, which a logarithm has not.
    values = np.exp(chart.values) if chart.metric != "error_ratio" else chart.values + 0.01
    found, _ = compute_change_points(values.tolist(), max_pvalue=most_p, min_magnitude=0.1)
    return [0, *(int(point.index) for point in found), values.size]


def _page_hinkley(chart: Chart, setting: Setting) -> Spans:
    least = np.median(chart.values) + chart.rise(setting[1])
    size = chart.values.size
    return [
        (at, size) for at in _page_hinkley_alarms(chart, setting[0]) if chart.values[at] >= least
    ]


@cache
def _page_hinkley_alarms(chart: Chart, threshold: float) -> list[int]:
    detector: Any = PageHinkley(min_instances=30, delta=0.5, threshold=threshold, mode="up")
    alarms = []
    for index, value in enumerate(_scaled(chart.values).tolist()):
        detector.update(value)
        if detector.drift_detected:
            alarms.append(index)
    return alarms


def _runs(is_high: Floats) -> Spans:
    """Return the runs of high points that last."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], is_high.astype(int), [0]))))
    pairs = zip(map(int, edges[::2]), map(int, edges[1::2]), strict=True)
    return [(start, end) for start, end in pairs if end - start >= _PERSISTENCE]


def _three_sigma(chart: Chart, setting: Setting) -> Spans:
    window = 60
    sums = np.concatenate(([0.0], np.cumsum(chart.values)))
    squares = np.concatenate(([0.0], np.cumsum(chart.values**2)))
    at = np.arange(chart.values.size)
    first = np.maximum(at - window, 0)
    count = np.maximum(at - first, 1)
    mean = (sums[at] - sums[first]) / count
    spread = np.sqrt(np.maximum((squares[at] - squares[first]) / count - mean**2, 0.0))
    limit = mean + np.maximum(setting[0] * spread, chart.rise(setting[1]))
    return _runs((chart.values > limit) & (at >= 20))


def _static(chart: Chart, setting: Setting) -> Spans:
    return _runs(chart.values > np.median(chart.values) + chart.rise(setting[1]))


_RATIOS = (1.3, 1.5, 2.0, 3.0)
PEERS: tuple[Peer, ...] = (
    Peer("PELT (ruptures)", _pelt, tuple(product((5.0, 20.0, 80.0, 300.0), _RATIOS))),
    Peer("Apache Otava", _otava, tuple(product((1e-3, 1e-6, 1e-10), _RATIOS))),
    Peer("Page-Hinkley (river)", _page_hinkley, tuple(product((10.0, 50.0, 200.0), _RATIOS))),
    Peer("3-sigma", _three_sigma, tuple(product((3.0, 5.0), _RATIOS))),
    Peer("static threshold", _static, tuple((0.0, ratio) for ratio in (*_RATIOS, 5.0))),
)
