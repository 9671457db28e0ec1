"""A database in a folder where we may write nothing can still be asked."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from logkit_analysis.store.database import writing

if TYPE_CHECKING:
    from collections.abc import Iterator

_READER = """
import os, sys
from pathlib import Path
from logkit_analysis.store.database import reading
import duckdb
if os.geteuid() == 0:
    os.seteuid(65534)
with reading(Path(sys.argv[1])) as connection:
    print(connection.execute("select count(*) from events").fetchall()[0][0])
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """Yield a folder that any user can reach; pytest keeps those of its own private."""
    with tempfile.TemporaryDirectory() as path:
        yield Path(path)
        Path(path).chmod(0o755)


@pytest.mark.parametrize("has_locks", [False, True], ids=["no lock files", "somebody's lock files"])
def test_it_can_be_read(folder: Path, has_locks: bool) -> None:
    """Whether or not its owner's lock files lie there."""
    database = folder / "logs.duckdb"
    with writing(database):
        pass
    for path in folder.iterdir():
        path.chmod(0o644)
        if path.suffix == ".lock" and not has_locks:
            path.unlink()
    folder.chmod(0o555)
    done = subprocess.run(
        [sys.executable, "-c", _READER, str(database)], capture_output=True, text=True
    )
    assert (done.stdout, done.stderr) == ("0\n", "")
