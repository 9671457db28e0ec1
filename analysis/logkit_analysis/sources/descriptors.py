"""How many files may be open at once."""

from __future__ import annotations

import resource

# DuckDB ends the whole process when it gets no descriptor.
_SPARE = 64
_FEWEST = 8
_MOST = 4096


def descriptor_budget() -> int:
    """Raise this process's limit of open files as far as is sensible; return our share of it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST if hard == resource.RLIM_INFINITY else min(hard, _MOST)
    if wanted > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    return max(_FEWEST, soft - _SPARE)
