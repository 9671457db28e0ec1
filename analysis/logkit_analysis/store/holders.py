"""Which processes hold a ``flock``, as the kernel tells."""

from __future__ import annotations

import os
from pathlib import Path

_PROC = Path("/proc")


def holders_of(descriptor: int, *, proc: Path = _PROC) -> list[int]:
    """Return the ids of the processes that hold a lock of the open file, none if unknown.

    Only Linux tells (``/proc/locks``); a process in a container sees those of its container.
    """
    inode = os.fstat(descriptor).st_ino
    try:
        lines = (proc / "locks").read_text().splitlines()
    except OSError:
        return []
    # "1: FLOCK  ADVISORY  WRITE 3064 fe:00:2203730 0 EOF"; one that waits has "->" after "1:".
    words = [line.split() for line in lines if " FLOCK " in line and "->" not in line]
    return [int(word[4]) for word in words if word[5].endswith(f":{inode}") and int(word[4]) > 0]


def described(pid: int, *, proc: Path = _PROC) -> str:
    """Return what process *pid* is for people: ``logkit sql (PID 7)``."""
    try:
        command = (proc / str(pid) / "cmdline").read_bytes()
    except OSError:
        return f"PID {pid}"
    words = [os.path.basename(word) for word in os.fsdecode(command).split("\0") if word]  # noqa: PTH119
    if "logkit" in words[:3]:
        start = words.index("logkit")
        return f"{' '.join(words[start : start + 2])} (PID {pid})"
    return f"{words[0] if words else 'a process'} (PID {pid})"
