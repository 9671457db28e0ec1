"""A writer that does everything at random, and a follow that is killed at random.

A failure shows its seed and its steps. ``LOGKIT_TEST_SEED=7 pytest -k at_random`` runs that seed.
"""

from __future__ import annotations

import gzip
import os
import random
import shutil
import signal
import time
from typing import TYPE_CHECKING

import pytest

from tests.e2e.following import append

if TYPE_CHECKING:
    from collections.abc import Callable
    from io import FileIO
    from pathlib import Path

    from tests.e2e.following import Follower, Ledger

GENERATIONS = 4


class Writer:
    """A bot, its logrotate and its administrator, in one folder.

    What is written is owed unless a step destroys it. Such a step first waits for follow to have
    read what it destroys.
    """

    def __init__(
        self, rng: random.Random, folder: Path, ledger: Ledger, wait: Callable[[], None]
    ) -> None:
        self._rng = rng
        self._folder = folder
        self._ledger = ledger
        self._wait = wait
        self._old: list[FileIO] = []
        self._rest = b""
        self.log = folder / "app.log"

    def step(self) -> str:
        """Do something; return what it was."""
        steps = {
            self.write: 12,
            self.write_half_a_line: 2,
            self.rename_and_create: 3,
            self.keep_writing_to_the_renamed: 2,
            self.copy_and_truncate: 3,
            self.compress: 2,
            self.delete_and_create: 1,
            self.truncate: 2,
            self.another_file: 1,
        }
        (step,) = self._rng.choices([*steps], [*steps.values()])
        step()
        return step.__name__

    def lines(self) -> bytes:
        """Return some lines, seldom many, seldom long."""
        count = self._rng.choice([1, 1, 2, 5, 20, 300])
        return self._ledger.lines(count, width=self._rng.choice([0, 10, 100, 900]))

    def write(self) -> None:
        """Append lines to the log."""
        append(self.log, self._rest + self.lines())
        self._rest = b""

    def write_half_a_line(self) -> None:
        """Append the beginning of a line, whose end comes with the next one."""
        self.write()
        line = self._ledger.lines(1)
        cut = self._rng.randrange(1, len(line))
        append(self.log, line[:cut])
        self._rest = line[cut:]

    def rename_and_create(self) -> None:
        """Rotate; the old file may stay open."""
        self.write()
        for number in range(GENERATIONS, 0, -1):
            for suffix in ("", ".gz"):
                old = self.log.with_name(f"app.log.{number}{suffix}")
                if old.exists():
                    if number == GENERATIONS:
                        self.close_old()
                        self._wait()
                    old.rename(self.log.with_name(f"app.log.{number + 1}{suffix}"))
        if self._rng.random() < 0.5:
            self._old.append(self.log.open("ab", buffering=0))
        self.log.rename(self.log.with_name("app.log.1"))
        self.log.write_bytes(self.lines() if self._rng.random() < 0.7 else b"")

    def keep_writing_to_the_renamed(self) -> None:
        """Add lines to a file that was rotated away."""
        if self._old:
            old = self._rng.choice(self._old)
            old.write(self.lines())
            if self._rng.random() < 0.3:
                self._old.remove(old)
                old.close()

    def copy_and_truncate(self) -> None:
        """Rotate by copy; lines that come before the truncation are read first."""
        self.write()
        shutil.copy(self.log, self.log.with_name(f"app.log-{self._ledger.next_number:08}"))
        if self._rng.random() < 0.4:
            self.write()
            self._wait()
        os.truncate(self.log, 0)
        if self._rng.random() < 0.7:
            self.write()

    def compress(self) -> None:
        """Compress a rotated file, fast or slowly, and remove it."""
        rotated = [
            path
            for path in self._folder.glob("app.log[.-]*")
            if path.suffix != ".gz" and not path.with_name(f"{path.name}.gz").exists()
        ]
        if not rotated:
            return
        self.close_old()
        path = self._rng.choice(sorted(rotated))
        packed = gzip.compress(path.read_bytes())
        target = path.with_name(f"{path.name}.gz")
        for place in range(
            0, len(packed), size := self._rng.choice([len(packed), 1 + len(packed) // 3])
        ):
            append(target, packed[place : place + size])
            time.sleep(0.01)
        path.unlink()

    def delete_and_create(self) -> None:
        """Remove the log once it is read, and begin another one."""
        self.write()
        self._wait()
        self.log.unlink()
        self.log.write_bytes(self.lines())

    def truncate(self) -> None:
        """Empty the log once it is read, and write less, as much or more."""
        self.write()
        self._wait()
        size = self.log.stat().st_size
        data = b""
        while len(data) < size * self._rng.choice([0, 0.3, 1.3]):
            data += self.lines()
        with self.log.open("r+b") as file:
            file.truncate(0)
            file.write(data)

    def another_file(self) -> None:
        """Write to a log beside it."""
        append(self._folder / f"other{self._rng.randrange(3)}.log", self.lines())

    def end(self) -> None:
        """Finish what is begun."""
        self.write()
        self.close_old()

    def close_old(self) -> None:
        """Let go of the files that were renamed."""
        for old in self._old:
            old.close()
        self._old.clear()


class Keeper:
    """Starts, stops and kills the follower."""

    def __init__(self, rng: random.Random, follower: Follower, folder: Path) -> None:
        self._rng = rng
        self._follower = follower
        self._folder = folder
        self._is_up = False

    def step(self) -> str:
        """Do something to the follower; return what it was."""
        if not self._is_up:
            self.up()
            return "start"
        match self._rng.randrange(3):
            case 0:
                self._follower.kill()
            case 1:
                self._follower.stop()
            case _:
                self.pause()
                return "pause"
        self._is_up = False
        return "end"

    def up(self) -> None:
        """See to it that it runs."""
        if not self._is_up:
            self._follower.start(self._folder)
            self._is_up = True

    def pause(self) -> None:
        """Stop it for a moment, as a slow disk would."""
        self._follower.process.send_signal(signal.SIGSTOP)
        time.sleep(self._rng.random() * 0.3)
        self._follower.process.send_signal(signal.SIGCONT)


def seeds() -> list[object]:
    """Return the seeds to run: the one that is asked for, or two, and more for the soak."""
    given = os.environ.get("LOGKIT_TEST_SEED")
    if given:
        return [int(given)]
    soak = [pytest.mark.soak, pytest.mark.timeout(600)]
    return [1, 2, *(pytest.param(seed, marks=soak) for seed in range(100, 160))]


@pytest.mark.parametrize("seed", seeds())
def test_at_random(
    follower: Follower, ledger: Ledger, log: Path, seed: int, request: pytest.FixtureRequest
) -> None:
    """Whatever happens in whatever order: each line is stored once."""
    rng = random.Random(seed)
    done: list[str] = []

    def wait() -> None:
        keeper.up()
        follower.wait_for(ledger)

    writer = Writer(rng, log.parent, ledger, wait)
    keeper = Keeper(rng, follower, log.parent)
    try:
        for _ in range(45):
            done.append(keeper.step() if rng.random() < 0.15 else writer.step())
            time.sleep(rng.choice([0, 0, 0.05, 0.3]))
        writer.end()
        keeper.up()
        follower.check(ledger, log.parent, log=log)
    except BaseException:
        request.node.add_report_section("call", "steps", f"seed {seed}: {' '.join(done)}")
        raise
    finally:
        writer.close_old()
