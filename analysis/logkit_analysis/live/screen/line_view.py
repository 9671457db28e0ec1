"""The lines of a live view: only those on the page are ever drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.style import Style
from textual.cache import LRUCache
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.text import Text
    from textual.events import Resize

    from logkit_analysis.live.event import LiveEvent
    from logkit_analysis.live.reading import Reading

_CURSOR = Style(reverse=True)
_NEW = Segment("▎", Style(color="yellow"))
_MARGIN = Segment(" ")
_DIM = Style(dim=True)
_MORE = Segment("…", _DIM)
_SIDE_STEP = 16
# Of one line; a page of stacks of 64 KB each would take a second to draw. The detail has it all.
_MOST_CHARACTERS = 4_000


class LineView(Widget, can_focus=True):
    """Shows the page of a reading.

    Args:
        reading: What is shown.
        draw: An event as one line, safe for a terminal.
    """

    class Resized(Message):
        """The page has another height or width."""

    def __init__(self, reading: Reading, draw: Callable[[LiveEvent], Text]) -> None:
        super().__init__(id="lines")
        self.reading = reading
        self._draw = draw
        self._shift = 0
        self._emptiness = ""
        self._page: tuple[int, ...] = ()
        self._drawn: LRUCache[int, Strip] = LRUCache(512)

    def show(self, reading: Reading) -> None:
        """Show another *reading*."""
        reading.resize(self.size.height)
        self.reading = reading
        self.redraw()

    def tell(self, emptiness: str) -> None:
        """Say *emptiness* where there is no line."""
        if emptiness != self._emptiness:
            self._emptiness = emptiness
            self.refresh()

    def refresh_page(self) -> None:
        """Draw the page if it has changed: during a pause, what comes leaves it as it is."""
        reading = self.reading
        page = (id(reading), reading.top, reading.bottom, reading.cursor, reading.is_paused)
        if page != self._page:
            self._page = page
            self.refresh()

    def redraw(self) -> None:
        """Draw the lines anew, since they look different now."""
        self._drawn.clear()
        self.refresh()

    def shift(self, steps: int) -> None:
        """Show more of the lines' ends, of their beginnings if negative."""
        longest = max(
            (self._strip(n).cell_length for n in range(self.reading.top, self.reading.bottom)),
            default=0,
        )
        most = max(0, longest - self.size.width // 2)
        self._shift = max(0, min(self._shift + steps * _SIDE_STEP, most))
        self.refresh()

    def on_resize(self, event: Resize) -> None:
        """Keep the place on a page of another size."""
        self.reading.resize(event.size.height)
        self.redraw()
        self.post_message(self.Resized())

    def render_line(self, y: int) -> Strip:
        """Return row *y* of the page."""
        reading, width = self.reading, self.size.width
        place = reading.top + y
        if not reading.history and y == 0:
            return Strip([_MARGIN, Segment(self._emptiness, _DIM)]).crop_extend(0, width, None)
        if not reading.history.first <= place < reading.bottom:
            return Strip.blank(width)
        line = self._cut(self._strip(place), width - 1)
        if reading.is_paused and place == reading.cursor:
            # Reversed colours of levels are hard to read: under the cursor a line has none.
            line = Strip([Segment(line.text, _CURSOR)], line.cell_length)
        return Strip([_NEW if reading.is_new(place) else _MARGIN, *line], width)

    def _cut(self, line: Strip, width: int) -> Strip:
        """Return the part of *line* that is to be seen."""
        end = self._shift + width
        if line.cell_length <= end:
            return line.crop_extend(self._shift, end, None)
        return Strip([*line.crop(self._shift, end - 1), _MORE], width)

    def _strip(self, place: int) -> Strip:
        strip = self._drawn.get(place)
        if strip is None:
            text = self._draw(self.reading.history[place])
            text.end = ""
            if len(text) > _MOST_CHARACTERS:
                text.right_crop(len(text) - _MOST_CHARACTERS)
                text.append("…")
            strip = Strip(text.render(self.app.console), text.cell_len)
            self._drawn[place] = strip
        return strip
