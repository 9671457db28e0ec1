"""Where somebody reads in a history that goes on growing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from logkit_analysis.live.history import History


class Reading:
    """A page of a history, and the line of it that the cursor is on.

    It follows the newest event until it is paused; then it stays as it is, whatever comes, and
    counts what it has not shown. All places are numbers of the history.

    Args:
        history: What is read. Call `follow` after each change of it.
        height: How many lines a page has.

    Attributes:
        top: Place of the page's first line.
        cursor: Place of the cursor.
        is_paused: Whether it stays where it is.
        is_catching_up: Whether it was resumed with more to read than a page; it is paused still,
            at the first page that was missed.
    """

    def __init__(self, history: History, height: int = 1) -> None:
        self.history = history
        self.height = height
        self.is_paused = False
        self.is_catching_up = False
        self.top = self.cursor = self.seen_end = self._chosen_top = history.first
        self._first_at_pause = history.first
        self._end_at_pause = history.end
        self.follow()

    @property
    def bottom(self) -> int:
        """Place after the page's last line."""
        return min(self.top + self.height, self.seen_end)

    @property
    def new_count(self) -> int:
        """How many events below have not been on a page yet."""
        return self.history.end - max(self.seen_end, self.history.first)

    @property
    def dropped_count(self) -> int:
        """How many of the oldest events have gone since the pause, for want of memory."""
        return self.history.first - self._first_at_pause if self.is_paused else 0

    def is_new(self, place: int) -> bool:
        """Return whether the event at *place* has come since the pause."""
        return self.is_paused and place >= self._end_at_pause

    def follow(self) -> None:
        """Take notice of what came and what went."""
        if self.is_paused:
            is_lost = self.top < self.history.first
            self._put(self.top, self.cursor)
            if is_lost:
                self._reveal()
            return
        self._show(self.history.end - self.height, self.history.end - 1)
        self.seen_end = self.history.end

    def resize(self, height: int) -> None:
        """Give the page another *height*; the cursor stays on it.

        The old height brings the old page back.
        """
        self.height = max(1, height)
        if not self.is_paused:
            self.follow()
            return
        # A page that has grown is filled from above; nothing new comes onto it.
        top = min(self._chosen_top, self.seen_end - self.height)
        self._put(max(top, self.cursor - self.height + 1), self.cursor)

    def pause(self) -> None:
        """Stay at this page."""
        if not self.is_paused:
            self.is_paused = True
            self._first_at_pause = self.history.first
            self._end_at_pause = self.history.end

    def resume(self) -> None:
        """Go on where it stood: at the first event that was not shown, never past it.

        With more of them than a page holds it stays at that page, until resumed for the next.
        """
        if self.new_count <= self.height:
            self.go_newest()
            return
        self.is_catching_up = True
        place = max(self.seen_end, self.history.first)
        self._show(place, place)
        self._reveal()

    def go_newest(self) -> None:
        """Follow the newest event, past all that was missed."""
        self.is_paused = self.is_catching_up = False
        self.follow()

    def go_oldest(self) -> None:
        """Pause at the oldest event."""
        self.pause()
        self._show(self.history.first, self.history.first)

    def move(self, lines: int) -> None:
        """Pause and move the cursor down by *lines*, up if negative; the page goes with it.

        Down from the newest event is back to following.
        """
        if not self.history:
            return
        if lines > 0 and self.cursor >= self.history.end - 1:
            self.go_newest()
            return
        self.pause()
        cursor = self._within(self.cursor + lines)
        self._show(min(max(self.top, cursor - self.height + 1), cursor), cursor)
        if cursor >= self.seen_end:
            self._reveal()

    def turn(self, pages: int) -> None:
        """Pause and go down by *pages*, up if negative; the cursor keeps its row."""
        lines = pages * max(1, self.height - 1)
        if lines > 0 and self.top + self.height >= self.history.end:
            self.move(max(1, self.history.end - 1 - self.cursor))
            return
        self.pause()
        row = self.cursor - self.top
        top = min(self.top + lines, self.history.end - self.height)
        self._show(top, max(top, self.history.first) + row)
        if lines > 0:
            self._reveal()

    def over(self, history: History) -> Reading:
        """Return a reading of *history*, which has other events of the same log, at this place.

        The cursor is on the same event, else on the nearest before it, else after it.
        """
        other = Reading(history, self.height)
        if not self.is_paused:
            return other
        places = {id(event): place for place, event in enumerate(history, history.first)}
        other.pause()
        other.is_catching_up = self.is_catching_up
        cursor = self._nearest(self.cursor, places, history.first)
        other.seen_end = self._nearest(self.seen_end - 1, places, history.first - 1) + 1
        before = history.first - 1
        other._end_at_pause = self._nearest(self._end_at_pause - 1, places, before) + 1
        other._show(cursor - (self.cursor - self.top), cursor)
        return other

    def _nearest(self, place: int, places: dict[int, int], otherwise: int) -> int:
        """Return the place in *places* of the event at *place*, or of the nearest to it."""
        events = list(self.history)
        split = max(0, place + 1 - self.history.first)
        for event in (*reversed(events[:split]), *events[split:]):
            if (found := places.get(id(event))) is not None:
                return found
        return otherwise

    def _within(self, place: int) -> int:
        return max(min(place, self.history.end - 1), self.history.first)

    def _show(self, top: int, cursor: int) -> None:
        """Show the page from *top*, or the nearest there is, since somebody wants it."""
        self._put(top, cursor)
        self._chosen_top = self.top

    def _put(self, top: int, cursor: int) -> None:
        self.top = self._within(top)
        self.cursor = self._within(cursor)

    def _reveal(self) -> None:
        """Show what came into the page's empty lines."""
        self.seen_end = max(self.seen_end, min(self.top + self.height, self.history.end))
