"""How far we are with the files that we follow, said now and then."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logkit_analysis.sources.tail import Tail


class Report:
    """Makes a line every so often, unless nothing has happened since the one before.

    Args:
        interval_s: How often.
        now: When we begin, in seconds on the clock that all calls share.
    """

    def __init__(self, interval_s: float, now: float) -> None:
        self._interval_s = interval_s
        self._said_at = now
        self._rows = 0
        self._told = (0, 0, 0)

    def line(
        self, now: float, tails: Sequence[Tail], *, files: int, rows: int, rejects: int
    ) -> str | None:
        """Return how far we are if it is time to say so.

        Args:
            now: On the same clock.
            tails: The open files.
            files: How many files are followed, open or not.
            rows: Events stored so far.
            rejects: Lines quarantined so far.
        """
        if now - self._said_at < self._interval_s:
            return None
        total = sum(map(_behind, tails))
        rate = (rows - self._rows) / (now - self._said_at)
        self._said_at, self._rows = now, rows
        before, self._told = self._told, (rows, rejects, total)
        if before == self._told:
            return None
        many = "1 file" if files == 1 else f"{files:,} files"
        line = f"{many}: {rows:,} new rows ({rate:,.1f} a second), {rejects:,} lines rejected"
        return f"{line}, {_rest(tails, total) if total else 'nothing left to read'}"


def _rest(tails: Sequence[Tail], total: int) -> str:
    worst = max(tails, key=_behind)
    place = f"{worst.name} is read to byte {_position(worst):,} of {worst.state.size:,}"
    return f"{total:,} bytes behind: {place}"


def _behind(tail: Tail) -> int:
    return max(0, tail.state.size - _position(tail))


def _position(tail: Tail) -> int:
    return tail.stream.position if tail.stream else 0
