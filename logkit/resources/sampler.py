"""The sampler: one event ``resource_sample`` at intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from logkit.errors import MissingExtraError
from logkit.forks import new_lock
from logkit.loops import loops
from logkit.metrics import registry
from logkit.periodic import Periodic
from logkit.reports import report, report_failure
from logkit.resources.garbage import GarbageClock

if TYPE_CHECKING:
    from collections.abc import Callable

    from logkit.resources.gpu import Gpu

_sampler: Sampler | None = None
_lock = new_lock()  # several threads may start it, each for the event loop that it runs


class Sampler:
    """Samples this process, its event loops and the GPUs until it is stopped."""

    def __init__(self, interval_s: float) -> None:
        from logkit.resources.process import ProcessSampler

        self._process = ProcessSampler()
        self._read_gpus = _gpu_reader()
        self._garbage = GarbageClock()
        self._thread = Periodic(
            "logkit-resources",
            interval_s,
            self.sample,
            lambda error: report_failure("resources", error),
        )

    def start(self) -> None:
        """Take the first sample now, and one at each interval."""
        self._garbage.start()
        self._thread.start()

    def stop(self) -> None:
        """Take no more samples."""
        self._thread.stop()
        self._garbage.stop()

    def sample(self) -> None:
        """Report one sample."""
        fields: dict[str, Any] = {**self._process.sample(), **self._garbage.take()}
        lag_ms = loops.take_worst_ms()
        if lag_ms is not None:
            fields["loop_lag_ms"] = lag_ms
        report("info", "resource_sample", **fields, **_gpu_fields(self._read_gpus()))


def start(interval_s: float = 15.0, *, block_threshold_ms: float = 500.0) -> None:
    """Log an event ``resource_sample`` at intervals.

    It tells memory and its limit, CPU, connections, files, threads, garbage collection, delay of
    the event loop, and GPUs where there are any.

    Called inside a running event loop, that loop is watched from now on: one that is blocked is
    reported at once as ``event_loop_blocked``, with the line of code it is in. Called again, it
    replaces the former sampler.

    Args:
        interval_s: Seconds between two samples.
        block_threshold_ms: Milliseconds from which a blocked loop is reported.

    Raises:
        MissingExtraError: psutil is not installed.
    """
    global _sampler
    try:
        new = Sampler(interval_s)
    except ImportError as error:
        raise MissingExtraError("resources.start()", "metrics") from error
    loops.watch(block_threshold_ms / 1_000)
    with _lock:
        stop()
        _sampler = new
        new.start()


def stop() -> None:
    """Take no more samples."""
    global _sampler
    with _lock:
        if _sampler is not None:
            _sampler.stop()
            _sampler = None


def _gpu_reader() -> Callable[[], list[Gpu]]:
    try:
        from logkit.resources.gpu import read_gpus
    except ImportError:
        return list
    # Without a driver each look for it would search the disk.
    return read_gpus if read_gpus() else list


def _gpu_fields(gpus: list[Gpu]) -> dict[str, Any]:
    """Set the gauges of each device, and return the event fields of the fullest one."""
    for gpu in gpus:
        registry.number("bot_gpu_memory_bytes", gpu.name).set(gpu.used_bytes)
        registry.number("bot_gpu_memory_limit_bytes", gpu.name).set(gpu.limit_bytes)
        if gpu.busy_percent is not None:
            registry.number("bot_gpu_utilisation_ratio", gpu.name).set(gpu.busy_percent)
    if not gpus:
        return {}
    fullest = max(gpus, key=lambda gpu: gpu.used_bytes / max(gpu.limit_bytes, 1))
    fields: dict[str, Any] = {
        "gpu": fullest.name,
        "gpu_memory_bytes": fullest.used_bytes,
        "gpu_memory_limit_bytes": fullest.limit_bytes,
    }
    if fullest.busy_percent is not None:
        fields["gpu_percent"] = fullest.busy_percent
    return fields
