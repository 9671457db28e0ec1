"""Writes tapes to files as a rotating logger leaves them, and reads them back."""

from __future__ import annotations

import gzip
import zlib
from typing import TYPE_CHECKING

import orjson

from logkit_analysis.demo.truth import DirtyLine, FileTruth

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from logkit_analysis.demo.tape import Tape, TapeLine


def write_tape(tape: Tape, directory: Path, names: tuple[str, ...]) -> list[DirtyLine]:
    """Write a tape in equal parts to the files *names*, oldest first; return its dirty lines."""
    lines = list(tape.lines())
    size = -(-len(lines) // len(names))
    dirty = []
    for part, name in enumerate(names):
        chunk = lines[part * size : (part + 1) * size]
        _write(directory / name, b"".join(line.raw for line in chunk))
        dirty += _dirty_lines(name, chunk)
    return dirty


def _write(path: Path, stream: bytes) -> None:
    # Not gzip.compress(): its header differs between versions of Python.
    path.write_bytes(zlib.compress(stream, 1, wbits=31) if path.suffix == ".gz" else stream)


def _dirty_lines(name: str, lines: list[TapeLine]) -> list[DirtyLine]:
    dirty, offset = [], 0
    for number, line in enumerate(lines, start=1):
        if line.dirt is not None:
            is_event = parse(line.raw) is not None
            dirty.append(DirtyLine(name, number, offset, line.dirt, is_event))
        offset += len(line.raw)
    return dirty


def read_file(path: Path) -> tuple[FileTruth, list[dict[str, Any]]]:
    """Return the figures of a file and the events in it."""
    stored = path.read_bytes()
    stream = gzip.decompress(stored) if path.suffix == ".gz" else stored
    lines = stream.splitlines()
    events = [event for line in lines if (event := parse(line)) is not None]
    rejects = len(lines) - len(events)
    return FileTruth(len(stored), len(stream), len(lines), len(events), rejects), events


def parse(line: bytes) -> dict[str, Any] | None:
    """Return the JSON object that a line holds, or ``None``."""
    try:
        event = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return event if isinstance(event, dict) else None
