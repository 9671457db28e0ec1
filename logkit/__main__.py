"""``python -m logkit``: what needs no more than the base install."""

from __future__ import annotations

import argparse
import json
import sys

from logkit.schema import json_schema


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m logkit", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("schema", help="print the JSON Schema of an event")
    parser.parse_args(arguments)
    sys.stdout.write(json.dumps(json_schema(), indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
