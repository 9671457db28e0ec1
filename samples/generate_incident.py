"""Write the sample incident and its truth: ``generate_incident.py --output DIR [--seed N]``."""

from __future__ import annotations

import argparse
from pathlib import Path

from logkit_analysis.demo.incident import write_incident


def main() -> None:
    """Write the files and say on stdout how many lines they hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, required=True, help="directory for the files")
    parser.add_argument("--seed", type=int, default=7, help="same seed, same bytes (default 7)")
    options = parser.parse_args()
    truth = write_incident(options.output, seed=options.seed)
    print(f"{truth.lines} lines in {len(truth.files)} files, truth.json: {options.output}")


if __name__ == "__main__":
    main()
