"""Whether the kernel tells of changes in a folder: on network mounts it sees only our own."""

from __future__ import annotations

import re
from pathlib import Path

_MOUNTS = Path("/proc/self/mountinfo")
# Kinds of file systems whose files others change behind the kernel's back; "fuse." is followed by
# the name of the program.
_REMOTE = re.compile(
    r"(nfs\d?|cifs|smb\d?|smbfs|ncpfs|afs|9p|virtiofs|ceph|glusterfs|lustre|gpfs|ocfs2|gfs2"
    r"|vboxsf|prl_fs|drvfs|fakeowner|fuse\..+)",
)
_ESCAPE = re.compile(r"\\(\d{3})")


def gives_notices(folder: Path, mounts: Path = _MOUNTS) -> bool:
    """Return whether a change in *folder*, whoever makes it, comes to the kernel's notice.

    Args:
        folder: An existing folder.
        mounts: The table of mounts, as ``proc(5)`` describes it. Where there is none we believe
            that notices come.
    """
    try:
        lines = mounts.read_bytes().decode(errors="surrogateescape").split("\n")
    except OSError:
        return True
    # The kernel escapes newlines in names, but none of the other ends of lines that text knows.
    place = folder.resolve()
    kinds = [
        (len(point.parts), number, kind)
        for number, (point, kind) in enumerate(map(_mount, filter(None, lines)))
        if place.is_relative_to(point)
    ]
    # Of two mounts on one point the later one is seen.
    return not kinds or _REMOTE.fullmatch(max(kinds)[2]) is None


def _mount(line: str) -> tuple[Path, str]:
    """Return where a line of the table says that something is mounted, and of what kind."""
    before, _, after = line.partition(" - ")
    point = _ESCAPE.sub(lambda octal: chr(int(octal[1], 8)), before.split(" ")[4])
    return Path(point), after.split(" ")[0]
