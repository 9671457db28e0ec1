"""How much memory the process may use: the least of what cgroups, rlimits and the machine allow."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# What version 1 shows where there is no limit: the largest number of whole pages.
_NO_LIMIT = 1 << 60


def memory_limit_bytes(proc: Path = Path("/proc"), sys: Path = Path("/sys")) -> int | None:
    """Return the bytes of memory that this process may use, or ``None`` if nothing tells.

    Args:
        proc: Root of the proc file system.
        sys: Root of the sys file system, with cgroups below ``fs/cgroup``.
    """
    limits = [*_cgroup_limits(proc, sys / "fs" / "cgroup"), *_address_space(proc), *_machine(proc)]
    return min((limit for limit in limits if 0 < limit < _NO_LIMIT), default=None)


def _cgroup_limits(proc: Path, root: Path) -> Iterator[int]:
    for line in _lines(proc / "self" / "cgroup"):
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if not controllers:
            # Version 2, mounted alone or, beside version 1, as "unified".
            for base in (root, root / "unified"):
                yield from _limits_above(base, path, "memory.max")
        elif "memory" in controllers.split(","):
            yield from _limits_above(root / "memory", path, "memory.limit_in_bytes")


def _limits_above(base: Path, path: str, name: str) -> Iterator[int]:
    """Yield the limits of a group and those around it; each of them binds.

    Inside a container the path may be the host's and not be there; the root then is our group.
    """
    group = base / path.lstrip("/")
    for folder in (group, *group.parents):
        if not folder.is_relative_to(base):
            return
        for line in _lines(folder / name):
            if line.isdecimal():  # not "max"
                yield int(line)


def _address_space(proc: Path) -> Iterator[int]:
    for line in _lines(proc / "self" / "limits"):
        if line.startswith("Max address space"):
            soft = line.split()[3]
            if soft.isdecimal():
                yield int(soft)


def _machine(proc: Path) -> Iterator[int]:
    for line in _lines(proc / "meminfo"):
        if line.startswith("MemTotal:"):
            yield int(line.split()[1]) * 1024


def _lines(path: Path) -> list[str]:
    with suppress(OSError):
        return path.read_text().splitlines()
    return []
