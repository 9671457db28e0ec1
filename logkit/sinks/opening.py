"""Destination -> the output that fits it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from logkit.sinks.files import RotatingFile
from logkit.sinks.outputs import StandardOutput
from logkit.sinks.streams import open_descriptor, open_path

if TYPE_CHECKING:
    from logkit.counters import Counters
    from logkit.sinks.destination import Destination
    from logkit.sinks.outputs import Output


def open_output(destination: Destination, counters: Counters) -> Output:
    """Open a file, a stream (FIFO, device, pipe), or standard output as people see it.

    Raises:
        OSError: The path cannot be used.
    """
    if destination.path is None:
        return _open_standard_output()
    if destination.descriptor is not None:
        # Not by its name: the file behind it is somebody else's to rotate, and may have no name.
        return open_descriptor(destination.descriptor, destination.path)
    path = Path(destination.path)
    if path.exists() and not path.is_file():
        return open_path(path)
    file = RotatingFile(
        path,
        max_bytes=destination.max_bytes,
        backups=destination.backups,
        compress=destination.compress,
        counters=counters,
    )
    file.open()
    return file


def _open_standard_output() -> Output:
    # A terminal is written in the call that logs, in step with what the bot prints.
    try:
        if sys.platform != "win32" and not sys.stdout.isatty():
            return open_descriptor(sys.stdout.fileno(), "standard output")
    except (AttributeError, OSError, ValueError):
        pass  # closed, or replaced by an object that only has write()
    return StandardOutput()
