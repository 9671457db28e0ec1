"""Resources of the process: what it uses, and the limit that will stop it."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

import logkit
from logkit import resources
from logkit.metrics import registry
from logkit.resources.garbage import GarbageClock
from logkit.resources.gpu import Gpu, read_gpus
from logkit.resources.limits import memory_limit_bytes
from logkit.resources.process import ProcessSampler
from logkit.resources.sampler import _gpu_fields

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

V1, V2 = "4:memory:/docker/abc", "0::/system.slice/bot.service"
HALF_GB, GB = 1 << 29, 1 << 30
NO_V1_LIMIT = 9_223_372_036_854_771_712


@pytest.mark.parametrize(
    ("files", "limit"),
    [
        ({"sys/fs/cgroup/system.slice/bot.service/memory.max": str(GB)}, GB),
        (
            {
                "sys/fs/cgroup/system.slice/memory.max": str(HALF_GB),
                "sys/fs/cgroup/system.slice/bot.service/memory.max": "max",
            },
            HALF_GB,
        ),
        ({"sys/fs/cgroup/memory.max": str(HALF_GB)}, HALF_GB),
        ({"sys/fs/cgroup/unified/system.slice/bot.service/memory.max": str(GB)}, GB),
        (
            {
                "proc/self/cgroup": V1,
                "sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes": str(GB),
            },
            GB,
        ),
        ({"proc/self/cgroup": V1, "sys/fs/cgroup/memory/memory.limit_in_bytes": str(GB)}, GB),
        (
            {
                "proc/self/cgroup": V1,
                "sys/fs/cgroup/memory/memory.limit_in_bytes": str(NO_V1_LIMIT),
            },
            None,
        ),
        ({"proc/self/limits": f"Max address space         {GB}     unlimited     bytes"}, GB),
        ({"proc/self/limits": "Max address space         unlimited    unlimited    bytes"}, None),
        ({"proc/meminfo": "MemTotal:        1048576 kB\nMemFree: 1 kB"}, GB),
        (
            {"proc/meminfo": "MemTotal: 1048576 kB", "sys/fs/cgroup/memory.max": str(HALF_GB)},
            HALF_GB,
        ),
        ({"sys/fs/cgroup/memory.max": "garbage"}, None),
        ({}, None),
    ],
    ids=[
        "v2",
        "v2 parent",
        "v2 root, inside a container",
        "v2 beside v1",
        "v1",
        "v1 root, inside a container",
        "v1 without a limit",
        "rlimit",
        "no rlimit",
        "machine",
        "the least counts",
        "unreadable",
        "nothing",
    ],
)
def test_the_limit_of_memory(tmp_path: Path, files: dict[str, str], limit: int | None) -> None:
    """Every limit that binds is found where Linux keeps it."""
    for name, text in {"proc/self/cgroup": V2, **files}.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n")
    assert memory_limit_bytes(tmp_path / "proc", tmp_path / "sys") == limit


def test_a_sample_tells_what_the_process_uses() -> None:
    """Memory, CPU, threads, files and connections are those of this process."""
    sampler = ProcessSampler()
    assert "cpu_percent" not in sampler.sample()
    fd = os.open(os.devnull, os.O_RDONLY)
    try:
        sample = sampler.sample()
    finally:
        os.close(fd)
    assert 1 << 20 < sample["rss_bytes"] < sample["rss_limit_bytes"]
    assert 0 < sample["open_fds"] < sample["open_fds_limit"]
    assert sample["threads"] >= 1
    assert sample["cpu_percent"] >= 0
    assert sample["open_connections"] >= sample["connections_established"]


def test_samples_are_events_and_gauges(log_path: Path, events: Callable[[], Any]) -> None:
    """One event an interval, the first at once, and the gauges that follow from it."""
    logkit.configure("bot", path=log_path, level="debug", signals_port=0)
    resources.start(interval_s=0.02)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and _samples(events()) < 2:
        time.sleep(0.01)
    resources.stop()
    seen = _samples(events())
    assert seen >= 2
    assert registry.number("bot_threads").value >= 2
    assert (
        registry.number("bot_memory_limit_bytes").value > registry.number("bot_memory_bytes").value
    )
    assert all("gc_pause_ms" in e for e in events() if e["event"] == "resource_sample")
    time.sleep(0.05)
    assert _samples(events()) <= seen + 1


def _samples(events: list[dict[str, Any]]) -> int:
    return sum(event["event"] == "resource_sample" for event in events)


def test_collections_are_timed() -> None:
    """Each pause of the garbage collector counts, once."""
    clock = GarbageClock()
    clock.start()
    gc.collect()
    clock.stop()
    told = clock.take()
    assert told["gc_collections"] >= 1
    assert 0 < told["gc_longest_pause_ms"] <= told["gc_pause_ms"]
    assert clock.take()["gc_collections"] == 0


class Library:
    """NVIDIA's library as it answers on a machine with two devices."""

    class NVMLError(Exception):
        """What the library raises."""

    def __init__(self, *, has_driver: bool = True) -> None:
        self._has_driver = has_driver

    def __getattr__(self, name: str) -> Any:
        answers: dict[str, Callable[..., Any]] = {
            "nvmlInit": self._init,
            "nvmlShutdown": lambda: None,
            "nvmlDeviceGetCount": lambda: 2,
            "nvmlDeviceGetHandleByIndex": lambda index: index,
            "nvmlDeviceGetMemoryInfo": lambda index: _Record(used=index * 10 + 5, total=20),
            "nvmlDeviceGetUtilizationRates": self._use,
        }
        return answers[name]

    def _init(self) -> None:
        if not self._has_driver:
            raise self.NVMLError

    def _use(self, index: int) -> Any:
        if index == 1:
            raise self.NVMLError
        return _Record(gpu=40)


class _Record:
    def __init__(self, **fields: int) -> None:
        vars(self).update(fields)


def test_every_gpu_has_its_gauges_and_the_fullest_is_in_the_event() -> None:
    """A device that does not tell its use is shown without it."""
    gpus = read_gpus(Library())
    assert gpus == [Gpu("0", 5, 20, 40.0), Gpu("1", 15, 20, None)]
    assert _gpu_fields(gpus) == {"gpu": "1", "gpu_memory_bytes": 15, "gpu_memory_limit_bytes": 20}
    assert registry.number("bot_gpu_memory_bytes", "0").value == 5
    assert registry.number("bot_gpu_utilisation_ratio", "0").value == 40


def test_without_a_gpu_there_are_no_fields() -> None:
    """No driver is the usual case, and no error."""
    assert read_gpus(Library(has_driver=False)) == []
    assert _gpu_fields([]) == {}


def test_without_the_extra_it_is_named() -> None:
    """The exception says what to install."""
    code = """
import sys
sys.modules["psutil"] = None
import logkit
for start in (logkit.resources.start, logkit.health.memory):
    try:
        start()
    except logkit.MissingExtraError as error:
        print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout.count("pip install 'botlogkit[metrics]'") == 2
