"""Where notices of changes are to be expected."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from logkit_analysis.sources.mounts import gives_notices

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Return a table of mounts: a disk that holds everything, and others in it."""
    path = tmp_path / "mountinfo"
    kinds = {
        "nfs": "nfs4 server:/logs",
        "with space": "cifs //server/logs",
        "ssh": "fuse.sshfs host:",
        "plain": "ext4 /dev/sdb1",
        "nfs/local": "tmpfs tmpfs",
        "twice": "nfs server:/a",
    }
    lines = ["22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw"]
    for name, kind in [*kinds.items(), ("twice", "xfs /dev/sdc1")]:
        (tmp_path / name / "logs").mkdir(parents=True, exist_ok=True)
        point = str(tmp_path / name).replace(" ", "\\040")
        lines.append(f"36 22 0:42 / {point} rw,noatime master:1 - {kind} rw,vers=4.2")
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


@pytest.mark.parametrize(
    ("folder", "expected"),
    [
        ("", True),
        ("nfs", False),
        ("nfs/logs", False),
        ("nfs/local/logs", True),
        ("with space/logs", False),
        ("ssh/logs", False),
        ("plain/logs", True),
        ("twice/logs", True),
        ("link", False),
    ],
)
def test_a_folder_is_judged_by_its_mount(
    table: Path, tmp_path: Path, folder: str, expected: bool
) -> None:
    """The innermost mount counts, and of two on one point the later; links are followed."""
    (tmp_path / "link").symlink_to(tmp_path / "nfs" / "logs")
    assert gives_notices(tmp_path / folder, table) is expected


def test_a_mount_point_may_have_odd_characters(tmp_path: Path) -> None:
    """A line separator, form feed or carriage return in a name ends no line of the table."""
    point = tmp_path / "a\u2028b\fc\rd"
    point.mkdir()
    table = tmp_path / "mountinfo"
    table.write_bytes(f"36 22 0:42 / {point} rw - nfs4 server:/logs rw\n".encode())
    assert not gives_notices(point, table)


def test_without_a_table_notices_are_expected(tmp_path: Path) -> None:
    """As on macOS."""
    assert gives_notices(tmp_path, tmp_path / "missing")


def test_this_machine_has_a_table(tmp_path: Path) -> None:
    """A test's own folder is local."""
    assert gives_notices(tmp_path)
