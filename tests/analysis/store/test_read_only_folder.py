"""What other users' files and folders allow: asking where we may write nothing, and no more."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from logkit_analysis.store.access import DatabaseUnusableError, check_usable
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


def _as_somebody(code: str, database: Path) -> str:
    """Return what *code*, run as another user where that can be, says of *database*."""
    become = "import os\nif os.geteuid() == 0:\n    os.seteuid(65534)\n"
    head = "import sys\nfrom pathlib import Path\nimport duckdb\n"
    run = f"try:\n    {code}\nexcept AnalysisError as error:\n    print(error)\n"
    imports = (
        "from logkit_analysis.errors import AnalysisError\n"
        "from logkit_analysis.store.database import reading, writing\n"
        "from logkit_analysis.store.locks import Locks\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", head + imports + become + run, str(database)],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


@pytest.mark.parametrize(
    "code",
    ["reading(Path(sys.argv[1])).__enter__()", "writing(Path(sys.argv[1])).__enter__()"],
    ids=["reading", "writing"],
)
@pytest.mark.skipif(os.geteuid() != 0, reason="needs a second user")
def test_a_private_database_names_its_owner(folder: Path, code: str) -> None:
    """Whose it is and how it is kept is said, and nothing is left beside it."""
    database = folder / "logs.duckdb"
    with writing(database):
        pass
    for path in folder.glob("*.lock"):
        path.unlink()
    folder.chmod(0o777)
    said = _as_somebody(code, database)
    assert "it belongs to root and is private (mode 0600)" in said
    assert [path.name for path in folder.iterdir()] == ["logs.duckdb"]


@pytest.mark.skipif(os.geteuid() != 0, reason="needs a second user")
def test_a_folder_closed_to_us_is_told_without_internals(folder: Path) -> None:
    """A database that cannot be made is about its folder, not about our side files."""
    folder.chmod(0o555)
    said = _as_somebody(
        "Locks(Path(sys.argv[1])).sole_writer('x').__enter__()", folder / "x.duckdb"
    )
    database = folder.resolve() / "x.duckdb"
    assert said == f"cannot make {database}: permission denied in its folder\n"


def test_a_name_that_duckdb_cannot_open(tmp_path: Path) -> None:
    """Bytes that are no UTF-8 are refused before anything is made."""
    with pytest.raises(DatabaseUnusableError, match="not UTF-8"):
        check_usable(tmp_path / os.fsdecode(b"\xff.duckdb"), is_writer=True)


@pytest.mark.parametrize("is_there", [True, False], ids=["database", "folder"])
def test_a_read_only_file_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_there: bool
) -> None:
    """It is named as the reason, rather than the owner of the folder or the file."""
    database = tmp_path / "logs.duckdb"
    if is_there:
        database.touch()
    monkeypatch.setattr(os, "access", lambda *_, **__: False)
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_flag=os.ST_RDONLY))
    with pytest.raises(DatabaseUnusableError, match="mounted read-only"):
        check_usable(database, is_writer=True)
