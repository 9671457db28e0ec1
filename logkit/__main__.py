"""``python -m logkit``: what needs no more than the base install."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from logkit.counters import Counters
from logkit.schema import json_schema
from logkit.sinks.opening import open_output
from logkit.sinks.recovery import recover
from logkit.sinks.ring_files import default_directories, left_behind


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code: 0, or 1 if not all could be done."""
    parser = argparse.ArgumentParser(prog="python -m logkit", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("schema", help="print the JSON Schema of an event")
    recovery = commands.add_parser(
        "recover", help="write out the events that dead processes had accepted"
    )
    recovery.add_argument(
        "--ring-dir", type=Path, help="where they kept their rings (default: shared memory)"
    )
    chosen = parser.parse_args(arguments)
    if chosen.command == "recover":
        return _recover(default_directories() if chosen.ring_dir is None else [chosen.ring_dir])
    sys.stdout.write(json.dumps(json_schema(), indent=2) + "\n")
    return 0


def _recover(directories: list[Path]) -> int:
    exit_code = 0
    for ring_file in left_behind(directories):
        owner = ring_file.ring.owner
        place = owner.destination.path or "standard output"
        try:
            count = recover(ring_file.ring, open_output(owner.destination, Counters()))
        except OSError as error:
            sys.stderr.write(f"cannot write to {place}: {error.strerror}; the events are kept\n")
            exit_code = 1
        else:
            sys.stderr.write(f"recovered {count} events of {owner.instance} into {place}\n")
        ring_file.put_away()
    return exit_code


if __name__ == "__main__":
    sys.exit(main())
