"""How long a written line takes until a query sees it, against what we promise.

``python -m benchmarks.follow DATABASE`` measures it with a database that exists, a big one say.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from statistics import quantiles
from typing import TYPE_CHECKING

from logkit_analysis.store.access import DatabaseMissingError
from logkit_analysis.store.database import reading

from benchmarks.figures import Figure

if TYPE_CHECKING:
    from collections.abc import Iterator

_SECONDS = 30.0
_LINES_PER_SECOND = 2_000
_STEP_S = 0.01
# What was measured before with the same database must not look like a copy of it.
_RUN = time.time_ns()
_LINE = (
    '{"timestamp":"2026-03-19T10:00:00.123Z","level":"info","service":"bot","event":"api_call",'
    '"endpoint":"/guilds/{guild_id}","method":"POST","status_code":200,"duration_ms":12.5,'
    '"logger":"bot.api",'
    f'"instance":"{_RUN:x}",'
    '"host":"worker-1","pid":4711,"seq":%d}\n'
)
_PROMISED_MEDIAN_S = 0.5
_PROMISED_P99_S = 1.0
_DEADLINE_S = 60.0


def measure(folder: Path, scale: float, database: Path | None = None) -> list[Figure]:
    """Return median and 99th percentile from written to visible at 2,000 lines a second.

    The clock starts once a first line is visible: what a start takes is another figure.

    Args:
        folder: Where logs and databases may be made.
        scale: Factor to the usual length of the measurement.
        database: One that exists and gets the lines; ``None`` for a new one.
    """
    log, database = folder / "bot.log", database or folder / "logs.duckdb"
    log.write_text(_LINE % -1)
    before, size = _visible(database) + 1, database.stat().st_size if database.exists() else 0
    written: list[float] = []
    writer = threading.Thread(target=_write, args=(log, max(1.0, _SECONDS * scale), written))
    words = [
        str(Path(sys.executable).with_name("logkit")),
        "follow",
        str(log),
        "--db",
        str(database),
    ]
    follower = subprocess.Popen(words, stderr=subprocess.DEVNULL)
    try:
        while _visible(database) < before and follower.poll() is None:
            time.sleep(_STEP_S)
        writer.start()
        waits = sorted(_waits(database, before, written, writer))
        writer.join()
    finally:
        follower.send_signal(signal.SIGTERM)
        follower.wait()
    cuts = quantiles(waits, n=100)
    what = (
        f"written to visible in SQL, {_LINES_PER_SECOND:,} lines/s, {len(written):,} lines, "
        f"into {size / 1e9:.1f} GB"
    )
    return [
        Figure(f"{what}, median", "s", cuts[49], "the promise", _PROMISED_MEDIAN_S),
        Figure(f"{what}, 99th percentile", "s", cuts[98], "the promise", _PROMISED_P99_S),
    ]


def _write(log: Path, seconds: float, written: list[float]) -> None:
    """Write lines at an even pace; note when each was written."""
    started = time.monotonic()
    with log.open("a", buffering=1) as out:
        while (now := time.monotonic()) < started + seconds:
            due = int((now - started) * _LINES_PER_SECOND) - len(written)
            for _ in range(due):
                out.write(_LINE % len(written))
                written.append(time.monotonic())
            time.sleep(_STEP_S)


def _waits(
    database: Path, before: int, written: list[float], writer: threading.Thread
) -> Iterator[float]:
    """Look again and again how many lines are visible; yield what each of them had to wait."""
    seen = 0
    deadline = time.monotonic() + _DEADLINE_S + _SECONDS
    while time.monotonic() < deadline and (writer.is_alive() or seen < len(written)):
        count = _visible(database) - before
        now = time.monotonic()
        yield from (now - moment for moment in written[seen:count])
        seen = max(seen, count)
        time.sleep(_STEP_S)


def _visible(database: Path) -> int:
    try:
        with reading(database) as connection:
            return int(connection.execute("select count(*) from events").fetchall()[0][0])
    except DatabaseMissingError:
        return 0


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        for figure in measure(Path(name), 1.0, Path(sys.argv[1])):
            print(figure)
