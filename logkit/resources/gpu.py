"""GPU memory and use, through NVIDIA's management library.

Importing this module needs ``pip install 'botlogkit[gpu]'``.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pynvml


@dataclass(frozen=True, slots=True)
class Gpu:
    """One device at one moment.

    Attributes:
        name: Its index.
        used_bytes: Memory in use, by whomever.
        limit_bytes: Memory there is.
        busy_percent: Share of time in which it worked lately, or ``None`` where it does not tell.
    """

    name: str
    used_bytes: int
    limit_bytes: int
    busy_percent: float | None


def read_gpus(library: Any = pynvml) -> list[Gpu]:
    """Return every device; none where there is no driver or no GPU."""
    try:
        library.nvmlInit()
    except library.NVMLError:
        return []
    try:
        return [_read(library, index) for index in range(library.nvmlDeviceGetCount())]
    except library.NVMLError:  # a device that was lost
        return []
    finally:
        with suppress(library.NVMLError):
            library.nvmlShutdown()


def _read(library: Any, index: int) -> Gpu:
    device = library.nvmlDeviceGetHandleByIndex(index)
    memory = library.nvmlDeviceGetMemoryInfo(device)
    busy = None
    with suppress(library.NVMLError):  # not supported by every device
        busy = float(library.nvmlDeviceGetUtilizationRates(device).gpu)
    return Gpu(str(index), int(memory.used), int(memory.total), busy)
