"""How long a written line takes until a query sees it, against what we promise."""

from __future__ import annotations

import signal
import subprocess
import sys
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
_PROMISED_MEDIAN_S = 0.5
_PROMISED_P99_S = 1.0
_DEADLINE_S = 60.0


def measure(folder: Path, scale: float) -> list[Figure]:
    """Return median and 99th percentile from written to visible at 2,000 lines a second."""
    log, database = folder / "bot.log", folder / "logs.duckdb"
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
        writer.start()
        waits = sorted(_waits(database, written, writer))
    finally:
        writer.join()
        follower.send_signal(signal.SIGTERM)
        follower.wait()
    cuts = quantiles(waits, n=100)
    what = f"written to visible in SQL, {_LINES_PER_SECOND:,} lines/s, {len(written):,} lines"
    return [
        Figure(f"{what}, median", "s", cuts[49], "the promise", _PROMISED_MEDIAN_S),
        Figure(f"{what}, 99th percentile", "s", cuts[98], "the promise", _PROMISED_P99_S),
    ]


def _write(log: Path, seconds: float, written: list[float]) -> None:
    """Write lines at an even pace; note when each was written."""
    started = time.monotonic()
    with log.open("w", buffering=1) as out:
        while (now := time.monotonic()) < started + seconds:
            due = int((now - started) * _LINES_PER_SECOND) - len(written)
            for _ in range(due):
                out.write(f'{{"level":"info","event":"tick","seq":{len(written)}}}\n')
                written.append(time.monotonic())
            time.sleep(_STEP_S)


def _waits(database: Path, written: list[float], writer: threading.Thread) -> Iterator[float]:
    """Look again and again how many lines are visible; yield what each of them had to wait."""
    seen = 0
    deadline = time.monotonic() + _DEADLINE_S + _SECONDS
    while time.monotonic() < deadline and (writer.is_alive() or seen < len(written)):
        count = _visible(database)
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
