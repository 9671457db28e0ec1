"""What reading log files costs, against what reads JSON lines without any guarantee.

Every reader is a process of its own; they take turns on the same file. DuckDB's ``read_json``
with its columns given is the limit: it keeps neither bad lines nor positions nor unknown keys.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from random import Random
from statistics import median
from typing import TYPE_CHECKING

import orjson

from benchmarks.figures import Figure

if TYPE_CHECKING:
    from pathlib import Path

_LINES = 2_000_000
_DISTINCT_LINES = 100_000
_MEMORY_LINES = (3_000_000, 10_000_000)
_ROUNDS = 3
_PEERS = {
    "read_json_given": "DuckDB read_json, columns given",
    "read_json_auto": "DuckDB read_json_auto",
    "pyarrow_json": "pyarrow.json",
    "polars_ndjson": "polars read_ndjson",
    "orjson_loop": "a Python loop over orjson",
}


@dataclass(frozen=True, slots=True)
class Cost:
    """What one reader took: seconds of wall and CPU time, and memory at its peak."""

    wall_s: float
    cpu_s: float
    peak_mb: float


def measure(folder: Path, scale: float) -> list[Figure]:
    """Return wall time against every peer, CPU time against the limit, and memory's growth."""
    log = folder / "bot.log"
    lines = write_log(log, max(1_000, int(_LINES * scale)))
    rounds = [
        {name: _run(name, log, folder) for name in ("logkit_ingest", *_PEERS)}
        for _ in range(_ROUNDS)
    ]
    what = f"ingest of {lines:,} lines, {log.stat().st_size / 1e6:.0f} MB"
    figures = [
        Figure(f"{what}, wall", "s", _wall(rounds, "logkit_ingest"), peer, _wall(rounds, name))
        for name, peer in _PEERS.items()
    ]
    cpu = [median(r[name].cpu_s for r in rounds) for name in ("logkit_ingest", "read_json_given")]
    figures.append(Figure(f"{what}, CPU", "s", cpu[0], _PEERS["read_json_given"], cpu[1]))
    return [*figures, _memory(log, folder, scale)]


def _memory(log: Path, folder: Path, scale: float) -> Figure:
    """Return the peak memory of the larger of two ingests, against that of the smaller."""
    counts, peaks = [], []
    for count in _MEMORY_LINES:
        counts.append(write_log(log, max(1_000, int(count * scale))))
        peaks.append(_run("logkit_ingest", log, folder).peak_mb)
    what = f"peak memory of ingest, {counts[1]:,} lines"
    return Figure(what, "MB", peaks[1], f"{counts[0]:,} lines", peaks[0])


def write_log(path: Path, count: int) -> int:
    """Write *count* lines of about 350 bytes as a bot writes them; return *count*."""
    rng = Random(1)
    block = [_line(rng, number) for number in range(min(count, _DISTINCT_LINES))]
    with path.open("wb") as out:
        for begun in range(0, count, len(block)):
            out.writelines(block[: count - begun])
    return count


def _line(rng: Random, number: int) -> bytes:
    seconds = number % 86_400
    clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    event: dict[str, object] = {
        "timestamp": f"2026-03-19T{clock}.{rng.randrange(1000):03}Z",
        "level": rng.choice(["info", "info", "info", "warning", "error"]),
        "service": "bot-worker",
        "event": "api_call",
        "correlation_id": f"{rng.getrandbits(64):016x}",
        "endpoint": rng.choice(["/channels/{channel_id}/messages", "/guilds/{guild_id}"]),
        "method": "POST",
        "status_code": rng.choice([200, 200, 200, 429, 500]),
        "duration_ms": round(rng.lognormvariate(4, 1), 2),
        "user_id": str(rng.getrandbits(60)),
        "logger": "bot.api",
        "instance": "8f6642607ae6",
        "pid": 4711,
        "host": "worker-1",
        "seq": number,
    }
    if number % 4 == 0:
        event["cache_hit"] = True
    return orjson.dumps(event, option=orjson.OPT_APPEND_NEWLINE)


def _run(reader: str, log: Path, folder: Path) -> Cost:
    for old in folder.glob("*.duckdb*"):
        old.unlink()
    words = [sys.executable, "-m", "benchmarks.readers", reader, str(log), str(folder)]
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    wall = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(wall, cpu, int(done.stdout.split()[-1]) / 1024)


def _wall(rounds: list[dict[str, Cost]], reader: str) -> float:
    return median(costs[reader].wall_s for costs in rounds)
