"""What reading log files costs, against what reads JSON lines without any guarantee.

``python -m benchmarks.ingest [--lines N] [--memory-lines N ...] [--rounds N]``. Every reader is a
process of its own; they take turns on the same file. DuckDB's ``read_json``, given the columns that
the log has, is the limit: it keeps neither bad lines nor positions nor unknown keys. Given all
columns of our table it writes the same rows as ours.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from random import Random
from statistics import median
from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    from collections.abc import Sequence

_LINES = 2_000_000
_MEMORY_LINES = (3_000_000, 10_000_000)
_ROUNDS = 3
_DISTINCT_LINES = 100_000
_OURS = "logkit_ingest"
_LIMIT = "read_json_given"
_READERS = {
    _OURS: "logkit, with all guarantees",
    _LIMIT: "read_json, its columns given",
    "read_json_all": "read_json, all columns of ours",
    "read_json_auto": "read_json_auto",
    "clickhouse_typed": "ClickHouse, columns given",
    "pyarrow_json": "pyarrow.json",
    "polars_ndjson": "polars read_ndjson",
    "orjson_loop": "a Python loop over orjson",
}
_LEFT_OUT = {} if find_spec("chdb") else {"clickhouse_typed": "pip install chdb (500 MB) adds it"}
_AIM = "aim: wall at most 1.4 times the limit, memory at most 700 MB however long the log is"


@dataclass(frozen=True, slots=True)
class Cost:
    """What one reader took: seconds of wall and CPU time, and memory at its peak."""

    wall_s: float
    cpu_s: float
    peak_mb: float


@dataclass(frozen=True, slots=True)
class IngestTable:
    """What every reader took for the same log.

    Attributes:
        what: The work, with its size.
        costs: Of each reader the median of all rounds.
        peaks_mb: Peak memory of ours by the number of lines, for longer logs.
    """

    what: str
    costs: dict[str, Cost]
    peaks_mb: dict[int, float]

    def __str__(self) -> str:
        heading = f"    {'':33}{'wall s':>8}{'times':>8}{'CPU s':>8}{'times':>8}{'peak MB':>9}"
        lines = [self._line(name) for name in _READERS]
        more = [
            f"    {f'logkit, {count:,} lines':33}{peak:41.0f}"
            for count, peak in self.peaks_mb.items()
        ]
        return "\n".join([f"{self.what}; {_AIM}", heading, *lines, *more])

    def _line(self, name: str) -> str:
        if name in _LEFT_OUT:
            return f"    {_READERS[name]:33}  left out: {_LEFT_OUT[name]}"
        cost, limit = self.costs[name], self.costs[_LIMIT]
        return (
            f"    {_READERS[name]:33}{cost.wall_s:8.2f}{cost.wall_s / limit.wall_s:8.2f}"
            f"{cost.cpu_s:8.2f}{cost.cpu_s / limit.cpu_s:8.2f}{cost.peak_mb:9.0f}"
        )


def measure(
    folder: Path,
    scale: float,
    *,
    lines: int = _LINES,
    memory_lines: Sequence[int] = _MEMORY_LINES,
    rounds: int = _ROUNDS,
) -> list[IngestTable]:
    """Return the table: all readers on *lines* lines, and our memory at *memory_lines*."""
    log = folder / "bot.log"
    count = write_log(log, max(1_000, int(lines * scale)))
    what = f"ingest of {count:,} lines, {log.stat().st_size / 1e6:,.0f} MB, median of {rounds}"
    names = [name for name in _READERS if name not in _LEFT_OUT]
    taken = [{name: _run(name, log) for name in names} for _ in range(rounds)]
    costs = {name: _median([costs[name] for costs in taken]) for name in names}
    peaks_mb = {}
    for longer in memory_lines:
        count = write_log(log, max(1_000, int(longer * scale)))
        peaks_mb[count] = _run(_OURS, log).peak_mb
    return [IngestTable(what, costs, peaks_mb)]


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


def _run(reader: str, log: Path) -> Cost:
    with tempfile.TemporaryDirectory(dir=log.parent) as folder:
        words = [sys.executable, "-m", "benchmarks.readers", reader, str(log), folder]
        before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        done = subprocess.run(words, capture_output=True, text=True, check=True)
        wall = time.perf_counter() - started
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(wall, cpu, int(done.stdout.split()[-1]) / 1024)


def _median(costs: Sequence[Cost]) -> Cost:
    return Cost(
        median(cost.wall_s for cost in costs),
        median(cost.cpu_s for cost in costs),
        median(cost.peak_mb for cost in costs),
    )


def main() -> None:
    """Measure with the sizes of the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ingest", description=__doc__)
    parser.add_argument("--lines", type=int, default=_LINES)
    parser.add_argument("--memory-lines", type=int, nargs="*", default=_MEMORY_LINES)
    parser.add_argument("--rounds", type=int, default=_ROUNDS)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(*measure(Path(folder), 1.0, **vars(asked)))


if __name__ == "__main__":
    main()
