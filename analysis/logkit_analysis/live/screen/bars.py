"""The bars of the full screen as texts that fit its width."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.text import Text

from logkit_analysis.live.painting import cut
from logkit_analysis.live.status_line import fitting, status_parts
from logkit_analysis.renderers.escaping import escape_controls

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logkit_analysis.live.lines import Segment
    from logkit_analysis.live.rates import Status
    from logkit_analysis.live.reading import Reading
    from logkit_analysis.live.view_filter import ViewFilter


@dataclass(frozen=True, slots=True)
class Figures:
    """What the status line tells.

    Attributes:
        status: What came in lately.
        files: The names of the files that are watched.
        lag_bytes: How much of them has not been read yet.
    """

    status: Status
    files: Sequence[str] = ()
    lag_bytes: int = 0


_LIVE_KEYS = (
    "q quit",
    "? help",
    "space pause",
    "/ filter",
    "enter detail",
    "t trace",
    "p patterns",
    "l level",
)


def fitted(parts: Sequence[Segment], width: int) -> Text:
    """Return as many of *parts* as *width* cells hold, the first ones first."""
    kept = fitting(parts, width - 1) or cut(list(parts[:1]), width - 1)
    return Text.assemble(" ", *kept, no_wrap=True, end="")


def title(
    files: Sequence[str], selected: str, view_filter: ViewFilter, day: str, width: int
) -> Text:
    """Return what is shown: of which files, which lines of them, and of which *day*."""
    parts = []
    if view_filter.correlation_id is not None:
        parts += [(f"TRACE {view_filter.correlation_id}", "bold"), ("esc back", "dim")]
    if view_filter.level is not None:
        parts.append((f"{view_filter.level} and worse", "bold"))
    if view_filter.text:
        parts.append((f"/ {view_filter.text}", "bold"))
    if selected:
        parts.append((selected, ""))
    parts += [(_names(files), ""), (day, "dim")]
    return fitted([(escape_controls(words), style) for words, style in parts], width)


def _names(files: Sequence[str]) -> str:
    if not files:
        return "waiting for files"
    first, *others = files
    return f"{first} and {len(others):,} more" if others else first


def state(reading: Reading, panel_keys: Sequence[str], width: int) -> Text:
    """Return whether the view follows or is paused, what waits below, and what to press.

    Args:
        reading: What is told of.
        panel_keys: What the keys do in a panel that is open, if one is.
        width: Width of the bar.
    """
    if not reading.is_paused:
        keys = [(words, "dim") for words in panel_keys or _LIVE_KEYS]
        return fitted([("LIVE", "bold green"), *keys], width)
    new = f"{reading.new_count:,} new below" if reading.new_count else "nothing new yet"
    words = ["CATCHING UP" if reading.is_catching_up else "PAUSED", new]
    if reading.dropped_count:
        words.append(f"{reading.dropped_count:,} oldest dropped")
    go_on = "space next page" if reading.is_catching_up else "space resumes"
    words += panel_keys or (go_on, "G newest", "? help", "enter detail", "t trace")
    return fitted([(one, "") for one in words], width)


def status(figures: Figures, width: int) -> Text:
    """Return the figures of the last minute."""
    return fitted(status_parts(figures.status, figures.lag_bytes), width)
