"""What opens beside the lines: an event in whole, the patterns, the keys."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.message import Message
from textual.widgets import Static

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType


_KEYS = ("esc closes", "up down scroll")
_DETAIL_KEYS = (*_KEYS, "left right other lines")


class Kind(Enum):
    """What a panel may show."""

    DETAIL = "detail"
    PATTERNS = "patterns"
    HELP = "help"


class Panel(VerticalScroll):
    """A text that can be scrolled, below the lines.

    Attributes:
        kind: What it shows; ``None`` while it is closed.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "step(-1)", show=False),
        Binding("right", "step(1)", show=False),
        Binding("j", "scroll_down", show=False),
        Binding("k", "scroll_up", show=False),
        Binding("space", "page_down", show=False),
        Binding("g", "scroll_home", show=False),
        Binding("G", "scroll_end", show=False),
    ]

    class Stepped(Message):
        """The event before or after the one shown is wanted."""

        def __init__(self, lines: int) -> None:
            super().__init__()
            self.lines = lines

    def __init__(self) -> None:
        super().__init__(id="panel")
        self.kind: Kind | None = None
        self._title = Static(id="panel-title")
        self._body = Static(id="panel-body")
        self.display = False

    def compose(self) -> ComposeResult:
        """Return the parts."""
        yield self._title
        yield self._body

    @property
    def keys(self) -> Sequence[str]:
        """What its keys do; nothing while it is closed."""
        if self.kind is None:
            return ()
        return _DETAIL_KEYS if self.kind is Kind.DETAIL else _KEYS

    def open(self, kind: Kind, title: str, lines: Iterable[Text]) -> None:
        """Show *lines* under *title*; from the top, unless it shows that *kind* already."""
        if kind != self.kind:
            self.scroll_home(animate=False)
        self.kind = kind
        self._title.update(Text(title, "bold"))
        self._body.update(Text("\n").join(lines))
        self.display = True
        # `focus` would come too late for a key that was pressed at once.
        self.screen.set_focus(self, scroll_visible=False)

    def close(self) -> None:
        """Close it."""
        self.kind = None
        self.display = False

    def action_step(self, lines: int) -> None:
        """Ask for another event."""
        self.post_message(self.Stepped(lines))
