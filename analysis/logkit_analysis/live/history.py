"""The newest events of a live view, in bounded memory."""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import TYPE_CHECKING

from logkit_analysis.live.row import Row

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from logkit_analysis.live.event import LiveEvent

MOST_EVENTS = 50_000
# Events of a few hundred bytes reach the first limit, events with long stacks this one.
MOST_BYTES = 64 * 1024 * 1024
# What an event takes beside its texts: the objects for its fields.
_BYTES_PER_EVENT = 600


class History:
    """The newest of the events that were added, numbered from 0 in the order of their coming.

    The oldest goes as soon as one of the limits is passed; numbers stay.

    Args:
        most_events: How many are kept.
        most_bytes: About how many bytes of memory they may take.
    """

    def __init__(self, *, most_events: int = MOST_EVENTS, most_bytes: int = MOST_BYTES) -> None:
        self._most_events = most_events
        self._most_bytes = most_bytes
        self._events: deque[tuple[LiveEvent, int]] = deque()
        self._bytes = 0
        self.first = 0

    @property
    def end(self) -> int:
        """The number that the next event will get."""
        return self.first + len(self._events)

    def __len__(self) -> int:
        return len(self._events)

    def __iter__(self) -> Iterator[LiveEvent]:
        return (event for event, _ in self._events)

    def __getitem__(self, number: int) -> LiveEvent:
        if number < self.first:
            raise IndexError(number)
        return self._events[number - self.first][0]

    def page(self, first: int, length: int) -> list[LiveEvent]:
        """Return up to *length* events from the one numbered *first*."""
        start = max(0, first - self.first)
        return [event for event, _ in islice(self._events, start, start + length)]

    def add(self, events: Iterable[LiveEvent]) -> None:
        """Take *events* as the newest."""
        for event in events:
            size = _size(event)
            self._events.append((event, size))
            self._bytes += size
        # One event is kept whatever its size: an empty view would look like a silent log.
        while len(self._events) > self._most_events or (
            self._bytes > self._most_bytes and len(self._events) > 1
        ):
            self._bytes -= self._events.popleft()[1]
            self.first += 1


def _size(event: LiveEvent) -> int:
    """Return about how many bytes *event* takes."""
    columns = event.columns
    values = columns.held if isinstance(columns, Row) else columns.values()
    texts = sum([len(value) for value in values if type(value) is str])
    return _BYTES_PER_EVENT + texts + len(event.fields or "")
