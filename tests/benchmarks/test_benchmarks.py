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
    figures, table = [], []
    for line in done.stdout.splitlines():
        if not line.startswith(" "):
            is_table = line.startswith("ingest of ")
        elif is_table:
            table.append(line)
        else:
            figures.append(line)
    assert len(figures) > 10
    assert all("logkit" in line and " times" in line for line in figures)
    heading, ours, limit, *peers = table
    assert heading.split() == ["wall", "s", "times", "CPU", "s", "times", "peak", "MB"]
    assert "logkit, with all guarantees" in ours
    assert limit.split()[-4] == limit.split()[-2] == "1.00"
    for peer in ("read_json_auto", "ClickHouse", "pyarrow", "polars", "orjson", "logkit, 30,000"):
        assert any(peer in line for line in peers)
