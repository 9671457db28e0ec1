"""A waterfall as text: when each step began, a bar for how long it took, and what it was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from logkit_analysis.renderers.escaping import escape_controls

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from logkit_analysis.detect.waterfall import Step

_BAR_SHARE = 0.25
_LEAST_BAR = 12
_WIDEST = 120


def waterfall_text(steps: Sequence[Step], width: int) -> str:
    """Return the lines of *steps*; a line longer than *width* characters is cut."""
    ends = [step.offset_ms + (step.row["duration_ms"] or 0) for step in steps]
    total_ms = max(ends, default=0.0) or 1.0
    bar_width = max(int(min(width, _WIDEST) * _BAR_SHARE), _LEAST_BAR)
    lines = [line for step in steps for line in _lines(step, total_ms, bar_width)]
    return "".join(f"{_cut(escape_controls(line), width)}\n" for line in lines)


def _lines(step: Step, total_ms: float, bar_width: int) -> Iterator[str]:
    if step.gap_before_ms:
        why = "waited in a queue" if step.is_queued else "nothing was logged"
        start_ms = step.offset_ms - step.gap_before_ms
        bar = _bar(".", start_ms, step.gap_before_ms, total_ms, bar_width)
        yield _line(start_ms, bar, _duration(step.gap_before_ms), f"-- gap: {why} --")
    duration_ms = step.row["duration_ms"]
    bar = _bar("=" if duration_ms else "|", step.offset_ms, duration_ms or 0, total_ms, bar_width)
    label = "  " * step.depth + _label(step.row)
    yield _line(step.offset_ms, bar, _duration(duration_ms), label)


def _line(offset_ms: float, bar: str, duration: str, label: str) -> str:
    return f"{_duration(offset_ms):>10}  {bar}  {duration:>9}  {label}"


def _bar(mark: str, start_ms: float, duration_ms: float, total_ms: float, width: int) -> str:
    first = min(int(start_ms / total_ms * width), width - 1)
    last = min(max(round((start_ms + duration_ms) / total_ms * width), first + 1), width)
    return (" " * first + mark * (last - first)).ljust(width)


def _label(row: dict[str, Any]) -> str:
    parts = [row["service"], row["event"], row["operation"]]
    if row["status_code"] is not None:
        parts.append(str(row["status_code"]))
    if row["attempt"]:
        parts.append(f"(attempt {row['attempt']})")
    if row["level"] in ("warning", "error", "critical"):
        parts.append(f"[{row['level']}]")
    if row["error"]:
        parts.append(row["error"])
    return " ".join(part for part in parts if part)


def _duration(milliseconds: float | None) -> str:
    if milliseconds is None:
        return ""
    if milliseconds < 1_000:
        return f"{milliseconds:.1f} ms"
    return f"{milliseconds / 1_000:,.2f} s"


def _cut(line: str, width: int) -> str:
    line = line.rstrip()
    return line if len(line) <= width else line[: width - 1] + "~"
