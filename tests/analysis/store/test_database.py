"""The DuckDB file: made whole, private, refused where it is not ours, locked down for reading."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from contextlib import closing
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import duckdb
import pytest
from logkit_analysis.store.access import DatabaseMissingError, DatabaseUnusableError
from logkit_analysis.store.database import (
    appending,
    free_stored_blocks,
    reading,
    writing,
)
from logkit_analysis.store.locks import DatabaseBusyError, Locks

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Return the path of a database with our tables and one event."""
    path = tmp_path / "a.duckdb"
    with writing(path) as connection:
        connection.execute(
            "insert into events (timestamp, level, source_id, source_offset, source_file, "
            "ingested_at) values ('2026-03-19 12:00:00+00', 'info', 1, 0, 'x', now())"
        )
    return path


def test_it_is_made_private_and_whole(tmp_path: Path) -> None:
    """Mode 0600 whatever the umask, and nothing but it and its locks."""
    previous = os.umask(0)
    try:
        with writing(tmp_path / "a.duckdb"):
            pass
    finally:
        os.umask(previous)
    assert stat.S_IMODE((tmp_path / "a.duckdb").stat().st_mode) == 0o600
    made = sorted(path.name for path in tmp_path.iterdir())
    assert made == ["a.duckdb", "a.duckdb.gate.lock", "a.duckdb.lock"]


def test_memory_of_what_is_stored_is_given_back(database: Path) -> None:
    """A long run stays small, and what its next transaction may use is as before."""
    memory = "select sum(memory_usage_bytes) from duckdb_memory()"
    limit = "select current_setting('memory_limit')"
    with writing(database) as connection:
        before = connection.execute(limit).fetchall()
        rows = "select 1, i, 'x', now(), uuid() from range(400000) t(i)"
        names = "source_id, source_offset, source_file, ingested_at, message"
        connection.execute(f"insert into events ({names}) {rows}").fetchall()
        connection.execute("checkpoint").fetchall()
        assert connection.execute(memory).fetchall()[0][0] > 8_000_000
        free_stored_blocks(connection)
        assert connection.execute(memory).fetchall()[0][0] < 4_000_000
        assert connection.execute(limit).fetchall() == before


def test_what_a_kill_left_of_a_creation_is_no_hindrance(tmp_path: Path) -> None:
    """Half a file beside it, or an empty one in its place."""
    (tmp_path / ".a.duckdb.new").write_bytes(b"half a header")
    (tmp_path / ".a.duckdb.new.wal").write_bytes(b"half a log")
    (tmp_path / "a.duckdb").touch()
    with writing(tmp_path / "a.duckdb") as connection:
        assert connection.execute("select count(*) from events").fetchall() == [(0,)]
    assert not list(tmp_path.glob(".*"))


def test_any_duckdb_shell_can_run_our_queries(database: Path) -> None:
    """The macros are stored in the database."""
    with closing(duckdb.connect(str(database), read_only=True)) as connection:
        rows = connection.execute("select lk_epoch(lk_bucket(60, timestamp)) from events")
        assert rows.fetchall() == [(1_773_921_600_000_000,)]


@pytest.mark.parametrize(
    "statement",
    [
        "delete from events",
        "create table x (a integer)",
        "copy events to 'x.csv'",
        "attach 'other.duckdb'",
        "select * from read_csv('/etc/passwd')",
        "select * from read_text('/etc/passwd')",
        "select * from '/etc/passwd'",
        "install httpfs",
        "set enable_external_access = true",
        "set timezone = 'Europe/Berlin'",
        "export database 'x'",
    ],
)
def test_reading_can_do_nothing_else(
    database: Path, statement: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No write, no other file, no way to change that."""
    monkeypatch.chdir(tmp_path)
    with reading(database) as connection, pytest.raises(duckdb.Error):
        connection.execute(statement)
    assert {path.suffix for path in tmp_path.iterdir()} == {".duckdb", ".lock"}


def test_times_come_in_the_zone_asked_for(database: Path) -> None:
    """As aware datetimes."""
    with reading(database, time_zone="Asia/Kolkata") as connection:
        ((moment,),) = connection.execute("select timestamp from events").fetchall()
    assert isinstance(moment, datetime)
    assert (moment.hour, moment.utcoffset()) == (17, timedelta(hours=5, minutes=30))


def test_a_missing_database_is_not_made_by_reading(tmp_path: Path) -> None:
    """The message names the command that makes it."""
    with pytest.raises(DatabaseMissingError, match="logkit ingest"):
        reading(tmp_path / "a.duckdb").__enter__()
    assert not list(tmp_path.iterdir())


def test_a_newer_schema_is_refused_by_both(database: Path) -> None:
    """One clear error that says how to upgrade."""
    with closing(duckdb.connect(str(database))) as connection:
        connection.execute("insert into schema_version values (999, now())")
    for opened in (reading(database), writing(database)):
        with pytest.raises(DatabaseUnusableError, match=r"schema version 999.*upgrade"):
            opened.__enter__()


def test_a_foreign_database_is_refused_by_both(tmp_path: Path) -> None:
    """Nothing of ours is put into it."""
    path = tmp_path / "customers.duckdb"
    with closing(duckdb.connect(str(path))) as connection:
        connection.execute("create table events (name varchar)")
    for opened in (reading(path), writing(path)):
        with pytest.raises(DatabaseUnusableError, match="no logkit database"):
            opened.__enter__()
    with closing(duckdb.connect(str(path))) as connection:
        assert connection.execute("select table_name from duckdb_tables()").fetchall() == [
            ("events",)
        ]


def test_a_program_that_holds_the_database_is_named(database: Path) -> None:
    """DuckDB's own words about locks never reach a user."""
    script = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print(1, flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", script, str(database)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"1\n"
        opened = appending(database, locks=Locks(database), memory_limit="64MB", threads=1)
        with pytest.raises(DatabaseBusyError, match=rf"another program \(PID {process.pid}\)"):
            opened.__enter__()
        process.kill()
