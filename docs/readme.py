"""Run what a page shows and put the output that came out under each command.

``python docs/readme.py`` renews the pages that show such output, or those it is given; with
``--check`` it changes nothing, prints what differs and exits 1. Every command runs for real, in one
shell and in an empty folder: ``make`` with the project's Makefile but the environment that is
there, ``pip`` without an index.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from difflib import unified_diff
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = (
    "README.md",
    "docs/tutorial.md",
    "docs/how-to/bot-logging.md",
    "docs/how-to/log-formats.md",
    "docs/how-to/store.md",
    "docs/how-to/tail.md",
    "docs/how-to/terminal.md",
)

_BLOCK = re.compile(r"^```(\w+) ?(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(r"^\$ (.*(?:\n> .*)*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)
_END = "\x1e"
_SHELL = r"""
make() {
    command make --no-print-directory -f "$ROOT/Makefile" -o .venv/.installed BIN="$BIN" "$@"
}
pip() { command pip "$@" --no-index --quiet --dry-run; }
# However slow we are, up to a limit.
sleep() { for _ in {1..300}; do command sleep 0.1; grep -q 'read as' follow.txt && break; done; }
"""
# What is new in each run: a process's own facts, and how long things took.
_VOLATILE = (
    (re.compile(r'"(timestamp|instance|host|ingested_at|trace_id|span_id)":"[^"]*"'), r'"\1":"*"'),
    (re.compile(r'"(pid|duration_ms)":[\d.]+'), r'"\1":*'),
    (re.compile(r"\b[\d.]+ s\b"), "* s"),
    (re.compile(r"\b[\d,]+ rows/s"), "* rows/s"),
)


def executed(text: str, folder: Path) -> str:
    """Return the page *text* with the output that its commands gave in *folder*."""
    blocks = list(_BLOCK.finditer(text))
    for _, name, body in (block.groups() for block in blocks):
        if name:
            (folder / name).write_text(body, encoding="utf-8")
    commands = [
        command[1].replace("\n> ", "\n")
        for block in blocks
        if block[1] == "console"
        for command in _COMMAND.finditer(block[3])
    ]
    outputs = iter(_run(commands, folder))

    def renew(block: re.Match[str]) -> str:
        if block[1] != "console":
            return block[0]
        body = _COMMAND.sub(lambda command: f"$ {command[1]}\n{next(outputs)}", block[3])
        return f"```console\n{body}```"

    return _BLOCK.sub(renew, text)


def normalised(text: str) -> str:
    """Return *text* with a star for what differs from run to run."""
    for pattern, star in _VOLATILE:
        text = pattern.sub(star, text)
    return text


def _run(commands: list[str], folder: Path) -> list[str]:
    script = _SHELL + "".join(f"{command}\nprintf '{_END}'\n" for command in commands)
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env={
            "PATH": f"{Path(sys.executable).parent}:{os.defpath}",
            "BIN": str(Path(sys.executable).parent),
            "ROOT": str(ROOT),
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            "COLUMNS": "100",
            "PYTHONUNBUFFERED": "1",  # or stderr overtakes stdout
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    outputs = done.stdout.split(_END)[: len(commands)]
    return ["".join(f"{line.rstrip()}\n" for line in output.splitlines()) for output in outputs]


def main(arguments: list[str]) -> int:
    """Renew or check pages; return the exit code."""
    is_check = "--check" in arguments
    pages = [argument for argument in arguments if argument != "--check"] or PAGES
    differing = [page for page in pages if _differs(page, is_check=is_check)]
    return int(is_check and bool(differing))


def _differs(page: str, *, is_check: bool) -> bool:
    """Return whether a page had other outputs; show them, or put them in."""
    path = ROOT / page
    shown = path.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        fresh = executed(shown, Path(folder))
    old, new = (normalised(text).splitlines(keepends=True) for text in (shown, fresh))
    if is_check:
        sys.stdout.writelines(unified_diff(old, new, page, "what the commands gave"))
    elif old != new:
        path.write_text(fresh, encoding="utf-8")
    return old != new


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
