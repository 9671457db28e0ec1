"""A write-ahead log that DuckDB refuses, cut down to what it takes.

After a loss of power the log may end in anything. DuckDB itself leaves out a last entry that is
cut short, but opens no database whose log has a wrong checksum. All that stands before the damage
is whole transactions, and since rows and positions are written together, what is cut off is read
again from the log files.
"""

from __future__ import annotations

import os
import re
import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# DuckDB 2.0's words for a log that is damaged, or older or newer than the database file.
_DAMAGED = re.compile(
    r"WAL file .*corrupt|checkpoint iteration does not match|WAL does not match database",
    re.IGNORECASE | re.DOTALL,
)
_PLACE = re.compile(r"entry at byte position (\d+) computed checksum")


def is_damaged(message: str) -> bool:
    """Return whether DuckDB's *message* says that the log is what keeps it from opening."""
    return _DAMAGED.search(message) is not None


def repair(database: Path, message: str) -> str:
    """Make the database open again; return what was done, for people.

    Args:
        database: The database file, opened by nobody.
        message: What DuckDB said.

    A copy of the damaged log stays beside the database.
    """
    log = database.with_name(f"{database.name}.wal")
    kept = _free_name(log)
    place = _PLACE.search(message)
    if place is None:
        log.replace(kept)
        where = "as a whole"
    else:
        shutil.copy2(log, kept)
        _truncate(log, int(place[1]))
        where = f"from byte {place[1]} on"
    again = "lines that were only there are read again from their log files"
    return f"{log} was damaged {where} and is kept as {kept.name}; {again}"


def _free_name(log: Path) -> Path:
    number = 1
    while (kept := log.with_name(f"{log.name}.damaged{number}")).exists():
        number += 1
    return kept


def _truncate(path: Path, size: int) -> None:
    with path.open("r+b") as file:
        file.truncate(size)
        os.fsync(file.fileno())
