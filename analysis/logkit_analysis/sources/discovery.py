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
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

STDIN = "-"

# What a folder's log files are called: app.log, app.log.1, app.log.2026-03-19.gz, app.jsonl.
# A bare .json is left out, since folders are full of settings of that name.
LOG_NAMES = "*.log*, *.jsonl*, *.ndjson*"
_LOG_NAME = re.compile(r"\.(log|jsonl|ndjson)([.\-_].+)?$", re.IGNORECASE)
_ESCAPED_BYTE = re.compile(rb"\\x([89a-f][0-9a-f])")
# loguru calls it app.2026-03-19_12-00-00_000000.log, logrotate app-20260319.log.
_NUMBERED = re.compile(
    r"(?P<stem>.+?)[.\-_](?P<number>\d[\dT.:\-_]*)(?P<extension>\.[A-Za-z]\w*)(\.(gz|zst|bz2|xz))?",
)
_DATE_DIGITS = 6
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
        """The absolute path as text, its links as they are."""
        return path_text(os.path.abspath(self.path))


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
    """Return the regular files that *arguments* name just now.

    What is missing or may not be read is left out, and so are pipes.
    """
    files: dict[object, LogFile] = {}
    for argument in arguments:
        for path in _matches(argument):
            with suppress(PathUnusableError, OSError):
                found = _log_file(path)
                if not found.is_stream:
                    files.setdefault(_identity(found), found)
    return list(files.values())


def originals_first(paths: Sequence[str]) -> list[str]:
    """Return *paths* so that rotated copies come behind what they may be copies of."""
    names = {os.path.basename(path) for path in paths}
    return sorted(paths, key=lambda path: original_of(os.path.basename(path), names) is not None)


def rotated_siblings(originals: Iterable[str], inodes: Collection[int] = ()) -> list[str]:
    """Return the files beside *originals* that are called as their rotated copies are.

    Args:
        originals: Paths of files that may be there or not.
        inodes: Inode numbers of files that count as well, whatever they are called.
    """
    names_by_folder: dict[str, set[str]] = {}
    for original in originals:
        folder, name = os.path.split(original)
        names_by_folder.setdefault(folder, set()).add(name)
    found = []
    for folder, names in names_by_folder.items():
        with suppress(OSError), os.scandir(folder or ".") as entries:
            for entry in entries:
                if entry.name in names or is_side_file(entry.name):
                    continue
                if entry.inode() in inodes or original_of(entry.name, names):
                    found.append(os.path.join(folder, entry.name))
    return sorted(found)


def is_rotation(path: str, original: str) -> bool:
    """Return whether *path* is called as a rotated *original* is, in whatever folder.

    That is ``app.log.1``, ``app.log-2026``, ``app-2026.log`` for ``app.log``, also with ``.gz``.
    """
    name, of = os.path.basename(path), os.path.basename(original)
    if path == original or not of:
        return False
    return name.startswith((f"{of}.", f"{of}-", f"{of}_")) or _without_number(name, 1) == of


def original_of(name: str, originals: Collection[str]) -> str | None:
    """Return which of the file names *originals* a rotated copy called *name* is one of.

    A number within the name must look like a date: ``bot-2.log`` may be another bot's.
    """
    for place, mark in enumerate(name):
        if mark in ".-_" and name[:place] in originals:
            return name[:place]
    found = _without_number(name, _DATE_DIGITS)
    return found if found in originals else None


def _without_number(name: str, digits: int) -> str | None:
    """Return ``app.log`` for ``app-2026.log``, ``None`` if no number of *digits* is in there."""
    found = _NUMBERED.fullmatch(name)
    if found is None or sum(map(str.isdigit, found["number"])) < digits:
        return None
    return found["stem"] + found["extension"]


def is_side_file(path: str) -> bool:
    """Return whether *path* is no log but lies beside one: a lock, a database, an editor's copy."""
    return _SIDE_FILE.search(path) is not None


def is_database(head: bytes) -> bool:
    """Return whether a file that begins with *head* is a DuckDB database."""
    return head[8:12] == b"DUCK"


def _expand(argument: str) -> Iterable[str]:
    if not argument:
        raise PathUnusableError("an empty word names no file; is a variable unset?")
    if argument != STDIN and Path(argument).is_dir():
        return _nonempty(
            _walk(argument, _refuse), f"no log files (*.log*, *.jsonl*, *.ndjson*) in {argument}"
        )
    if is_glob(argument):
        return _nonempty(_matches(argument), f"nothing matches {argument}")
    return [argument]


def is_glob(argument: str) -> bool:
    """Return whether *argument* is a pattern; an existing path is taken literally."""
    return glob.has_magic(argument) and not os.path.lexists(argument)


def _matches(argument: str) -> Iterable[str]:
    """Return what *argument* names, as far as it is there and may be seen."""
    if Path(argument).is_dir():
        return sorted(_walk(argument, None))
    if not is_glob(argument):
        return [] if _is_lock(argument) else [argument]
    found = glob.glob(argument, recursive=True)  # noqa: PTH207 Path.glob takes no absolute one
    return sorted(path for path in found if not is_side_file(path) and Path(path).is_file())


def _nonempty(paths: Iterable[str], complaint: str) -> list[str]:
    found = sorted(paths)
    if not found:
        raise PathUnusableError(complaint)
    return found


def _walk(folder: str, on_error: Callable[[OSError], None] | None) -> Iterator[str]:
    for directory, folders, names in os.walk(folder, onerror=on_error):
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
    original, suffix = os.path.splitext(path)
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
