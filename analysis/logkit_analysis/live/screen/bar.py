"""One row of the screen that says something."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.widgets import Static

if TYPE_CHECKING:
    from rich.text import Text


class Bar(Static):
    """A row that is drawn only when it says something else: a line over the world is slow.

    Args:
        name: Its name in the style sheet.
    """

    def __init__(self, name: str) -> None:
        super().__init__(id=name)
        self._told: Text | None = None

    def tell(self, text: Text) -> None:
        """Say *text*."""
        if text != self._told:
            self._told = text
            self.update(text, layout=False)
