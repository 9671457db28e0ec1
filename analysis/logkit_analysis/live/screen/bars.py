"""The bars of the full screen as texts that fit its width."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.text import Text

from logkit_analysis.live.units import milliseconds, readable
from logkit_analysis.renderers.escaping import escape_controls
from logkit_analysis.renderers.sparkline import sparkline

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logkit_analysis.live.rates import Status
    from logkit_analysis.live.reading import Reading
    from logkit_analysis.live.sieve import Sieve

Part = tuple[str, str]
"""Some text and its style."""


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


_GAP = "  "
_SPARK_WIDTH = 30
_LEAST_SPARK_WIDTH = 6
_LIVE_KEYS = (
    "space pause",
    "? help",
    "/ filter",
    "enter detail",
    "t trace",
    "p patterns",
    "l level",
    "q quit",
)


def fitted(parts: Sequence[Part], width: int) -> Text:
    """Return as many of *parts* as *width* holds, the first ones first; the first may be cut."""
    text = Text(no_wrap=True, end="")
    for words, style in parts:
        gap = _GAP if text else " "
        if text and text.cell_len + len(gap) + cell_len(words) > width:
            break
        text.append(gap)
        text.append(words, style)
    text.truncate(width, overflow="ellipsis")
    return text


def title(files: Sequence[str], selected: str, sieve: Sieve, width: int) -> Text:
    """Return what is shown: of which files, and which lines of them."""
    parts = []
    if sieve.correlation_id is not None:
        parts += [(f"TRACE {sieve.correlation_id}", "bold"), ("esc back", "dim")]
    if sieve.level is not None:
        parts.append((f"{sieve.level} and worse", "bold"))
    if sieve.text:
        parts.append((f"/ {sieve.text}", "bold"))
    if selected:
        parts.append((selected, ""))
    parts.append((_names(files), ""))
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
    words += panel_keys or (go_on, "G newest", "? help")
    return fitted([(one, "") for one in words], width)


def status(figures: Figures, width: int) -> Text:
    """Return the figures of the last minute."""
    now, lag_bytes = figures.status, figures.lag_bytes
    parts: list[Part] = [
        (f"{_rate(now.lines_per_s)} lines/s", "bold"),
        _errors(now.error_ratio),
        (f"429s {now.rate_limited:,}", "bold magenta" if now.rate_limited else ""),
    ]
    if lag_bytes:
        parts.append((f"{readable('lag_bytes', lag_bytes)[1]} behind", "bold yellow"))
    taken = sum(len(words) + len(_GAP) for words, _ in parts)
    parts += _p95(now.p95_ms, now.last_p95_ms, width - taken)
    return fitted(parts, width)


def _rate(lines_per_s: float) -> str:
    return f"{lines_per_s:,.0f}" if lines_per_s >= 10 or not lines_per_s else f"{lines_per_s:.1f}"


def _errors(ratio: float | None) -> Part:
    if ratio is None:
        return "errors -", ""
    return f"errors {ratio:.1%}".replace("%", " %"), "bold red" if ratio >= 0.05 else ""


def _p95(values: Sequence[float | None], newest: float | None, room: int) -> list[Part]:
    """Return the newest 95th percentile, with as much of its history as there is *room* for."""
    if newest is None:
        return [("p95 -", "")]
    words = f"p95 {milliseconds(newest)}"
    width = min(_SPARK_WIDTH, room - len(words) - len(_GAP) - 1)
    if width < _LEAST_SPARK_WIDTH:
        return [(words, "")]
    return [(f"{words} {sparkline(values, width)}", "cyan")]
