"""A statement that is stopped ends soon, whenever it was asked to."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import duckdb
import pytest
from logkit_analysis.catalog import load_catalog
from logkit_analysis.cli.interrupts import interruptible
from logkit_analysis.errors import AnalysisError
from logkit_analysis.questions import Questions
from logkit_analysis.time_window import Window

if TYPE_CHECKING:
    from pathlib import Path

# Hours, if nobody stops it.
LONG = "select count(*) from range(100000000000000) t(x) where hash(x) = 3"
# DuckDB, which looks for signals between vectors, does not come back to Python from this one.
WAITING = """
import os, signal, threading
import duckdb
from logkit_analysis.cli.interrupts import stop_on_signals
stop_on_signals()
threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
duckdb.execute("select pg_sleep(600)").fetchall()
"""
NOW = datetime(2026, 1, 31, tzinfo=UTC)


def test_a_signal_before_the_statement_runs_counts() -> None:
    """DuckDB takes no notice of a call while it makes ready; it is called again."""
    previous = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        with duckdb.connect() as connection, interruptible(connection):
            os.kill(os.getpid(), signal.SIGINT)
            # The first call comes meanwhile.
            time.sleep(0.2)
            with pytest.raises((duckdb.InterruptException, RuntimeError), match=r"(?i)interrupted"):
                connection.execute(LONG).fetchall()
    finally:
        signal.signal(signal.SIGINT, previous)


def test_a_connection_that_is_closed_first_is_no_fault(
    capfd: pytest.CaptureFixture[str],
) -> None:
    """As after a second Ctrl-C: the thread that stops statements says nothing on stderr."""
    previous = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        connection = duckdb.connect()
        with interruptible(connection):
            connection.close()
            os.kill(os.getpid(), signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, previous)
    assert capfd.readouterr().err == ""


def test_a_signal_ends_what_waits_to_be_stopped_during_a_statement() -> None:
    """A condition of ``tail`` that takes for ever does not keep Ctrl-C from ending it, with 0."""
    assert subprocess.run([sys.executable, "-c", WAITING], timeout=60, check=False).returncode == 0


def test_one_failure_stops_the_questions_beside_it(tmp_path: Path) -> None:
    """The others of several questions are not waited for."""
    for name, sql in (("long", LONG), ("wrong", "select error('no')"), ("later", "select 1")):
        (tmp_path / f"{name}.sql").write_text(f"-- @title {name}\n{sql}")
    with duckdb.connect() as connection:
        catalog = load_catalog([tmp_path])
        questions = Questions(connection, catalog, ZoneInfo("UTC"), NOW)
        hour = Window(NOW - timedelta(hours=1), NOW)
        with pytest.raises(AnalysisError):
            questions.ask_together({name: (hour, {}) for name in ("wrong", "long", "later")})
