"""From the words of a command line to the log files that they mean."""

from __future__ import annotations

import glob
import os
import re
import stat
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from logkit_analysis.errors import AnalysisError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

STDIN = "-"

# What a folder's log files are called: app.log, app.log.1, app.log.2026-03-19.gz, app.jsonl.
# A bare .json is left out, since folders are full of settings of that name.
_LOG_NAME = re.compile(r"\.(log|jsonl|ndjson)([.\-_].+)?$", re.IGNORECASE)
_ESCAPED_BYTE = re.compile(rb"\\x([89a-f][0-9a-f])")
_SIDE_FILE = re.compile(r"\.(lock|ring|tmp|swp|duckdb|wal)$", re.IGNORECASE)


class PathUnusableError(AnalysisError):
    """A named path is missing, unreadable or holds no log."""


@dataclass(frozen=True, slots=True)
class LogFile:
    """A file to read.

    Attributes:
        path: Where it is, as the user wrote it; ``-`` is standard input.
        is_stream: Whether it can be read only once, from its start (a pipe).
    """

    path: str
    is_stream: bool

    @property
    def name(self) -> str:
        """The path as text."""
        return path_text(self.path)

    @property
    def place(self) -> str:
        """The absolute path as text."""
        return path_text(os.path.abspath(self.path))  # noqa: PTH100 resolves no links


def path_text(path: str) -> str:
    """Return *path* as text that any database takes, also where it is no UTF-8."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def discover(arguments: Sequence[str]) -> list[LogFile]:
    """Return the files that *arguments* name, each file once, in a stable order.

    An argument is an existing file, a folder (searched for log files), a glob, or ``-``.
    An existing path is taken literally even if it looks like a glob. The lock beside a bot's log,
    which a shell's ``*.log*`` names too, is left out.

    Raises:
        PathUnusableError: A path is missing or unreadable, or a folder or glob holds no log. A
            file that was only found, not named, is not asked whether it can be read.
    """
    files: dict[object, LogFile] = {}
    for argument in arguments:
        if _is_lock(argument):
            continue
        for path in _expand(argument):
            found = _log_file(path)
            if path == argument:
                _check_readable(path)
            files.setdefault(_identity(found), found)
    return list(files.values())


def discover_present(arguments: Sequence[str]) -> list[LogFile]:
    """Return the regular files that *arguments* name just now; what is not there is no error."""
    files: list[LogFile] = []
    for argument in arguments:
        with suppress(PathUnusableError, OSError):
            files += [file for file in discover([argument]) if not file.is_stream]
    return files


def rotated_siblings(path: str) -> list[str]:
    """Return the files beside *path* that are called as its rotated copies are: app.log.1.gz."""
    directory, name = os.path.split(path)
    try:
        names = os.listdir(directory or ".")  # noqa: PTH208 a str path keeps the user's spelling
    except OSError:
        return []
    prefixes = (f"{name}.", f"{name}-")
    rotated = [n for n in names if n.startswith(prefixes) and not _SIDE_FILE.search(n)]
    return sorted(os.path.join(directory, n) for n in rotated)  # noqa: PTH118


def is_side_file(path: str) -> bool:
    """Return whether *path* is no log but lies beside one: a lock, a database, an editor's copy."""
    return _SIDE_FILE.search(path) is not None


def _expand(argument: str) -> Iterable[str]:
    if not argument:
        raise PathUnusableError("an empty word names no file; is a variable unset?")
    if argument == STDIN:
        return [argument]
    if Path(argument).is_dir():
        return _nonempty(
            _walk(argument), f"no log files (*.log*, *.jsonl*, *.ndjson*) in {argument}"
        )
    if not os.path.lexists(argument) and glob.has_magic(argument):
        matches = glob.glob(argument, recursive=True)  # noqa: PTH207 Path.glob takes no absolute one
        logs = (path for path in matches if not _SIDE_FILE.search(path) and Path(path).is_file())
        return _nonempty(logs, f"nothing matches {argument}")
    return [argument]


def _nonempty(paths: Iterable[str], complaint: str) -> list[str]:
    found = sorted(paths)
    if not found:
        raise PathUnusableError(complaint)
    return found


def _walk(folder: str) -> Iterator[str]:
    for directory, folders, names in os.walk(folder, onerror=_refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            path = Path(directory) / name
            is_log = _LOG_NAME.search(name) and not _SIDE_FILE.search(name)
            # A FIFO would make us wait for its writer, and a link may lead nowhere.
            if is_log and not name.startswith(".") and path.is_file():
                yield str(path)


def _refuse(error: OSError) -> None:
    raise PathUnusableError(f"cannot read {error.filename}: {error.strerror}") from error


def _is_lock(path: str) -> bool:
    original, suffix = os.path.splitext(path)  # noqa: PTH122 a str path keeps the user's spelling
    return suffix == ".lock" and Path(original).is_file() and Path(path).is_file()


def _check_readable(path: str) -> None:
    if path != STDIN and not os.access(path, os.R_OK):
        raise PathUnusableError(f"cannot read {path}: permission denied")


def _log_file(path: str) -> LogFile:
    if path == STDIN:
        if sys.stdin is None:
            raise PathUnusableError("cannot read standard input: it is closed")
        return LogFile(path, is_stream=True)
    try:
        mode = Path(path).stat().st_mode
    except OSError as error:
        raise PathUnusableError(f"cannot read {path}: {error.strerror}") from error
    return LogFile(path, is_stream=not stat.S_ISREG(mode))


def path_named(name: str) -> str:
    """Return the path that `path_text` made *name* of."""
    if "\\x" not in name or os.path.lexists(name):
        return name
    return os.fsdecode(
        _ESCAPED_BYTE.sub(lambda byte: bytes.fromhex(byte[1].decode()), name.encode())
    )


def _identity(file: LogFile) -> object:
    if file.path == STDIN:
        return STDIN
    status = Path(file.path).stat()
    return status.st_dev, status.st_ino
