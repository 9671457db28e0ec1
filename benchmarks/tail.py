"""What it costs to watch a fast log: for what is rare beside ``tail -F``, and on the full screen.

``python -m benchmarks.tail`` measures this alone.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles
from typing import TYPE_CHECKING

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
# With 50,000 lines to go back to.
_PROMISED_SCREEN_MB = 400.0
_ROWS, _COLUMNS = 50, 200
_SIZES = frozenset(("LINES", "COLUMNS"))
_LONGEST_NUMBER_BYTES = 32
_LONGEST_WAIT_S = 60.0
_NUMBER = re.compile(rb"line (-?\d+)(?!\d|\Z)")
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
        waits: Seconds from written to shown, of each of the rare lines that was to be seen.
    """

    cpu_s: float
    peak_mb: float
    waits: list[float] = field(default_factory=list)


def measure(folder: Path, scale: float) -> list[Figure]:
    """Return CPU, lag and memory of ``logkit tail`` at 20,000 lines a second.

    Args:
        folder: Where logs may be made.
        scale: Factor to the usual length of the measurement.
    """
    seconds = max(1.0, _SECONDS * scale)
    at_pace = f"{_LINES_PER_SECOND:,} lines/s for {seconds:.0f} s"
    logkit = str(Path(sys.executable).with_name("logkit"))
    ours = _watch(folder / "ours.log", seconds, [logkit, "tail", "-l", "error", "-n", "9"])
    what = f"tail with a filter, {at_pace}"
    figures = _figures(what, ours, seconds, _PROMISED_MB)
    if shutil.which("jq") is not None:
        peer = ["jq", "--unbuffered", "-c", 'select(.level == "error")']
        theirs = _watch(folder / "theirs.log", seconds, ["tail", "-n", "9", "-F"], peer)
        figures.append(Figure(f"{what}, CPU", "s", ours.cpu_s, "tail -F | jq", theirs.cpu_s))
    most = [logkit, "tail", "-l", "info", "-f", "status_code=200"]
    screen = _watch(folder / "screen.log", seconds, most, has_screen=True)
    what = f"tail on the full screen, all lines match, {at_pace}"
    return [*figures, *_figures(what, screen, seconds, _PROMISED_SCREEN_MB)]


def _figures(what: str, seen: _Watched, seconds: float, most_mb: float) -> list[Figure]:
    p99_s = quantiles(seen.waits, n=100)[98]
    return [
        Figure(f"{what}, written to shown, p99", "s", p99_s, "our limit", _PROMISED_LAG_S),
        Figure(f"{what}, memory", "MB", seen.peak_mb, "our limit", most_mb),
        Figure(f"{what}, CPU", "s", seen.cpu_s, "one core", seconds),
    ]


def _watch(
    log: Path,
    seconds: float,
    words: Sequence[str],
    then: Sequence[str] = (),
    *,
    has_screen: bool = False,
) -> _Watched:
    """Let *words* watch *log* while it is written, their output going through *then*."""
    log.write_text(_LINE % ("error", "service_started", -1))
    start = _on_screen if has_screen else _in_pipe
    processes, output = start([*words, str(log)], then)
    shown: dict[int, float] = {}
    reader = threading.Thread(target=_read, args=(output, shown), daemon=True)
    reader.start()
    try:
        _wait_for(-1, shown)
        written = _write(log, seconds)
        _wait_for(max(written), shown)
        waits = [shown[number] - at for number, at in written.items() if number in shown]
        return _seen(processes, waits)
    finally:
        for process in processes:
            process.terminate()
            process.wait()
        reader.join()
        os.close(output)


def _in_pipe(
    words: Sequence[str], then: Sequence[str]
) -> tuple[list[subprocess.Popen[bytes]], int]:
    """Start *words*, piped into *then*; return the processes and where their output is read."""
    reader, writer = os.pipe()
    last = writer if not then else subprocess.PIPE
    processes = [subprocess.Popen(words, stdout=last, stderr=subprocess.DEVNULL)]
    if then:
        processes.append(subprocess.Popen(then, stdin=processes[0].stdout, stdout=writer))
    os.close(writer)
    return processes, reader


def _on_screen(
    words: Sequence[str], then: Sequence[str]
) -> tuple[list[subprocess.Popen[bytes]], int]:
    """Start *words* in a terminal; return the process and where what is drawn is read."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", _ROWS, _COLUMNS, 0, 0))
    unsized = {name: value for name, value in os.environ.items() if name not in _SIZES}
    process = subprocess.Popen(
        [*words, *then],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**unsized, "TERM": "xterm-256color"},
        start_new_session=True,
    )
    os.close(theirs)
    return [process], ours


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
        out.write(_LINE % ("error", "api_call", count))
        rare[count] = time.monotonic()
    return rare


def _read(output: int, shown: dict[int, float]) -> None:
    """Note when each line came first, by its number, until nobody writes any more."""
    rest = b""
    # A terminal that was left is an error, not an end.
    with suppress(OSError):
        while data := os.read(output, 1 << 16):
            now = time.monotonic()
            for number in _NUMBER.findall(rest + data):
                shown.setdefault(int(number), now)
            rest = data[-_LONGEST_NUMBER_BYTES:]


def _wait_for(number: int, shown: dict[int, float]) -> None:
    deadline = time.monotonic() + _LONGEST_WAIT_S
    while number not in shown:
        if time.monotonic() > deadline:
            raise TimeoutError(f"line {number} was not shown")
        time.sleep(_STEP_S)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        print(*measure(Path(name), 1.0), sep="\n")
