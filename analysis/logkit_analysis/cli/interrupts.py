"""Ctrl-C and other signals that ask a command to end."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from logkit_analysis.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator

    import duckdb

    from logkit_analysis.stopping import StopSignal

_LONGEST_END_S = 1.2
_AGAIN_S = 0.05


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
    """Interrupt *connection* once it is asked to, until the block ends.

    DuckDB forgets what it is told while it still makes ready to run a statement.
    """
    while True:
        try:
            received = reader.recv(64)
        except TimeoutError:
            _interrupt(connection)
            continue
        if not received:
            return
        if signal.SIGINT in received or signal.SIGTERM in received:
            _interrupt(connection)
            reader.settimeout(_AGAIN_S)


def _interrupt(connection: duckdb.DuckDBPyConnection) -> None:
    import duckdb

    # A second Ctrl-C may have ended the block before this thread.
    with suppress(duckdb.ConnectionException):
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


def stop_on_signals() -> StopSignal:
    """Return what Ctrl-C, SIGTERM and the end of the terminal set; nohup keeps the last away.

    It is for commands that wait to be stopped. A disk that does not answer, a huge file or a pipe
    that nobody reads must not keep them from ending. Any moment is as good as any other: what is
    not committed is read again.
    """
    from logkit_analysis.stopping import StopSignal

    stop = StopSignal()
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, lambda *_: stop.set())
    threading.Thread(target=_end_in_time, args=(stop, reader), daemon=True).start()
    return stop


def _end_in_time(stop: StopSignal, reader: int) -> None:
    """End what goes on after the first signal; its byte comes while DuckDB keeps Python busy."""
    os.read(reader, 1)
    stop.set()
    time.sleep(_LONGEST_END_S)
    os._exit(ExitCode.OK)
