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
_READ_ONLY = "its file system is mounted read-only"


class DatabaseMissingError(AnalysisError):
    """There is no database at the path."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"no database at {path}; run `logkit ingest PATH` first or name it: --db")


class DatabaseUnusableError(AnalysisError):
    """The file is there and cannot be used as a logkit database."""


def check_usable(path: Path, *, is_writer: bool) -> None:
    """Refuse a *path* that can be no database of ours, or none for this user.

    Raises:
        DatabaseUnusableError: It is a folder, another kind of file, or somebody else's; its
            folder is missing or closed to us; or DuckDB cannot open a file of that name.
    """
    if not _is_utf8(path):
        raise DatabaseUnusableError(
            f"cannot use {path} as a database: DuckDB opens no path that is not UTF-8"
        )
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
        why = _READ_ONLY if _is_read_only(folder) else "permission denied in its folder"
        raise DatabaseUnusableError(f"cannot make {path}: {why}")


def _may(path: Path, mode: int) -> bool:
    return os.access(path, mode, effective_ids=os.access in os.supports_effective_ids)


def _is_utf8(path: Path) -> bool:
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_read_only(path: Path) -> bool:
    return bool(os.statvfs(path).f_flag & os.ST_RDONLY)


def _whose(path: Path, done: str) -> str:
    if done == "written" and _is_read_only(path):
        return f"{path} cannot be written: {_READ_ONLY}"
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
