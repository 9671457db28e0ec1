"""Waiting until something happens to the files of some folders."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Self

import watchfiles

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from types import TracebackType

_DEBOUNCE_MS = 50


class Wakeup:
    """Wakes a waiter when a file in one of the folders changes.

    The kernel's notices are a help, not a promise: network mounts give none, and their number is
    limited. So the waiter also wakes after a while and looks for itself.

    Args:
        folders: Folders to watch, without their subfolders' new folders.
        is_relevant: Tells from a path whether its change is worth waking for.
    """

    def __init__(self, folders: Sequence[Path], is_relevant: Callable[[str], bool]) -> None:
        self._folders = [folder for folder in folders if folder.is_dir()]
        self._is_relevant = is_relevant
        self._changed = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="logkit-wakeup", daemon=True)
        self.problem: str | None = None

    def __enter__(self) -> Self:
        if self._folders:
            self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()

    def wait(self, timeout_s: float) -> None:
        """Return when something has changed since the last call, or after *timeout_s*."""
        self._changed.wait(timeout_s)
        self._changed.clear()

    def wake(self) -> None:
        """End a wait at once."""
        self._changed.set()

    def _watch(self) -> None:
        try:
            for _ in watchfiles.watch(
                *self._folders,
                watch_filter=lambda _, path: self._is_relevant(path),
                debounce=_DEBOUNCE_MS,
                step=_DEBOUNCE_MS,
                stop_event=self._stop,
                rust_timeout=500,
                recursive=False,
                ignore_permission_denied=True,
            ):
                self._changed.set()
        except (OSError, RuntimeError) as error:
            self.problem = str(error)
