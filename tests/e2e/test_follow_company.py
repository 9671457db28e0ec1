"""``logkit follow`` among signals, readers, other writers and other programs."""

from __future__ import annotations

import gzip
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.e2e.following import LOGKIT, Follower, append, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.following import Ledger

SIGNALS = pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["TERM", "INT"])

# Holds the database for as long as its standard input is open.
HOLD = """
import duckdb, sys
connection = duckdb.connect(sys.argv[1])
print("held", flush=True)
sys.stdin.read()
"""
READ = """
import sys, time
from pathlib import Path
from logkit_analysis.store.database import reading
with reading(Path(sys.argv[1])) as connection:
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def held(script: str, database: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run *script*, which holds *database*, in another process."""
    with subprocess.Popen(
        [sys.executable, "-c", script, str(database)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        try:
            yield process
        finally:
            process.kill()


@SIGNALS
def test_it_ends_at_once(
    follower: Follower, ledger: Ledger, log: Path, number: signal.Signals
) -> None:
    """Idle or in the middle of a burst: exit code 0 and whole batches."""
    append(log, ledger.lines(10))
    follower.start(log)
    follower.wait_for(ledger)
    assert follower.stop(number).code == 0
    for _ in range(14):
        append(log, ledger.lines(2_000, width=460))
    follower.start(log)
    wait_until(lambda: follower.seen().total() > 10, "a part of it is stored")
    assert follower.stop(number).code == 0
    follower.start(log)
    follower.check(ledger)


def test_it_ends_in_the_middle_of_a_large_compressed_file(
    follower: Follower, ledger: Ledger, log: Path
) -> None:
    """The catch-up after a long absence takes minutes; a stop does not wait for its end."""
    packed = log.with_name("app.log.1.gz")
    packed.write_bytes(gzip.compress(ledger.lines(40_000, width=900), 1))
    follower.start(packed, pace=0.2)
    wait_until(lambda: _cpu_s(follower.pid) > 0.4, "it is in the middle of it")
    assert follower.stop().code == 0
    assert follower.seen().total() < 40_000
    follower.start(packed)
    follower.check(ledger)


def _cpu_s(pid: int) -> float:
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.parametrize(
    ("script", "number"),
    [(HOLD, signal.SIGTERM), (READ, signal.SIGINT)],
    ids=["a foreign program", "a long query"],
)
@pytest.mark.parametrize("is_begun", [True, False], ids=["later", "from the start"])
def test_it_ends_while_others_hold_the_database(
    follower: Follower,
    ledger: Ledger,
    log: Path,
    script: str,
    number: signal.Signals,
    is_begun: bool,
) -> None:
    """It waits for them, says so once, and does not have to be killed."""
    append(log, ledger.lines(10))
    follower.start(log)
    follower.wait_for(ledger)
    if not is_begun:
        follower.stop()
    with held(script, follower.database) as holder:
        if not is_begun:
            follower.start(log)
        append(log, ledger.lines(10))
        wait_until(lambda: f"(PID {holder.pid})" in follower.said, "it says for whom it waits")
        ended = follower.stop(number)
        assert ended.code == 0
        assert ended.said.count(f"(PID {holder.pid})") == 1
    follower.start(log)
    follower.check(ledger)


def test_a_foreign_program_comes_and_goes(follower: Follower, ledger: Ledger, log: Path) -> None:
    """DuckDB's own client gets in between commits, and what it kept waiting is stored after it."""
    append(log, ledger.lines(10))
    follower.start(log)
    follower.wait_for(ledger)
    for _ in range(3):
        wait_until(lambda: _is_opened(follower.database, log, ledger), "the other client gets in")
        with held_when_free(follower.database):
            append(log, ledger.lines(10))
            time.sleep(0.7)
        follower.wait_for(ledger)
    follower.check(ledger)


def _is_opened(database: Path, log: Path, ledger: Ledger) -> bool:
    append(log, ledger.lines(5))
    script = "import duckdb, sys; duckdb.connect(sys.argv[1]).sql('from events').fetchall()"
    return (
        subprocess.run(
            [sys.executable, "-c", script, str(database)], capture_output=True
        ).returncode
        == 0
    )


@contextmanager
def held_when_free(database: Path) -> Iterator[None]:
    """Hold *database* by DuckDB's own means, as soon as nobody else does."""
    retry = HOLD.replace(
        "connection = duckdb.connect(sys.argv[1])",
        "while True:\n"
        "    try:\n"
        "        connection = duckdb.connect(sys.argv[1])\n"
        "        break\n"
        "    except duckdb.IOException:\n"
        "        pass",
    )
    with held(retry, database):
        yield


def test_two_followers(follower: Follower, ledger: Ledger, log: Path) -> None:
    """The second waits, says for whom, and goes on where the first one ended."""
    append(log, ledger.lines(10))
    follower.start(log)
    follower.wait_for(ledger)
    second = Follower(follower.database, follower.nursery, name="second")
    second.start(log)
    holder = f"in use by logkit follow (PID {follower.pid})"
    wait_until(lambda: holder in second.said, "the second says for whom it waits")
    append(log, ledger.lines(10))
    follower.wait_for(ledger)
    follower.kill()
    append(log, ledger.lines(10))
    second.check(ledger, log=log)


def test_ingest_beside_follow(follower: Follower, ledger: Ledger, log: Path) -> None:
    """It waits for the end of follow, says so, and reads nothing twice."""
    append(log, ledger.lines(10))
    follower.start(log)
    follower.wait_for(ledger)
    with subprocess.Popen(
        [LOGKIT, "ingest", str(log), "--db", str(follower.database)],
        stderr=subprocess.PIPE,
        text=True,
    ) as ingest:
        assert ingest.stderr is not None
        assert f"logkit follow (PID {follower.pid})" in ingest.stderr.readline()
        append(log, ledger.lines(10))
        follower.wait_for(ledger)
        follower.stop()
        assert "0 new rows" in ingest.stderr.read()
    assert ingest.returncode == 0
    follower.start(log)
    follower.check(ledger, log=log)


HEAVY = "select count(*) from range(40000000) where hash(range) % 7 = 1"


@pytest.mark.parametrize(
    "commits", [6, pytest.param(200, marks=[pytest.mark.soak, pytest.mark.timeout(1800)])]
)
def test_heavy_readers(follower: Follower, ledger: Ledger, log: Path, commits: int) -> None:
    """While somebody always asks, every query succeeds, and commits come all the same."""
    append(log, ledger.lines(10))
    follower.start(log)
    follower.wait_for(ledger)
    is_over = threading.Event()
    queries: list[tuple[int, str]] = []

    def ask() -> None:
        while not is_over.is_set():
            done = subprocess.run(
                [LOGKIT, "sql", HEAVY, "--db", str(follower.database)],
                capture_output=True,
                text=True,
            )
            queries.append((done.returncode, done.stderr))

    readers = [threading.Thread(target=ask) for _ in range(3)]
    for reader in readers:
        reader.start()
    try:
        wait_until(lambda: len(queries) >= len(readers), "all of them ask")
        for _ in range(commits):
            append(log, ledger.lines(20))
            follower.wait_for(ledger)
    finally:
        is_over.set()
        for reader in readers:
            reader.join()
    assert [query for query in queries if query[0]] == []
    follower.check(ledger)


def test_a_query_during_every_commit(follower: Follower, ledger: Ledger, log: Path) -> None:
    """Readers see whole batches and never less than before."""
    append(log, ledger.lines(10))
    follower.start(log)
    last = 0
    for _ in range(40):
        append(log, ledger.lines(50))
        count = follower.seen().total() if follower.database.exists() else 0
        assert count >= last
        last = count
    follower.check(ledger)
