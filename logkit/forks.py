"""What a forked child does before anything else.

Of all threads it has the one that forked: work of the others has to be begun anew, and a lock that
one of them held would never be released.
"""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

if TYPE_CHECKING:
    from collections.abc import Callable

    Begin = Callable[[], object]

_locks: WeakSet[Any] = WeakSet()
_first: list[Begin] = []
_last: list[Begin] = []


def new_lock() -> threading.RLock:
    """Return a lock that is free in a forked child, whoever held it in the parent.

    It is reentrant, since a signal handler or the garbage collector may log at any point, also
    where the thread that it interrupts holds the lock.
    """
    lock = threading.RLock()
    _locks.add(lock)
    return lock


def in_child(begin: Begin) -> None:
    """Call *begin* in each forked child, in the order in which this was asked for."""
    _first.append(begin)


def in_child_at_last(begin: Begin) -> None:
    """Call *begin* in each forked child after all others: it starts threads that need them."""
    _last.append(begin)


def _begin_child() -> None:
    # What logging and threading do with locks of their own.
    unlocks = [lock._at_fork_reinit for lock in list(_locks)]
    for begin in (*unlocks, *_first, *_last):
        with suppress(Exception):  # whatever one part fails to do, the others have to be done
            begin()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_child)
