"""What the operating system says about this process.

Importing this module needs ``pip install 'botlogkit[metrics]'``.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from typing import Any

import psutil

from logkit.resources.limits import memory_limit_bytes

_STATES = {
    psutil.CONN_ESTABLISHED: "established",
    psutil.CONN_CLOSE_WAIT: "close_wait",
    psutil.CONN_LISTEN: "listen",
}
_NOT_OPEN = (psutil.CONN_LISTEN, psutil.CONN_TIME_WAIT, psutil.CONN_CLOSE)


class ProcessSampler:
    """Samples this process; CPU use is that since the last sample."""

    def __init__(self) -> None:
        self._pid = 0
        self._become_current()

    def sample(self) -> dict[str, Any]:
        """Return the fields of ``resource_sample`` that this system tells."""
        if self._pid != os.getpid():
            self._become_current()
        with self._process.oneshot():
            fields: dict[str, Any] = {"rss_bytes": self._process.memory_info().rss}
            fields["threads"] = self._process.num_threads()
            fields |= self._cpu()
        limit = memory_limit_bytes() or psutil.virtual_memory().total
        return {**fields, "rss_limit_bytes": limit, **self._files(), **self._connections()}

    def _become_current(self) -> None:
        self._pid = os.getpid()
        self._process = psutil.Process()
        self._cpu_s, self._sampled_at = 0.0, 0.0

    def _cpu(self) -> dict[str, float]:
        times, now = self._process.cpu_times(), time.monotonic()
        cpu_s, former_s, former_at = times.user + times.system, self._cpu_s, self._sampled_at
        self._cpu_s, self._sampled_at = cpu_s, now
        if not former_at or now <= former_at:
            return {}
        return {"cpu_percent": round((cpu_s - former_s) / (now - former_at) * 100, 2)}

    def _files(self) -> dict[str, int]:
        if not hasattr(self._process, "num_fds"):
            return {}
        fields = {"open_fds": self._process.num_fds()}
        if hasattr(self._process, "rlimit"):
            fields["open_fds_limit"] = self._process.rlimit(psutil.RLIMIT_NOFILE)[0]
        return fields

    def _connections(self) -> dict[str, int]:
        try:
            connections = self._process.net_connections("inet")
        except psutil.AccessDenied:  # macOS, in a sandbox
            return {}
        states = Counter(one.status for one in connections)
        told = {f"connections_{name}": states.pop(state, 0) for state, name in _STATES.items()}
        is_open = sum(1 for one in connections if one.status not in _NOT_OPEN)
        return {"open_connections": is_open, **told}
