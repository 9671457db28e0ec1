"""Rotated files while ``logkit follow`` reads them: nothing lost, nothing counted twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.following import append

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.following import Follower, Ledger

# A file with more than a kilobyte is told by its first bytes, a shorter one is not.
SIZES = pytest.mark.parametrize("count", [3, 60], ids=["short", "long"])


@SIZES
def test_rename_and_create(follower: Follower, ledger: Ledger, log: Path, count: int) -> None:
    """The old file is read to its end, also what its writer adds after the new one is there."""
    log.write_bytes(ledger.lines(count))
    follower.start(log)
    follower.wait_for(ledger)
    with log.open("ab") as old:
        old.write(ledger.lines(count))
        log.rename(log.with_name("app.log.1"))
        log.write_bytes(ledger.lines(count))
        old.write(ledger.lines(count))
        old.flush()
        follower.wait_for(ledger)
        old.write(ledger.lines(count))
    follower.check(ledger, log)


def test_a_file_renamed_out_of_sight_is_drained(
    follower: Follower, ledger: Ledger, log: Path, tmp_path: Path
) -> None:
    """Its descriptor is held for some seconds after its last change."""
    log.write_bytes(ledger.lines(20))
    follower.start(log)
    follower.wait_for(ledger)
    with log.open("ab") as old:
        log.rename(tmp_path / "elsewhere")
        for _ in range(8):
            old.write(ledger.lines(5))
            old.flush()
            append(log, ledger.lines(2))
            follower.wait_for(ledger)
    follower.check(ledger, log)


@SIZES
def test_rename_while_nobody_looks(
    follower: Follower, ledger: Ledger, log: Path, count: int
) -> None:
    """The unread tail of the old file is found again, and so is a file that came and went."""
    log.write_bytes(ledger.lines(count))
    follower.start(log)
    follower.wait_for(ledger)
    follower.kill()
    append(log, ledger.lines(count))
    log.rename(log.with_name("app.log.2"))
    log.with_name("app.log.1").write_bytes(ledger.lines(count))
    log.write_bytes(ledger.lines(count))
    follower.start(log)
    follower.check(ledger, log)
