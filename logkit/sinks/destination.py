"""Where a bot's lines go: what a ring remembers, so that others can deliver for a dead process."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from hashlib import blake2b

_STANDARD = {"/dev/stdout": 1, "/dev/stderr": 2}
_DESCRIPTOR = re.compile(r"/(?:dev|proc/self)/fd/(\d{1,7})")


@dataclass(frozen=True, slots=True)
class Destination:
    """A log file or standard output.

    Attributes:
        service: Service of the process.
        path: Log file, or ``None`` for standard output.
        max_bytes: Size at which the file is rotated, or ``None`` for never.
        backups: Rotated files that are kept.
        compress: Whether they are compressed.
    """

    service: str
    path: str | None = None
    max_bytes: int | None = None
    backups: int = 5
    compress: bool = False

    @property
    def descriptor(self) -> int | None:
        """The descriptor that *path* stands for, as ``/dev/stdout`` does, or ``None``."""
        if self.path in _STANDARD:
            return _STANDARD[self.path]
        found = _DESCRIPTOR.fullmatch(self.path or "")
        return int(found[1]) if found else None

    @property
    def key(self) -> str:
        """Return 12 hex digits, equal for the same file; standard output differs by service."""
        if self.path is None:
            place = f"stdout:{self.service}"
        else:
            is_shared = self.descriptor is not None
            place = f"{self.path}:{self.service}" if is_shared else _real(self.path)
        return blake2b(place.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()


def _real(path: str) -> str:
    folder, name = os.path.split(path)
    return os.path.join(os.path.realpath(folder), name)  # noqa: PTH118 - a key, not a file
