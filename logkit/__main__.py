"""``python -m logkit``: what needs no more than the base install."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from logkit.counters import Counters
from logkit.doctor import examine
from logkit.schema import json_schema
from logkit.setting_values import path_of
from logkit.sinks.destination import Destination
from logkit.sinks.opening import open_output
from logkit.sinks.recovery import recover
from logkit.sinks.ring_files import default_directories, left_behind

if TYPE_CHECKING:
    from logkit.sinks.ring import Owner, UnreadableRingError


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code.

    0; 1 if not all could be done; 2 for what cannot be understood; 10 if the doctor found trouble.
    """
    parser = argparse.ArgumentParser(prog="python -m logkit", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("schema", help="print the JSON Schema of an event")
    recovery = commands.add_parser(
        "recover", help="write out the events that dead processes had accepted"
    )
    recovery.add_argument(
        "path", nargs="?", help="log file of the bot (default: every log of this user's bots)"
    )
    recovery.add_argument(
        "--ring-dir",
        type=Path,
        default=os.environ.get("LOGKIT_RING_DIR") or None,
        help="where they kept their rings (default: LOGKIT_RING_DIR, then shared memory)",
    )
    recovery.add_argument(
        "--shapes-only",
        action="store_true",
        help="without the bot's environment: take only secrets of known shapes out",
    )
    doctor = commands.add_parser(
        "doctor", help="show how a bot sets logging up, and what will be lost or written twice"
    )
    doctor.add_argument("target", help="module, or module:function that sets logging up")
    chosen = parser.parse_args(arguments)
    if chosen.command == "doctor":
        return examine(chosen.target)
    if chosen.command == "recover":
        directories = default_directories() if chosen.ring_dir is None else [chosen.ring_dir]
        path = path_of(chosen.path)
        destination = None if path is None else Destination("", str(path))
        return _recover(directories, destination, shapes_only=chosen.shapes_only)
    sys.stdout.write(json.dumps(json_schema(), indent=2) + "\n")
    return 0


def _recover(directories: list[Path], destination: Destination | None, *, shapes_only: bool) -> int:
    exit_code = 0

    def complain(path: Path, error: UnreadableRingError) -> None:
        nonlocal exit_code
        exit_code = 1
        sys.stderr.write(
            f"cannot read {path}: {error}; it is kept. Delete it if it is not needed\n"
        )

    for ring_file in left_behind(directories, destination, complain):
        owner = ring_file.ring.owner
        place = owner.destination.path or "standard output"
        unknown = "" if shapes_only or not ring_file.ring.used else _unknown_secrets(owner)
        if unknown:
            sys.stderr.write(
                f"cannot redact the events of {owner.instance} for {place}: {unknown}; they are "
                "kept. Run this in the bot's environment, or accept --shapes-only\n"
            )
            exit_code = 1
            ring_file.put_away()
            continue
        try:
            count = recover(ring_file.ring, open_output(owner.destination, Counters()))
        except OSError as error:
            sys.stderr.write(f"cannot write to {place}: {error.strerror}; the events are kept\n")
            exit_code = 1
        else:
            sys.stderr.write(f"recovered {count} events of {owner.instance} into {place}\n")
        ring_file.put_away()
    return exit_code


def _unknown_secrets(owner: Owner) -> str:
    """Return why secrets in the lines of *owner* cannot be told, or an empty text."""
    missing = [name for name in owner.secret_variables if name not in os.environ]
    if missing:
        return f"the environment lacks {', '.join(missing)}"
    if owner.registered_secrets:
        return "the bot had registered secrets that are known to it alone"
    return ""


if __name__ == "__main__":
    sys.exit(main())
