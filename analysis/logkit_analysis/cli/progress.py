"""A progress bar on stderr, for people only."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType

    from rich.progress import Progress, TaskID


class ByteProgress:
    """Shows bytes done, rows and rate while it is entered; silent off a terminal."""

    def __init__(self) -> None:
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._done: dict[str, int] = {}
        self._rows = 0

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            self._bar = _new_bar()
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def total(self, file_count: int, byte_count: int | None) -> None:
        """Say what is ahead: files, and bytes on disk if all sizes are known."""
        if self._bar is not None:
            noun = "file" if file_count == 1 else "files"
            self._task = self._bar.add_task(f"{file_count} {noun}", total=byte_count, rows=0)

    def advance(self, path: str, position: int, row_count: int) -> None:
        """Say that *path* is committed up to *position*, a number of bytes on disk."""
        if self._bar is None or self._task is None:
            return
        self._done[path] = position
        self._rows += row_count
        self._bar.update(self._task, completed=sum(self._done.values()), rows=self._rows)


def _new_bar() -> Progress:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TextColumn("{task.fields[rows]:,} rows"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
