"""``logkit prune`` as a real process, alone and beside a running ``follow``."""

from __future__ import annotations

import json
import signal
import subprocess
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import duckdb
import pytest
from logkit_analysis.store.database import reading

from tests.e2e.following import LOGKIT, wait_until
from tests.e2e.terminal import Terminal

if TYPE_CHECKING:
    from pathlib import Path


def line(number: int, *, days_ago: float) -> str:
    moment = datetime.now(UTC) - timedelta(days=days_ago)
    event = {"timestamp": moment.isoformat(), "level": "info", "event": "tick", "seq": number}
    return json.dumps(event) + "\n"


def logkit(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([LOGKIT, *words], capture_output=True, text=True, timeout=200)


def numbers(database: Path) -> list[int]:
    with reading(database) as connection:
        rows = connection.execute("select seq from events order by seq").fetchall()
    return [number for (number,) in rows]


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Return a database with ten old and ten new events, and one rejected line."""
    log = tmp_path / "bot.log"
    old = [line(number, days_ago=40) for number in range(10)]
    new = [line(number, days_ago=1) for number in range(10, 20)]
    log.write_text("".join([*old, "no json\n", *new]))
    path = tmp_path / "it's a.duckdb"
    assert logkit("ingest", str(log), "--db", str(path)).returncode == 0
    return path


def test_old_rows_go_and_stay_away(database: Path) -> None:
    """Only rows older than the duration go, and a second ingest does not bring them back."""
    done = logkit("prune", "--older-than", "30d", "--db", str(database))
    assert done.returncode == 0
    assert done.stdout == ""
    assert "removed 10 events and 0 rejected lines" in done.stderr
    assert logkit("ingest", str(database.parent / "bot.log"), "--db", str(database)).returncode == 0
    assert numbers(database) == list(range(10, 20))
    assert "no json" in logkit("rejects", "--db", str(database)).stdout
    assert database.stat().st_mode & 0o777 == 0o600


def test_a_dry_run_changes_nothing(database: Path) -> None:
    """--dry-run says what would go."""
    done = logkit("prune", "--older-than", "30d", "--dry-run", "--db", str(database))
    assert (done.returncode, done.stdout) == (0, "")
    assert "would remove 10 events and 0 rejected lines from before" in done.stderr
    assert numbers(database) == list(range(20))


def test_a_person_is_asked_before_the_last_event_goes(database: Path) -> None:
    """On a terminal "n" leaves all as it was; some rows alone, and --yes, ask nothing."""
    every = [LOGKIT, "prune", "--older-than", "1h", "--db", str(database)]
    with Terminal(every, database.parent, {}) as asked:
        asked.sees("All 20 events are from before", "Remove them? [y/N]")
        asked.press("n", "enter")
        assert asked.end() == 1
        assert "nothing was removed" in asked.text
    assert numbers(database) == list(range(20))
    with Terminal([*every[:3], "30d", *every[4:]], database.parent, {}) as some:
        assert some.end() == 0
    with Terminal([*every, "--yes"], database.parent, {}) as sure:
        assert sure.end() == 0
    assert numbers(database) == []


def test_a_script_is_not_asked(database: Path) -> None:
    """Without a terminal there is nobody to answer; a dry run says that all would go."""
    words = ("prune", "--older-than", "1h", "--db", str(database))
    assert "would remove all 20 events" in logkit(*words, "--dry-run").stderr
    assert "removed 20 events" in logkit(*words).stderr


def test_a_link_to_the_database_stays_one(database: Path) -> None:
    """Rows go from the file that the link leads to, where others look for them."""
    link = database.with_name("link.duckdb")
    link.symlink_to(database.name)
    assert logkit("prune", "--older-than", "30d", "--db", str(link)).returncode == 0
    assert link.is_symlink()
    assert numbers(database) == list(range(10, 20))


def test_what_a_kill_left_of_a_prune_is_no_hindrance(database: Path) -> None:
    """Half a new file and its log are thrown away, whatever is in them."""
    left = [database.with_name(f".{database.name}.pruned{end}") for end in ("", ".wal")]
    for path in left:
        path.write_bytes(b"half a file")
    assert logkit("prune", "--older-than", "30d", "--db", str(database)).returncode == 0
    assert numbers(database) == list(range(10, 20))
    assert not any(path.exists() for path in left)


def test_few_rows_leave_no_larger_file(database: Path) -> None:
    """A file that is as small as it can be is not written anew, and the rows go all the same."""
    logkit("prune", "--older-than", "30d", "--db", str(database))
    with duckdb.connect(str(database)) as connection:
        row = "select * replace (timestamp - interval 40 day as timestamp, -seq as source_offset)"
        connection.execute(f"insert into events {row} from events limit 1")
    before = database.stat()
    done = logkit("prune", "--older-than", "30d", "--db", str(database))
    assert "removed 1 events" in done.stderr
    assert numbers(database) == list(range(10, 20))
    assert database.stat().st_size <= before.st_size


def test_other_programs_still_read_it(database: Path) -> None:
    """The new file has the macros, so that any DuckDB shell can run the canned queries."""
    logkit("prune", "--older-than", "30d", "--db", str(database))
    with duckdb.connect(str(database), read_only=True) as connection:
        rows = connection.execute("select count(lk_bucket(60, timestamp)) from events").fetchall()
    assert rows == [(10,)]


@pytest.mark.parametrize(
    ("words", "code", "complaint"),
    [
        (["--older-than", "soon"], 2, "no duration"),
        (["--older-than", "110000w"], 2, "before the year 1"),
        (["--older-than", "30d", "--db", "nowhere.duckdb"], 1, "no database at nowhere.duckdb"),
    ],
    ids=["no duration", "before the year 1", "no database"],
)
def test_bad_words_are_one_clear_error(words: list[str], code: int, complaint: str) -> None:
    """The exit code says whose fault it is, and stderr what to do."""
    done = logkit("prune", *words)
    assert done.returncode == code
    assert complaint in done.stderr
    assert "Traceback" not in done.stderr


def test_a_running_follow_loses_nothing(tmp_path: Path) -> None:
    """Old rows go while new ones come in; follow goes on in the new file."""
    log, path = tmp_path / "bot.log", tmp_path / "logs.duckdb"
    log.write_text("".join(line(number, days_ago=40) for number in range(500)))
    follower = subprocess.Popen([LOGKIT, "follow", str(log), "--db", str(path)])
    try:
        wait_until(path.exists, "the database is made")
        wait_until(lambda: len(numbers(path)) == 500, "all old lines are stored")
        with log.open("a") as out:
            for number in range(500, 1500):
                out.write(line(number, days_ago=0))
                out.flush()
                if number == 900:
                    done = logkit("prune", "--older-than", "30d", "--db", str(path))
                    assert done.returncode == 0, done.stderr
        wait_until(lambda: len(numbers(path)) == 1000, "the new lines alone are stored")
    finally:
        follower.send_signal(signal.SIGTERM)
        assert follower.wait(timeout=60) == 0
    assert numbers(path) == list(range(500, 1500))
