"""Ctrl-C while DuckDB works."""

from __future__ import annotations

import os
import signal
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    import duckdb


@contextmanager
def interruptible(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Let Ctrl-C stop the statement that *connection* runs.

    Python handles a signal between two of its own steps, and none comes while DuckDB fetches rows.
    The byte that the signal writes wakes a thread, which tells DuckDB to stop.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    previous = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    watcher = threading.Thread(target=_watch, args=(reader, connection), daemon=True)
    watcher.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(previous)
        writer.close()
        watcher.join()
        reader.close()


def _watch(reader: socket.socket, connection: duckdb.DuckDBPyConnection) -> None:
    while received := reader.recv(64):
        if signal.SIGINT in received or signal.SIGTERM in received:
            connection.interrupt()


@contextmanager
def ended_in_order() -> Iterator[None]:
    """Let SIGTERM end the block as an exception does, and only then the process."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    is_asked = False

    def ask(*_: object) -> None:
        nonlocal is_asked
        is_asked = True
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGTERM, ask)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)
        if is_asked:
            os.kill(os.getpid(), signal.SIGTERM)
