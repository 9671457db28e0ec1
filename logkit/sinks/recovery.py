"""What a dead process had accepted and not yet written: written now, each line exactly once."""

from __future__ import annotations

import errno
import gzip
import os
from typing import TYPE_CHECKING

import orjson

from logkit.redaction import redact
from logkit.sinks.backups import backup_files, drop_compressed_originals
from logkit.sinks.files import RotatingFile
from logkit.sinks.outputs import NotReadyError
from logkit.sinks.ring_files import left_behind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from logkit.sinks.destination import Destination
    from logkit.sinks.outputs import Output
    from logkit.sinks.ring import Owner, Ring

_BLOCK_BYTES = 1_048_576
_CLOCK_TOLERANCE_S = 3_600.0
# A stream waits 0.1 s before it refuses.
_MAX_REFUSALS = 20


def recover_left_behind(directories: list[Path], destination: Destination, output: Output) -> None:
    """Write to *output* what dead processes had accepted for *destination*.

    Raises:
        OSError: The output refuses it; it is kept.
    """
    for ring_file in left_behind(directories, destination):
        try:
            recover(ring_file.ring, output)
        finally:
            ring_file.put_away()


def recover(ring: Ring, output: Output) -> int:
    """Move the lines of a ring without owner to *output*; return how many were still missing.

    They are redacted as the process would have done, if this one has the same environment.

    The process may have died after a write and before it had noted so. A file is therefore
    searched for the lines first; a stream cannot be, so there the last batch may come twice, with
    the same instance and seq. The ring is empty afterwards.

    Raises:
        OSError: The output refuses the lines; those that are left stay in the ring.
    """
    if isinstance(output, RotatingFile):
        return _recover_to_file(ring, output)
    return _recover_to_stream(ring, output)


def _recover_to_stream(ring: Ring, output: Output) -> int:
    count = refusals = 0
    while batch := redact(ring.peek(output.batch_bytes))[0]:
        taken = output.append(batch)
        refusals = 0 if taken else refusals + 1
        if refusals == _MAX_REFUSALS:
            raise NotReadyError(errno.EAGAIN, "the reader is too slow")
        ring.advance(taken)
        count += batch.count(b"\n", 0, taken)
    return count


def _recover_to_file(ring: Ring, file: RotatingFile) -> int:
    lines = _split(redact(ring.peek(ring.capacity))[0])
    with file.lock:
        drop_compressed_originals(file.path)
        known = written_lines(set(lines), ring.owner, file.path)
        missing = [line for line in lines if line not in known]
        left = b"".join(missing)
        # A death in the middle of a write has torn the first line that is missing.
        left = left[file.end_torn_line(left) :]
        while left:
            left = left[file.append_locked(left[: file.batch_bytes]) :]
    ring.advance(ring.used)
    return len(missing)


def written_lines(wanted: set[bytes], owner: Owner, path: Path) -> set[bytes]:
    """Return those of *wanted* that stand, whole, in the log file or one of its backups.

    An instance writes its lines in one order. So the search goes backwards, and ends where there
    is an older line of the instance.
    """
    found: set[bytes] = set()
    marker = b'"instance":"%s"' % owner.instance.encode()
    for file in (path, *backup_files(path)):
        if not file.exists() or file.stat().st_mtime < owner.created_at - _CLOCK_TOLERANCE_S:
            break
        is_packed = file.suffix == ".gz"
        older: set[bytes] = set()
        for block in _blocks(file) if is_packed else _blocks_backwards(file):
            if marker in block:
                lines = {line for line in _split(block) if marker in line}
                found |= lines & wanted
                older |= {line for line in lines - wanted if _instance_of(line) == owner.instance}
            if older and not is_packed:
                break
        if older:
            break
    return found


def _split(lines: bytes) -> list[bytes]:
    return [line + b"\n" for line in lines.split(b"\n")[:-1]]


def _instance_of(line: bytes) -> object:
    try:
        return orjson.loads(line).get("instance")
    except (AttributeError, ValueError):
        return None


def _blocks(file: Path) -> Iterator[bytes]:
    """Yield a compressed file in pieces of whole lines, from its beginning."""
    rest = b""
    with gzip.open(file) as stream:
        while block := stream.read(_BLOCK_BYTES):
            whole = block.rfind(b"\n") + 1
            yield rest + block[:whole]
            rest = block[whole:] if whole else rest + block


def _blocks_backwards(file: Path) -> Iterator[bytes]:
    """Yield a file in pieces of whole lines, from its end."""
    rest = b""
    with file.open("rb") as stream:
        start = stream.seek(0, os.SEEK_END)
        while start:
            end, start = start, max(start - _BLOCK_BYTES, 0)
            stream.seek(start)
            block = stream.read(end - start) + rest
            whole = block.find(b"\n") + 1 if start else 0
            rest = block[:whole] if whole or not start else block
            if whole or not start:
                yield block[whole:]
