"""The figures of the last minute as one line that fits the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logkit_analysis.live.painting import cells
from logkit_analysis.live.rates import SLOT_S, WINDOW_S
from logkit_analysis.renderers.sparkline import sparkline
from logkit_analysis.renderers.units import milliseconds, named_quantity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logkit_analysis.live.lines import Segment
    from logkit_analysis.live.rates import Status

GAP = "  "
_SPARK_WIDTH = WINDOW_S // SLOT_S
_MANY_ERRORS = 0.05
# Less than that is what one look leaves to the next.
_LAG_TOLD_BYTES = 1 << 20


def status_parts(now: Status, lag_bytes: int = 0) -> list[Segment]:
    """Return the figures of *now*, the most important first, each with its style.

    Args:
        now: What came in lately.
        lag_bytes: What the files hold that was not read yet.
    """
    parts = [
        (f"{_rate(now.lines_per_s)} lines/s", "bold"),
        _errors(now.error_ratio),
        (f"429s {now.rate_limited:,}", "bold magenta" if now.rate_limited else ""),
        (f"p95 {'-' if now.last_p95_ms is None else milliseconds(now.last_p95_ms)}", "cyan"),
    ]
    if lag_bytes >= _LAG_TOLD_BYTES:
        parts.insert(1, (f"{named_quantity('lag_bytes', lag_bytes)[1]} behind", "bold yellow"))
    if now.rejects:
        parts.append((f"rejected {now.rejects:,}", "magenta"))
    if now.last_p95_ms is not None:
        parts.append((sparkline(now.p95_ms, _SPARK_WIDTH), "cyan"))
    return parts


def fitting(parts: Sequence[Segment], width: int) -> list[Segment]:
    """Return as many of *parts*, with a gap between them, as *width* cells hold whole."""
    kept: list[Segment] = []
    for text, style in parts:
        gap = GAP if kept else ""
        width -= len(gap) + cells(text)
        if width < 0:
            break
        kept += [(gap, ""), (text, style)] if gap else [(text, style)]
    return kept


def _rate(lines_per_s: float) -> str:
    is_few = 0 < lines_per_s < 10
    return f"{lines_per_s:.1f}" if is_few else f"{lines_per_s:,.0f}"


def _errors(ratio: float | None) -> Segment:
    if ratio is None:
        return "errors -", ""
    return f"errors {ratio * 100:.1f} %", "bold red" if ratio >= _MANY_ERRORS else ""
