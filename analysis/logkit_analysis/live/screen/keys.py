"""What the keys do, as the app knows it and as its help says it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text
from textual.binding import Binding

if TYPE_CHECKING:
    from textual.binding import BindingType

_TABLE: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("space", "pause; again: go on, page by page", {"space": "pause_or_resume"}),
    ("up down k j", "pause, move the cursor", {"up,k": "move(-1)", "down,j": "move(1)"}),
    ("PgUp PgDn b f", "pause, turn the page", {"pageup,b": "turn(-1)", "pagedown,f": "turn(1)"}),
    ("Home g", "pause at the oldest line held", {"home,g": "oldest"}),
    ("End G", "to the newest line, and follow", {"end,G": "newest"}),
    ("left right", "see more of long lines", {"left": "shift(-1)", "right": "shift(1)"}),
    ("enter", "the whole event as JSON", {"enter": "detail"}),
    ("t", "follow its correlation id; again: back", {"t": "trace"}),
    ("p", "patterns: the kinds of lines held", {"p": "patterns"}),
    ("/", "filter: key=value key!=value key~=part, SQL", {"slash": "filter"}),
    ("l", "lowest level shown", {"l": "level"}),
    ("esc", "close, or back", {"escape": "leave"}),
    ("? F1", "this help", {"question_mark,f1": "help"}),
    ("q", "close, or quit", {"q": "end"}),
)
_ALWAYS = (
    ("ctrl-c", "quit", {"ctrl+c": "quit"}),
    ("ctrl-z", "to the shell; fg: back", {"ctrl+z": "suspend_process"}),
)
_KEY_WIDTH = max(len(names) for names, _, _ in _TABLE)
_NOTES = (
    "Lines with a bar at the left came since the pause.",
    "The mouse is the terminal's own: mark and copy as ever.",
)

# What is pressed or pasted in a burst is for whatever the keys before have opened. That holds only
# of bindings that the app looks at before it hands a key to a widget.
BINDINGS: list[BindingType] = [
    Binding(keys, action, show=False, priority=True)
    for _, _, actions in (*_TABLE, *_ALWAYS)
    for keys, action in actions.items()
]

NOT_IN_PANEL = frozenset(
    ("pause_or_resume", "move", "turn", "oldest", "newest", "shift", "detail", "filter")
)
"""Actions on the lines: a panel that is open has its own keys for them, or none."""

IN_PROMPT = frozenset(("leave", "quit", "suspend_process"))
"""Actions that are possible while something is typed."""


def help_lines() -> list[Text]:
    """Return the keys and what they do, a line each."""
    lines = [
        Text.assemble((names.ljust(_KEY_WIDTH), "bold"), "  ", does)
        for names, does, _ in (*_TABLE, *_ALWAYS)
    ]
    return [*lines, Text(), *(Text(note, "dim") for note in _NOTES)]
