"""The owner of stdout: results leave through here, whole or not at all."""

from __future__ import annotations

import errno
import os
import select
import sys
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from logkit_analysis.cli.interrupts import ended_in_order

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class ReaderGoneError(Exception):
    """Whoever read our stdout has seen enough: ``logkit ... | head``."""


def open_missing_streams() -> None:
    """Make a stdout or stderr that the caller closed a stream to nowhere.

    Without it the next file opened, perhaps the database, would take the stream's number.
    """
    for name, number in (("stdout", 1), ("stderr", 2)):
        if getattr(sys, name) is None:
            devnull = os.open(os.devnull, os.O_WRONLY)
            if devnull != number:
                os.dup2(devnull, number)
                os.close(devnull)
            setattr(sys, name, os.fdopen(number, "w"))


def write_text(text: str) -> None:
    """Write *text* to stdout as UTF-8, whatever the locale says."""
    with destination(None) as stream:
        stream.write(text.encode("utf-8", "backslashreplace"))


def flush() -> None:
    """Hand everything to the reader of stdout; raises what the reader's end says."""
    sys.stdout.flush()


def is_terminal() -> bool:
    """Return whether a person watches stdout."""
    return sys.stdout.isatty()


def has_reader() -> bool:
    """Return whether somebody still reads stdout: ``... | head`` ends without a word."""
    poller = select.poll()
    poller.register(sys.stdout.fileno(), 0)
    return not any(event & (select.POLLERR | select.POLLHUP) for _, event in poller.poll(0))


def abandon() -> None:
    """Drop what stdout still holds, so that the interpreter's exit does not complain."""
    devnull = os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, sys.stdout.fileno())
    os.close(devnull)


@contextmanager
def destination(path: Path | None) -> Iterator[IO[bytes]]:
    """Yield the binary stream of a result: stdout, or a file that appears when it is whole.

    Args:
        path: The file to replace, or ``None`` for stdout.
    """
    if path is None:
        try:
            yield sys.stdout.buffer
        except BrokenPipeError as error:
            raise ReaderGoneError from error
        return
    with replacing(path) as partial, partial.open("wb" if partial == path else "xb") as stream:
        yield stream


def write_private(path: Path, data: bytes) -> None:
    """Write *data* to *path*, which appears when it is whole, readable for its owner alone."""
    with replacing(path) as partial:
        flags = os.O_WRONLY if partial == path else os.O_WRONLY | os.O_CREAT | os.O_EXCL
        with os.fdopen(os.open(partial, flags, 0o600), "wb") as stream:
            stream.write(data)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a path beside *path*; it takes the name of *path* when the block ends well.

    A device or FIFO is written in place: there is nothing to replace. Of a link, what it leads to
    is replaced, since ``/dev/stdout`` may be one that leads to a file.
    """
    if path.exists() and not path.is_file():
        yield path
        return
    if path.is_symlink():
        path = path.resolve()
    if not path.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "no such directory", str(path.parent))
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, "no file can be made there", str(path.parent))
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    with ended_in_order():
        try:
            yield partial
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
