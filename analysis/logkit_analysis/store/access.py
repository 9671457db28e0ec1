"""Whether a path can be a database for us, told before anything is made or locked beside it."""

from __future__ import annotations

import os
import pwd
import stat
from typing import TYPE_CHECKING

from logkit_analysis.errors import AnalysisError

if TYPE_CHECKING:
    from pathlib import Path

_MAGIC = slice(8, 12)
_MAGIC_BYTES = b"DUCK"


class DatabaseMissingError(AnalysisError):
    """There is no database at the path."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"no database at {path}; run `logkit ingest PATH` first or name it: --db")


class DatabaseUnusableError(AnalysisError):
    """The file is there and cannot be used as a logkit database."""


def check_usable(path: Path, *, is_writer: bool) -> None:
    """Refuse a *path* that can be no database of ours, or none for this user.

    Raises:
        DatabaseUnusableError: It is a folder, another kind of file, or somebody else's; or its
            folder is missing or closed to us.
    """
    if path.is_dir():
        raise DatabaseUnusableError(
            f"cannot use {path} as a database: it is a folder; name a file in it"
        )
    if not path.exists():
        _check_folder(path, is_writer=is_writer)
        return
    if not _may(path, os.R_OK | os.W_OK if is_writer else os.R_OK):
        raise DatabaseUnusableError(_whose(path, "written" if is_writer else "read"))
    if not _looks_like_ours(path):
        raise DatabaseUnusableError(f"cannot use {path} as a database: it is another kind of file")


def owner_of(path: Path) -> str:
    """Return the name of the user to whom *path* belongs, or the number where there is none."""
    uid = path.stat().st_uid
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


def _check_folder(path: Path, *, is_writer: bool) -> None:
    folder = path.parent
    if not folder.is_dir():
        raise DatabaseUnusableError(f"cannot make {path}: there is no such folder")
    if is_writer and not _may(folder, os.W_OK | os.X_OK):
        raise DatabaseUnusableError(f"cannot make {path}: permission denied in its folder")


def _may(path: Path, mode: int) -> bool:
    return os.access(path, mode, effective_ids=os.access in os.supports_effective_ids)


def _whose(path: Path, done: str) -> str:
    mode = stat.S_IMODE(path.stat().st_mode)
    owner = owner_of(path)
    private = f"is private (mode {mode:04o})" if not mode & 0o077 else f"has mode {mode:04o}"
    return f"{path} cannot be {done}: it belongs to {owner} and {private}"


def _looks_like_ours(path: Path) -> bool:
    # Opening a database that this process holds would drop DuckDB's lock: a file that has locks
    # beside it was one already, so it is not looked into.
    if path.with_name(f"{path.name}.lock").exists() or not path.is_file():
        return True
    with path.open("rb") as file:
        head = file.read(_MAGIC.stop)
    return not head or head[_MAGIC] == _MAGIC_BYTES
