"""Multi-process mode: each worker writes its numbers to a file, and any worker shows the sum.

The folder and the files' format are prometheus-client's (``PROMETHEUS_MULTIPROC_DIR``), so the
bot's own metrics are there as well. Our files have names of their own: two writers of one file
would damage it.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry
from prometheus_client.mmap_dict import MmapedDict, mmap_key
from prometheus_client.multiprocess import MultiProcessCollector

from logkit.exporters.prometheus import bucket_ends, refresh, shown
from logkit.metrics.series import Histogram
from logkit.pipeline import pipeline

if TYPE_CHECKING:
    from collections.abc import Iterator

    from logkit.metrics import Metric
    from logkit.metrics.series import Series

INTERVAL_S = 1.0
"""How often a worker writes its numbers."""


def folder() -> Path | None:
    """Return the folder that workers share, or ``None`` in a bot of one process."""
    path = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    return Path(path) if path else None


class SharedFiles:
    """The files of this process in the folder; made anew in a forked child."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._suffix = ""
        self._files: dict[str, MmapedDict] = {}

    def write(self) -> None:
        """Write all numbers.

        Raises:
            OSError: The folder cannot be written.
        """
        suffix = f"{os.getpid()}-{pipeline.identity.instance}.db"
        if suffix != self._suffix:
            self._files, self._suffix = {}, suffix
        refresh()
        for metric, series in shown():
            for one in series:
                self._write_series(metric, one)

    def _write_series(self, metric: Metric, series: Series) -> None:
        kind = f"gauge_live{metric.merge}" if metric.kind == "gauge" else metric.kind
        if kind not in self._files:
            self._files[kind] = MmapedDict(str(self._directory / f"{kind}_{self._suffix}"))
        name = metric.name.removesuffix("_total") if metric.kind == "counter" else metric.name
        for sample, labels, value in _samples(metric, series):
            key = mmap_key(name, sample, list(labels), list(labels.values()), metric.help)
            self._files[kind].write_value(key, value, 0.0)


def _samples(metric: Metric, series: Series) -> Iterator[tuple[str, dict[str, str], float]]:
    """Yield name, labels and value of what stands in the file; its buckets are not cumulative."""
    labels = dict(zip(metric.labels, series.labels, strict=True))
    if not isinstance(series.child, Histogram):
        yield metric.name, labels, series.child.read() * metric.scale
        return
    yield f"{metric.name}_sum", labels, series.child.total * metric.scale
    for end, count in zip(bucket_ends(metric), series.child.counts, strict=True):
        yield f"{metric.name}_bucket", {**labels, "le": end}, float(count)


def merged(directory: Path) -> CollectorRegistry:
    """Return the sum of all processes, without the gauges of those that are gone."""
    for path in directory.glob("gauge_live*_*-*.db"):
        if not _is_alive(path):
            path.unlink(missing_ok=True)
    collectors = CollectorRegistry()
    MultiProcessCollector(collectors, str(directory))
    return collectors


def _is_alive(path: Path) -> bool:
    pid = path.name.rpartition("_")[2].partition("-")[0]
    with suppress(ProcessLookupError, ValueError):
        with suppress(PermissionError):
            os.kill(int(pid), 0)
        return True
    return False
