"""Waiting until something happens to the files of some folders."""

from __future__ import annotations

import os
import select
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Self

import watchfiles

from logkit_analysis.sources.mounts import gives_notices

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from types import TracebackType

    from logkit_analysis.sources.pace import Pace
    from logkit_analysis.stopping import StopSignal

_DEBOUNCE_MS = 50


class Wakeup:
    """Wakes a waiter when a file in one of the folders changes, or when it is to stop.

    The kernel's notices are a help, not a promise: network mounts give none, and their number is
    limited. So the waiter also wakes after a while and looks for itself, sooner where it has to.

    Args:
        is_relevant: Tells from a path whether its change is worth waking for.
        stop: Ends every wait.
        pace: How soon.
        gives_notices: Tells whether notices are to be expected from a folder.

    Attributes:
        is_polling: Whether notices will not come, so that the waiter has to look for itself.
    """

    def __init__(
        self,
        is_relevant: Callable[[str], bool],
        stop: StopSignal,
        pace: Pace,
        gives_notices: Callable[[Path], bool] = gives_notices,
    ) -> None:
        self._is_relevant = is_relevant
        self._stop = stop
        self._pace = pace
        self._gives_notices = gives_notices
        self._folders: list[tuple[Path, int, int]] = []
        self.is_polling = False
        self._end = threading.Event()
        self._thread: threading.Thread | None = None
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
        self._unwatch()
        os.close(self._reader)
        os.close(self._writer)

    def _unwatch(self) -> None:
        """End the thread that waits for notices, which looks for its end every 50 ms."""
        self._end.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def watch(self, folders: Sequence[Path]) -> None:
        """Watch *folders*, without their subfolders, and no other ones any more."""
        # A folder that was made anew, or to which a link leads now, needs a watch of its own.
        present = [(folder, *ids) for folder in folders if (ids := _identity(folder))]
        if present == self._folders:
            return
        self._folders = present
        self._unwatch()
        self._end = threading.Event()
        watched = [folder for folder in folders if self._gives_notices(folder)]
        self.is_polling = len(watched) < len(folders)
        if watched:
            arguments = (watched, self._end)
            self._thread = threading.Thread(
                target=self._wake_on_change, args=arguments, name="logkit-wakeup", daemon=True
            )
            self._thread.start()

    def wait(self) -> None:
        """Return when something has changed since the last call, or after a while."""
        pace = self._pace
        timeout_s = pace.poll_interval_s if self.is_polling else pace.look_interval_s
        select.select([self._reader, self._stop.fileno()], [], [], timeout_s)
        with suppress(BlockingIOError):
            os.read(self._reader, 4096)

    def _wake_on_change(self, folders: Sequence[Path], end: threading.Event) -> None:
        try:
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
        except (OSError, RuntimeError):
            # No more notices to be had, or a folder is gone.
            self.is_polling = self.is_polling or not end.is_set()


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        status = folder.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
