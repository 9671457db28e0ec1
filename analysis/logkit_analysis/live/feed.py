"""What comes from the files, sorted for those who watch, in a thread of its own."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from logkit_analysis.errors import UsageError
from logkit_analysis.live.history import History
from logkit_analysis.stopping import StopSignal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from logkit_analysis.live.event import LiveEvent

    Condition = Callable[[Sequence[LiveEvent]], Sequence[LiveEvent]]

# So many events may wait for the watcher; the files keep the rest.
_MOST_WAITING = 20_000
_WAIT_S = 0.05
# A disk or an SQL expression may not answer for ever.
_LONGEST_END_S = 2.0


class Source(Protocol):
    """Where events come from."""

    def first(self) -> Sequence[LiveEvent]:
        """Return what is there already, in the order of time."""

    def next(self) -> Sequence[LiveEvent]:
        """Return what is new; never waits."""

    def wait(self, wake: StopSignal) -> None:
        """Wait for a moment until more is new, unless *wake* is set."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """Events for one of those who watch.

    Attributes:
        watcher: Who asked for such events.
        events: What has come and matches, in the order of coming.
        history: What there is that matches, in the place of all that came before, since the
            condition is new; else ``None``.
        problem: Why the condition failed; then it gets nothing more.
    """

    watcher: int
    events: Sequence[LiveEvent]
    history: History | None = None
    problem: str | None = None


class Feed:
    """Reads a source in a thread and keeps what is new for those who watch.

    A watcher whose condition is new gets what matches among the newest events, whether or not
    they matched before, so that a filter taken away shows what it hid.

    Args:
        source: Read by the thread alone.

    Attributes:
        error: Why reading has ended, if it has.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._recent = History()
        self._conditions: dict[int, Condition] = {}
        self._asked: list[tuple[int, Condition | None, Sequence[LiveEvent]]] = []
        self._waiting: list[Arrival] = []
        self._lock = threading.Lock()
        self._wake = StopSignal()
        self._is_stopped = False
        self._thread = threading.Thread(target=self._run, name="logkit-tail", daemon=True)
        self.error: Exception | None = None

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def stop(self) -> bool:
        """Read no more; return whether the source is left alone, for which it waits a moment."""
        self._is_stopped = True
        self._wake.set()
        self._thread.join(_LONGEST_END_S)
        return not self._thread.is_alive()

    def watch(self, watcher: int, condition: Condition, kept: Sequence[LiveEvent] = ()) -> None:
        """Let *watcher* get the events that *condition* returns of those it is given.

        Args:
            watcher: Its number.
            condition: Called by the thread.
            kept: Events that the watcher has, some of them perhaps older than the newest.
        """
        with self._lock:
            self._asked.append((watcher, condition, kept))
        self._wake.set()

    def leave(self, watcher: int) -> None:
        """Let *watcher* get nothing more."""
        with self._lock:
            self._asked.append((watcher, None, ()))

    def take(self) -> list[Arrival]:
        """Return what has come since the last call; never waits."""
        with self._lock:
            waiting, self._waiting = self._waiting, []
        return waiting

    def _run(self) -> None:
        try:
            self._add(self._source.first())
            while not self._is_stopped:
                self._wake.clear()
                self._answer()
                if self._is_behind():
                    self._wake.wait(_WAIT_S)
                else:
                    self._add(self._source.next())
                    self._source.wait(self._wake)
        except Exception as error:  # noqa: BLE001 - the thread has nobody to tell but the screen
            self.error = error

    def _is_behind(self) -> bool:
        with self._lock:
            return sum(len(arrival.events) for arrival in self._waiting) > _MOST_WAITING

    def _add(self, events: Sequence[LiveEvent]) -> None:
        if not events:
            return
        self._recent.add(events)
        self._give([self._arrival(watcher, events) for watcher in [*self._conditions]])

    def _answer(self) -> None:
        """Give those with new conditions what matches."""
        with self._lock:
            asked, self._asked = self._asked, []
        for watcher, condition, kept in asked:
            if condition is None:
                self._conditions.pop(watcher, None)
                continue
            self._conditions[watcher] = condition
            recent = list(self._recent)
            known = set(map(id, recent))
            events = [*(event for event in kept if id(event) not in known), *recent]
            self._give([self._arrival(watcher, events, is_new=True)])

    def _arrival(
        self, watcher: int, events: Sequence[LiveEvent], *, is_new: bool = False
    ) -> Arrival:
        """Return what *watcher* gets of *events*."""
        try:
            found = self._conditions[watcher](events)
        except UsageError as error:
            # An SQL expression fails on the first value that it cannot take, maybe much later.
            del self._conditions[watcher]
            return Arrival(watcher, (), problem=str(error))
        if not is_new:
            return Arrival(watcher, found)
        history = History()
        history.add(found)
        return Arrival(watcher, (), history)

    def _give(self, arrivals: Iterable[Arrival]) -> None:
        found = [one for one in arrivals if one.events or one.history is not None or one.problem]
        with self._lock:
            self._waiting += found
