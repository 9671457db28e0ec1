"""Ends of processes that ``atexit`` does not hear of."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_LAST = -100


def close_with_worker(close: Callable[[], None]) -> None:
    """Call *close* at the end of this process if it is a worker of multiprocessing.

    Workers leave through ``os._exit`` and skip ``atexit``. A worker empties multiprocessing's
    list of finalizers when it begins, so this is to be called in the worker itself.
    """
    process = sys.modules.get("multiprocessing.process")
    util = sys.modules.get("multiprocessing.util")
    if process is not None and util is not None and process.parent_process() is not None:
        util.Finalize(None, close, exitpriority=_LAST)
