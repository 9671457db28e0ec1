"""Text logs while ``logkit follow`` reads them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tests.e2e.following import append, wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.following import Follower

HEAD = b"2026-03-19 10:00:0%d,123 - bot - ERROR - failed %d\n"
TRACE = (
    b"Traceback (most recent call last):\n",
    b'  File "/srv/bot.py", line 1, in f\n',
    b"    raise ValueError\n",
    b"ValueError: no\n",
)
COUNT = "select count(*) from events"
QUERY = "select message, error_type, source_offset from events order by source_offset"


def _wait_for(follower: Follower, query: str, expected: list[tuple[object, ...]]) -> None:
    def is_there() -> bool:
        return follower.database.exists() and follower.rows(query) == expected

    wait_until(is_there, f"{query} finds {expected}")


def test_a_record_written_in_pieces_is_one(follower: Follower, log: Path) -> None:
    """The last record waits for what may continue it; silence ends it."""
    log.write_bytes(HEAD % (1, 1))
    follower.start(log, pace=3)
    for piece in TRACE:
        time.sleep(0.4)
        append(log, piece)
    second = log.stat().st_size
    append(log, HEAD % (2, 2))
    _wait_for(follower, QUERY, [("failed 1", "ValueError", 0), ("failed 2", None, second)])
    assert "read as python-dash (100% sure: 1 of 1 sampled lines)" in follower.said
    assert follower.rows("select count(*) from quarantine") == [(0,)]


def test_the_format_survives_a_restart(follower: Follower, log: Path) -> None:
    """What a log was found to be holds after the process was killed."""
    log.write_bytes(HEAD % (1, 1))
    follower.start(log)
    _wait_for(follower, COUNT, [(1,)])
    follower.kill()
    append(log, b"what is this\n")
    follower.start(log)
    rejects = "select reason, raw from quarantine"
    _wait_for(follower, rejects, [("no_format: python-dash", b"what is this")])
    append(log, HEAD % (2, 2))
    _wait_for(follower, COUNT, [(2,)])
    assert "read as" not in follower.said
