"""What ``logkit follow`` says of itself, while it runs and when it is asked."""

from __future__ import annotations

import gzip
import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.e2e.following import LOGKIT, Follower, append, wait_until

if TYPE_CHECKING:
    from tests.e2e.following import Ledger


def status(follower: Follower, *paths: Path) -> tuple[list[dict[str, Any]], str]:
    """Return the rows of ``follow --status``, and what it says about them."""
    words = [LOGKIT, "follow", "--status", "--format", "json", "--db", str(follower.database)]
    words += map(str, paths)
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), done.stderr


def test_it_says_now_and_then_how_far_it_is(
    follower: Follower, ledger: Ledger, log: Path, tmp_path: Path
) -> None:
    """Files, rows, rate, rejects, and which file is behind; nothing while nothing happens."""
    append(log, ledger.lines(20) + b"{")
    append(log.with_name("other.log"), ledger.lines(20))
    follower.start(log.parent, pace=0.01)
    behind = f"1 bytes behind: {log} is read to byte {log.stat().st_size - 1:,}"
    wait_until(lambda: behind in follower.said, "it says what is behind")
    append(log, b"}\n")
    wait_until(lambda: "nothing left to read" in follower.said, "it says that it is done")
    *_, last = (line for line in follower.said.splitlines() if "a second" in line)
    assert last.startswith("2 files: 37 new rows (")
    assert "4 lines rejected" in last
    said = follower.said
    wait_until(lambda: _has_worked(follower, tmp_path), "it has looked many times")
    assert follower.said == said


def _has_worked(follower: Follower, tmp_path: Path) -> bool:
    """Return whether the process has got CPU time for a while since this was first asked."""
    words = (tmp_path / f"/proc/{follower.pid}/stat").read_text().rpartition(")")[2].split()
    now = int(words[11]) + int(words[12])
    before = vars(follower).setdefault("ticks", now)
    return bool(now - before >= 3)


def test_status_shows_position_lag_and_rejects(
    follower: Follower, ledger: Ledger, log: Path
) -> None:
    """From the store alone: a row per stream, a line for all of them, and who writes."""
    append(log, ledger.lines(10) + b"12345")
    follower.start(log)
    follower.wait_for(ledger)
    ((row,), said) = status(follower)
    assert row["file"] == str(log)
    assert (row["position_bytes"], row["lag_bytes"]) == (log.stat().st_size - 5, 5)
    assert row["rejects"] == 1
    assert row["lines_per_s"] > 0
    assert said.startswith("1 stream, 5 bytes behind, 0.1 lines/s, 1 lines rejected; written by ")
    assert f"written by logkit follow (PID {follower.pid}) just now" in said


def test_status_knows_no_lag_of_what_is_gone(follower: Follower, ledger: Ledger, log: Path) -> None:
    """A deleted file, one that was truncated or compressed: its size says nothing any more."""
    logs = [log.with_name(f"{name}.log") for name in ("deleted", "truncated", "packed")]
    for path in logs:
        append(path, ledger.lines(100))
    follower.start(*logs)
    follower.wait_for(ledger)
    follower.stop()
    logs[0].unlink()
    logs[1].write_bytes(ledger.lines(200))
    logs[2].write_bytes(gzip.compress(logs[2].read_bytes() + b"{}\n" * 999, 0))
    follower.start(logs[1])
    follower.wait_for(ledger)
    rows, said = status(follower)
    assert sorted((row["file"], row["lag_bytes"]) for row in rows if row["lag_bytes"] is not None)
    lags = {(row["file"], row["position_bytes"]): row["lag_bytes"] for row in rows}
    assert lags.pop((str(logs[1]), logs[1].stat().st_size)) == 0
    assert {*lags.values()} == {None}
    assert "4 streams, 0 bytes behind" in said


def test_an_empty_status_says_why(follower: Follower, log: Path) -> None:
    """Nothing there yet, nobody reads, or nobody ever did."""
    words = [LOGKIT, "follow", "--status", "--db", str(follower.database)]
    done = subprocess.run(words, capture_output=True, text=True)
    assert (done.returncode, f"no database at {follower.database}" in done.stderr) == (1, True)
    follower.start(log)
    wait_until(follower.database.exists, "the database is made")
    assert "no file had a whole line so far; written by logkit follow" in status(follower)[1]
    follower.stop()
    assert (
        "no file had a whole line; no ingest or follow runs, the last began"
        in (status(follower)[1])
    )


def test_status_tells_a_rotated_file_from_its_successor(
    follower: Follower, ledger: Ledger, log: Path
) -> None:
    """The old one goes by its new name; files, folders and globs choose what is shown."""
    rotated, other = log.with_name(f"{log.name}.1"), log.with_name("other.log")
    append(log, ledger.lines(10))
    append(other, ledger.lines(10))
    follower.start(log, other)
    follower.wait_for(ledger)
    follower.stop()
    log.rename(rotated)
    append(log, ledger.lines(10))
    follower.start(log, other)
    follower.wait_for(ledger)
    follower.stop()
    append(rotated, b"123")
    rows, said = status(follower, log)
    found = {(row["file"], row["state"], row["lag_bytes"]) for row in rows}
    assert found == {(str(log), "there", 0), (str(rotated), "there", 3)}
    assert said.startswith("2 streams, 3 bytes behind")
    assert len(status(follower, log.parent)[0]) == 3
    assert len(status(follower, log.parent / "o*.log")[0]) == 1
    other.unlink()
    ((gone,), _) = status(follower, other)
    assert (gone["state"], gone["lag_bytes"]) == ("gone", None)
    assert f"nothing is stored of {log}.none; no " in status(follower, Path(f"{log}.none"))[1]
