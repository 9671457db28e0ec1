"""Where a filter is typed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Input, Static

from logkit_analysis.renderers.escaping import escape_controls

if TYPE_CHECKING:
    from textual.app import ComposeResult

_HINT = "key=value key!=value key~=part, or SQL: duration_ms > 500   enter applies, esc leaves"


class Prompt(Vertical):
    """A line to type a filter into, and one that says what is wrong with it."""

    class Typed(Message):
        """A filter was typed."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self) -> None:
        super().__init__(id="prompt")
        self._input = Input(id="prompt-input", compact=True, select_on_focus=False)
        self._note = Static(id="prompt-note")
        self.display = False

    def compose(self) -> ComposeResult:
        """Return the parts."""
        with Horizontal(id="prompt-line"):
            yield Static(" filter / ", id="prompt-label")
            yield self._input
        yield self._note

    def open(self, text: str) -> None:
        """Let *text* be changed."""
        self._input.value = text
        self._input.cursor_position = len(text)
        self._note.update(Text(_HINT, "dim", no_wrap=True))
        self.display = True
        # `focus` would come too late for what is typed or pasted at once.
        self.screen.set_focus(self._input, scroll_visible=False)

    def refuse(self, reason: str) -> None:
        """Say why the text is no filter."""
        self._note.update(Text(escape_controls(reason), "bold red", no_wrap=True))

    def close(self) -> None:
        """Close it."""
        self.display = False

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Hand on what was typed."""
        event.stop()
        self.post_message(self.Typed(event.value.strip()))
