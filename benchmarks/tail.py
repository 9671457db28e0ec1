"""What it costs to watch a fast log for what is rare, beside ``tail -F`` with a filter.

``python -m benchmarks.tail`` measures this alone.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles
from typing import IO, TYPE_CHECKING

import psutil

from benchmarks.figures import Figure

if TYPE_CHECKING:
    from collections.abc import Sequence

_SECONDS = 15.0
_LINES_PER_SECOND = 20_000
_RARE = 100
_STEP_S = 0.01
_PROMISED_LAG_S = 1.0
_PROMISED_MB = 300.0
_LONGEST_WAIT_S = 60.0
_NUMBER = re.compile(rb"line (-?\d+)")
_LINE = (
    '{"timestamp":"2026-03-19T10:00:00.123Z","level":"%s","service":"bot","event":"%s",'
    '"endpoint":"/channels/{channel_id}/messages","method":"POST","status_code":200,'
    '"duration_ms":12.5,"correlation_id":"0123456789abcdef","guild_id":"81384788765712384",'
    '"user_id":"80351110224678912","logger":"bot.api","instance":"1f2e3d4c5b6a","pid":4711,'
    '"host":"worker-1","version":"2.5.0","message":"line %d"}\n'
)


@dataclass(slots=True)
class _Watched:
    """How somebody watched.

    Attributes:
        cpu_s: CPU time of all processes.
        peak_mb: Most memory of one of them.
        waits: Seconds from written to shown, of each line shown.
    """

    cpu_s: float
    peak_mb: float
    waits: list[float] = field(default_factory=list)


def measure(folder: Path, scale: float) -> list[Figure]:
    """Return CPU, lag and memory of ``logkit tail -l error`` at 20,000 lines a second.

    Args:
        folder: Where logs may be made.
        scale: Factor to the usual length of the measurement.
    """
    seconds = max(2.0, _SECONDS * scale)
    logkit = str(Path(sys.executable).with_name("logkit"))
    ours = _watch(folder / "ours.log", seconds, [logkit, "tail", "-l", "error", "-n", "9"])
    what = f"tail with a filter, {_LINES_PER_SECOND:,} lines/s for {seconds:.0f} s"
    cuts = quantiles(ours.waits, n=100)
    figures = [
        Figure(f"{what}, written to shown, p99", "s", cuts[98], "our limit", _PROMISED_LAG_S),
        Figure(f"{what}, memory", "MB", ours.peak_mb, "our limit", _PROMISED_MB),
        Figure(f"{what}, CPU", "s", ours.cpu_s, "one core", seconds),
    ]
    if shutil.which("jq") is not None:
        peer = ["jq", "--unbuffered", "-c", 'select(.level == "error")']
        theirs = _watch(folder / "theirs.log", seconds, ["tail", "-n", "9", "-F"], peer)
        figures.append(Figure(f"{what}, CPU", "s", ours.cpu_s, "tail -F | jq", theirs.cpu_s))
    return figures


def _watch(log: Path, seconds: float, words: Sequence[str], then: Sequence[str] = ()) -> _Watched:
    """Let *words* watch *log* while it is written, their output going through *then*."""
    log.write_text(_LINE % ("error", "service_started", -1))
    watcher = subprocess.Popen(
        [*words, str(log)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    processes = [watcher]
    if then:
        processes.append(subprocess.Popen(list(then), stdin=watcher.stdout, stdout=subprocess.PIPE))
    shown: dict[int, float] = {}
    reader = threading.Thread(target=_read, args=(processes[-1].stdout, shown), daemon=True)
    reader.start()
    try:
        _wait_for(-1, shown)
        written = _write(log, seconds)
        _wait_for(max(written), shown)
        return _seen(processes, [shown[number] - at for number, at in written.items()])
    finally:
        for process in processes:
            process.terminate()
            process.wait()


def _seen(processes: Sequence[subprocess.Popen[bytes]], waits: list[float]) -> _Watched:
    known = [psutil.Process(process.pid) for process in processes]
    cpu_s = sum(one.cpu_times().user + one.cpu_times().system for one in known)
    status = [Path(f"/proc/{one.pid}/status").read_text() for one in known]
    peaks = [int(text.partition("VmHWM:")[2].split()[0]) / 1024 for text in status]
    return _Watched(cpu_s, max(peaks), waits)


def _write(log: Path, seconds: float) -> dict[int, float]:
    """Write lines at an even pace; return when each of the rare ones was written."""
    rare: dict[int, float] = {}
    started, count = time.monotonic(), 0
    with log.open("a") as out:
        while (now := time.monotonic()) < started + seconds:
            due = int((now - started) * _LINES_PER_SECOND)
            numbers = range(count, due)
            out.writelines(
                _LINE % ("info" if number % _RARE else "error", "api_call", number)
                for number in numbers
            )
            out.flush()
            written = time.monotonic()
            rare.update((number, written) for number in numbers if not number % _RARE)
            count = due
            time.sleep(_STEP_S)
    return rare


def _read(stream: IO[bytes], shown: dict[int, float]) -> None:
    """Note when each line of *stream* came, by its number."""
    for line in stream:
        if found := _NUMBER.search(line):
            shown[int(found[1])] = time.monotonic()


def _wait_for(number: int, shown: dict[int, float]) -> None:
    deadline = time.monotonic() + _LONGEST_WAIT_S
    while number not in shown:
        if time.monotonic() > deadline:
            raise TimeoutError(f"line {number} was not shown")
        time.sleep(_STEP_S)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        print(*measure(Path(name), 1.0), sep="\n")
