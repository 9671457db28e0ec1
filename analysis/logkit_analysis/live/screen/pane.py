"""One view of the log: what it shows and where one reads in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from logkit_analysis.live.history import History
from logkit_analysis.live.reading import Reading

if TYPE_CHECKING:
    from logkit_analysis.live.event import LiveEvent
    from logkit_analysis.live.feed import Arrival
    from logkit_analysis.live.view_filter import ViewFilter


@dataclass(slots=True)
class Pane:
    """What one watcher of the feed sees.

    Attributes:
        number: The watcher's number.
        view_filter: What it shows.
        reading: Where one reads.
        is_filled: Whether what the feed holds has been looked through for it.
    """

    number: int
    view_filter: ViewFilter
    reading: Reading = field(default_factory=lambda: Reading(History()))
    is_filled: bool = False

    @property
    def current(self) -> LiveEvent | None:
        """The event under the cursor; ``None`` if nothing is shown."""
        reading = self.reading
        return reading.history[reading.cursor] if reading.history else None

    def take(self, arrival: Arrival) -> None:
        """Add what has come, or go on in other events at the same place."""
        if (history := arrival.history) is not None:
            before = self.reading
            self.reading = (
                before.over(history) if self.is_filled else Reading(history, before.height)
            )
            self.is_filled = True
            return
        self.reading.history.add(arrival.events)
        self.reading.follow()
