"""``python -m benchmarks [--scale F]``: measure, and print every figure beside its peer."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks import follow, ingest, leaks, logging, queries, report, signals, startup, tail


def main(arguments: list[str] | None = None) -> int:
    """Run every benchmark; *scale* makes the work smaller or larger than usual."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="size of the work (default 1)")
    scale = parser.parse_args(arguments).scale
    for module in (logging, signals, ingest, queries, report, leaks, follow, tail, startup):
        with tempfile.TemporaryDirectory() as folder:
            print(*module.measure(Path(folder), scale), sep="\n", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
