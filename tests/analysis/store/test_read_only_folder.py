"""A database in a folder where we may write nothing can still be asked."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from logkit_analysis.store.database import writing

if TYPE_CHECKING:
    from pathlib import Path

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


@pytest.mark.parametrize("has_locks", [False, True], ids=["no lock files", "somebody's lock files"])
def test_it_can_be_read(tmp_path: Path, has_locks: bool) -> None:
    """Whether or not its owner's lock files lie there."""
    database = tmp_path / "logs.duckdb"
    with writing(database):
        pass
    for path in tmp_path.iterdir():
        path.chmod(0o644)
        if path.suffix == ".lock" and not has_locks:
            path.unlink()
    for folder in (tmp_path, *list(tmp_path.parents)[:3]):
        folder.chmod(0o555 if folder == tmp_path else 0o755)
    done = subprocess.run(
        [sys.executable, "-c", _READER, str(database)], capture_output=True, text=True
    )
    tmp_path.chmod(0o755)
    assert (done.stdout, done.stderr) == ("0\n", "")
