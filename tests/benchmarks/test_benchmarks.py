"""The benchmarks run; what they measure depends on the machine."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_figure_names_its_peer_and_the_ratio() -> None:
    """Each benchmark prints its work, both costs and the ratio."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--scale", "0.003"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    lines = done.stdout.splitlines()
    assert len(lines) > 20
    assert all("logkit" in line and " times" in line for line in lines[1::2])
