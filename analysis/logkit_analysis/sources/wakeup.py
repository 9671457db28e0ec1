"""Waiting until something happens to the files of some folders."""

from __future__ import annotations

import os
import select
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Self

import watchfiles

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from types import TracebackType

    from logkit_analysis.stopping import StopSignal

_DEBOUNCE_MS = 50


class Wakeup:
    """Wakes a waiter when a file in one of the folders changes, or when it is to stop.

    The kernel's notices are a help, not a promise: network mounts give none, and their number is
    limited. So the waiter also wakes after a while and looks for itself.

    Args:
        is_relevant: Tells from a path whether its change is worth waking for.
        stop: Ends every wait.
    """

    def __init__(self, is_relevant: Callable[[str], bool], stop: StopSignal) -> None:
        self._is_relevant = is_relevant
        self._stop = stop
        self._folders: list[Path] = []
        self._end = threading.Event()
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._reader, False)
        os.set_blocking(self._writer, False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end.set()

    def watch(self, folders: Sequence[Path]) -> None:
        """Watch *folders*, without their subfolders, and no other ones any more."""
        if list(folders) == self._folders:
            return
        self._folders = list(folders)
        self._end.set()
        self._end = threading.Event()
        if folders:
            arguments = (self._folders, self._end)
            threading.Thread(
                target=self._wake_on_change, args=arguments, name="logkit-wakeup", daemon=True
            ).start()

    def wait(self, timeout_s: float) -> None:
        """Return when something has changed since the last call, or after *timeout_s*."""
        select.select([self._reader, self._stop.fileno()], [], [], timeout_s)
        with suppress(BlockingIOError):
            os.read(self._reader, 4096)

    def _wake_on_change(self, folders: Sequence[Path], end: threading.Event) -> None:
        # Without notices the waiter looks for itself; a folder that is gone is no news.
        with suppress(OSError, RuntimeError):
            for _ in watchfiles.watch(
                *folders,
                watch_filter=lambda _, path: self._is_relevant(path),
                debounce=_DEBOUNCE_MS,
                step=_DEBOUNCE_MS,
                stop_event=end,
                rust_timeout=500,
                recursive=False,
                ignore_permission_denied=True,
                raise_interrupt=False,
            ):
                with suppress(BlockingIOError):
                    os.write(self._writer, b"!")
