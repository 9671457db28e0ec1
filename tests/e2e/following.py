"""A real ``logkit follow``, and a writer that remembers every line it wrote."""

from __future__ import annotations

import re
import signal
import sys
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from logkit_analysis.store.access import DatabaseMissingError
from logkit_analysis.store.database import reading

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.nursery import Nursery, Process

LOGKIT = str(Path(sys.executable).with_name("logkit"))
_NUMBER = re.compile(rb'"seq":(\d+)')


def wait_until(condition: Callable[[], object], what: str, *, within_s: float = 60.0) -> None:
    """Return once *condition* holds; fail, saying *what* did not happen, if it does not."""
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"not within {within_s} s: {what}")
        time.sleep(0.03)


@dataclass
class Ledger:
    """Numbers log lines, and knows how often each number is to be found in the end."""

    next_number: int = 0
    written: Counter[int] = field(default_factory=Counter)

    def lines(self, count: int, *, width: int = 0) -> bytes:
        """Return *count* new lines that are now owed; the first of ten is no JSON.

        Args:
            count: How many.
            width: Bytes of filling in each.
        """
        return b"".join(self._line(width) for _ in range(count))

    def _line(self, width: int) -> bytes:
        number = self.next_number
        self.next_number += 1
        self.written[number] += 1
        opening = b"" if number % 10 == 0 else b"{"
        return b'%s"seq":%d,"event":"tick","note":"%s"}\n' % (opening, number, b"x" * width)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a follower ended."""

    code: int
    said: str


class Follower:
    """A ``logkit follow`` process and the database that it fills."""

    def __init__(self, database: Path, nursery: Nursery, name: str = "first") -> None:
        self.database = database
        self.nursery = nursery
        self._pace = 1.0
        self._process: Process | None = None
        self._said = database.with_name(f"{name}.said")
        self._printed = database.with_name(f"{name}.printed")

    @property
    def pid(self) -> int:
        """The process id."""
        return self.process.pid

    @property
    def process(self) -> Process:
        """The running process."""
        assert self._process is not None
        return self._process

    @property
    def said(self) -> str:
        """All that it has written on stderr."""
        return self._said.read_text()

    def start(
        self, *arguments: str | Path, pace: float | None = None, descriptors: int | None = None
    ) -> None:
        """Start it in the database's folder, and wait until it works.

        Args:
            arguments: Words of the command line.
            pace: Factor to all its waits, this time and later.
            descriptors: How many it may have open.
        """
        self._pace = pace or self._pace
        self._said.write_bytes(b"")
        self._process = self.nursery.start(
            ["follow", *map(str, arguments), "--db", str(self.database), "--pace", str(self._pace)],
            folder=self.database.parent,
            stdout=self._printed,
            stderr=self._said,
            descriptors=descriptors,
        )
        wait_until(lambda: "following" in self.said or self.has_ended, "follow starts")

    @property
    def has_ended(self) -> bool:
        """Whether the process is gone."""
        return self.process.has_ended

    def stop(self, number: signal.Signals = signal.SIGTERM) -> Ended:
        """End it with a signal; return how it ended."""
        assert not self.has_ended, self.said
        self.process.send_signal(number)
        ended = Ended(self.process.wait(60), self.said)
        self._process = None
        assert self._printed.read_bytes() == b""
        return ended

    def kill(self) -> None:
        """Kill it where it stands."""
        self.stop(signal.SIGKILL)

    def clean_up(self) -> None:
        """End it if it runs."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(60)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Return what *query* finds, as any reader would."""
        with reading(self.database) as connection:
            return connection.execute(query).fetchall()

    def seen(self) -> Counter[int]:
        """Return how often each number is in the database, as an event or a reject."""
        try:
            with reading(self.database) as connection:
                events = connection.execute("select seq from events").fetchall()
                rejects = connection.execute("select raw from quarantine").fetchall()
        except DatabaseMissingError:
            return Counter()
        numbers = [int(found[1]) for (raw,) in rejects if (found := _NUMBER.search(raw))]
        assert len(numbers) == len(rejects)
        return Counter(numbers) + Counter(seq for (seq,) in events)

    def wait_for(self, ledger: Ledger, *, within_s: float = 60.0) -> None:
        """Return once all that *ledger* owes is stored; fail on anything stored twice."""
        last: object = None

        def is_complete() -> bool:
            nonlocal last
            stamp = self.stamp()
            if stamp == last:
                return False
            seen = self.seen()
            assert not seen - ledger.written, f"twice or wrong: {seen - ledger.written}"
            last = stamp
            return seen == ledger.written

        try:
            wait_until(is_complete, "all lines are stored", within_s=within_s)
        except pytest.fail.Exception:
            missing = ledger.written - self.seen()
            pytest.fail(f"{missing.total()} lines are lost: {sorted(missing)[:10]}; {self.said}")

    def stamp(self) -> object:
        """Return what tells that the database has changed; asking it takes longer."""
        files = [self.database, self.database.with_name(f"{self.database.name}.wal")]
        stamps = []
        for file in files:
            # The log of the database comes and goes with every commit.
            with suppress(FileNotFoundError):
                stamps.append((file.stat().st_size, file.stat().st_mtime_ns))
        return stamps

    def check(self, ledger: Ledger, *arguments: str | Path, log: Path | None = None) -> None:
        """Stop it; what is stored is exactly what *ledger* owes, also after another start.

        Args:
            ledger: What was written.
            arguments: What to follow once more; nothing to leave that out.
            log: A file among them; a last line in it shows that all was looked at again.
        """
        self.wait_for(ledger)
        self.stop()
        if log is not None:
            self.start(*(arguments or [log]))
            append(log, ledger.lines(1))
            self.wait_for(ledger)
            self.stop()
        assert self.seen() == ledger.written
        doubled = "select 1 from events group by source_id, source_offset having count(*) > 1"
        assert self.rows(doubled) == []


def append(path: Path, data: bytes) -> None:
    """Add *data* to the file at *path*, which is made if it is not there."""
    with path.open("ab") as file:
        file.write(data)
