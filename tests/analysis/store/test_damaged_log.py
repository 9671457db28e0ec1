"""A write-ahead log as a loss of power leaves it: the database opens with whole transactions."""

from __future__ import annotations

import random
import shutil
from contextlib import closing
from typing import TYPE_CHECKING

import duckdb
import pytest
from logkit_analysis.store.database import reading, writing

if TYPE_CHECKING:
    from pathlib import Path

COMMITS = 6
ROWS = 20


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[int]]:
    """Return a database with six transactions in its log, and where each of them ends there."""
    path = tmp_path_factory.mktemp("whole") / "a.duckdb"
    with writing(path):
        pass
    ends = []
    for number in range(COMMITS):
        with closing(duckdb.connect(str(path))) as connection:
            connection.execute("pragma disable_checkpoint_on_shutdown")
            connection.begin()
            _insert(connection, number)
            connection.execute("insert into schema_version values (2, now())")
            connection.commit()
        ends.append(path.with_name("a.duckdb.wal").stat().st_size)
    return path, ends


def _insert(connection: duckdb.DuckDBPyConnection, number: int) -> None:
    connection.execute(
        "insert into events (seq, message, source_id, source_offset, source_file, ingested_at) "
        "select $1, repeat('x', 50), 1, range, 'x', now() from range($2)",
        [number, ROWS],
    )


def _counts(connection: duckdb.DuckDBPyConnection) -> list[tuple[int, int]]:
    query = "select seq, count(*) from events group by seq order by seq"
    return connection.execute(query).fetchall()


def _cuts(size: int) -> list[int]:
    return [*range(0, 60, 7), *random.Random(1).sample(range(60, size), 15)]


DAMAGE = ("cut", "zeros", "noise", "one byte")


def _damaged(log: bytes, at: int, kind: str) -> bytes:
    match kind:
        case "cut":
            return log[:at]
        case "zeros":
            return log[:at] + bytes(5000)
        case "noise":
            return log[:at] + random.Random(at).randbytes(5000)
        case _:
            return log[:at] + bytes([log[at] ^ 0xFF]) + log[at + 1 :]


@pytest.mark.parametrize("kind", DAMAGE)
def test_what_precedes_the_damage_is_there(
    whole: tuple[Path, list[int]], tmp_path: Path, kind: str
) -> None:
    """Wherever it is: a whole number of transactions, none with half of its rows."""
    source, ends = whole
    log = source.with_name("a.duckdb.wal").read_bytes()
    path = tmp_path / "a.duckdb"
    for at in _cuts(len(log)):
        for old in tmp_path.iterdir():
            old.unlink()
        shutil.copy(source, path)
        path.with_name("a.duckdb.wal").write_bytes(_damaged(log, at, kind))
        with writing(path) as connection:
            counts = _counts(connection)
            _insert(connection, COMMITS)
        # Damage in the first bytes of a log, which say whose it is, costs the whole of it.
        expected = sum(end <= at for end in ends)
        assert counts == [(number, ROWS) for number in range(expected)]
        with reading(path) as connection:
            assert _counts(connection) == [*counts, (COMMITS, ROWS)]


def test_a_reader_repairs_it_too(whole: tuple[Path, list[int]], tmp_path: Path) -> None:
    """A question after the loss of power is answered; the damaged log is kept and named."""
    source, ends = whole
    log = bytearray(source.with_name("a.duckdb.wal").read_bytes())
    log[ends[2] + 500] ^= 0xFF
    path = tmp_path / "a.duckdb"
    shutil.copy(source, path)
    path.with_name("a.duckdb.wal").write_bytes(log)
    said: list[str] = []
    with reading(path, on_wait=said.append) as connection:
        assert _counts(connection) == [(number, ROWS) for number in range(3)]
    assert path.with_name("a.duckdb.wal.damaged1").read_bytes() == log
    assert [line.count("a.duckdb.wal.damaged1") for line in said] == [1]


def test_the_log_of_a_deleted_database_is_not_taken_for_the_new_one_s(
    whole: tuple[Path, list[int]], tmp_path: Path
) -> None:
    """Somebody removed the file and left what lies beside it."""
    path = tmp_path / "a.duckdb"
    shutil.copy(whole[0].with_name("a.duckdb.wal"), tmp_path)
    with writing(path) as connection:
        assert _counts(connection) == []
