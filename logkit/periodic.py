"""A thread that does one job at intervals, in forked children too."""

from __future__ import annotations

import threading
import weakref
from typing import TYPE_CHECKING

from logkit import forks

if TYPE_CHECKING:
    from collections.abc import Callable

_all: weakref.WeakSet[Periodic] = weakref.WeakSet()


class Periodic:
    """Calls *job* every *interval_s* seconds on a daemon thread, whatever becomes of a call.

    Args:
        name: Name of the thread.
        interval_s: Seconds from the end of a call to the next one.
        job: What is to be done.
        fail: Gets the exception that a call raised.
    """

    def __init__(
        self,
        name: str,
        interval_s: float,
        job: Callable[[], None],
        fail: Callable[[Exception], None],
    ) -> None:
        self._name = name
        self._interval_s = interval_s
        self._job = job
        self._fail = fail
        self._stopped: threading.Event | None = None
        _all.add(self)

    @property
    def is_running(self) -> bool:
        """Whether the thread was started and not stopped."""
        return self._stopped is not None

    def start(self) -> None:
        """Start the thread, unless it runs; the first call comes at once."""
        if self._stopped is None:
            self._stopped = threading.Event()
            arguments = (self._stopped,)
            threading.Thread(target=self._run, args=arguments, name=self._name, daemon=True).start()

    def stop(self) -> None:
        """Make no more calls; one that runs ends by itself."""
        if self._stopped is not None:
            self._stopped.set()
            self._stopped = None

    def become_child(self) -> None:
        """In a forked child, which has inherited no thread: start one if the parent had it."""
        if self._stopped is not None:
            self._stopped = None
            self.start()

    def _run(self, stopped: threading.Event) -> None:
        while True:
            try:
                self._job()
            except Exception as error:  # noqa: BLE001 - the thread is the edge; it goes on
                self._fail(error)
            if stopped.wait(self._interval_s):
                return


def _restart_all() -> None:
    for periodic in list(_all):
        periodic.become_child()


forks.in_child_at_last(_restart_all)
