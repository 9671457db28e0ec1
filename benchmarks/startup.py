"""What ``logkit --help`` costs: the wait of everybody who looks up an option.

``python -m benchmarks.startup`` measures this alone.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.figures import Figure, compare

_PROMISED_S = 0.15
_ROUNDS = 10
_SMALLEST = "import typer; app = typer.Typer(rich_markup_mode=None); app.command()(print); app()"


def measure(folder: Path, scale: float) -> list[Figure]:
    """Return the CPU time of ``logkit --help`` beside that of a Typer program without options.

    Args:
        folder: Where the programs are started.
        scale: Factor to the usual number of rounds.
    """

    def help_of(*program: str) -> float:
        return _cpu_seconds([sys.executable, *program, "--help"], folder)

    ours, smallest = compare(
        lambda: help_of("-m", "logkit_analysis"),
        lambda: help_of("-c", _SMALLEST),
        max(1, round(_ROUNDS * scale)),
    )
    return [
        Figure("logkit --help, CPU", "s", ours, "our limit", _PROMISED_S, aim=1.0),
        Figure("logkit --help, CPU", "s", ours, "a Typer program of one line", smallest),
    ]


def _cpu_seconds(command: list[str], folder: Path) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, capture_output=True, cwd=folder)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        print(*measure(Path(made), 1.0), sep="\n")
