"""A waterfall: the steps of an action as words that wrap, each with its bar as SVG."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from logkit_analysis.reports import wording
from logkit_analysis.reports.charts.plot import WIDTH, stretched

if TYPE_CHECKING:
    from collections.abc import Iterable

    from logkit_analysis.detect.waterfall import Step
    from logkit_analysis.reports.document import Trace

_BAR = 8
_BAD = ("error", "critical")
_LEAST_WIDTH = 2.5


@dataclass(frozen=True, slots=True)
class Line:
    """A step as it is shown: what it was, how long it took, and its bar."""

    label: str
    time: str
    depth: int
    bar: Markup


def lines(trace: Trace) -> list[Line]:
    """Return the steps of *trace*; the bars share one scale, that of the whole action."""
    total = max((_end(step) for step in trace.steps), default=0.0) or 1.0
    return [_line(step, total) for step in trace.steps]


def _line(step: Step, total: float) -> Line:
    took = step.row["duration_ms"]
    time = wording.milliseconds(took) if took else f"+{wording.milliseconds(step.offset_ms)}"
    gap = f" · after {_gap(step)}" if step.gap_before_ms else ""
    return Line(f"{label(step)}{gap}", time, step.depth, stretched(0, _BAR, _bars(step, total)))


def told(step: Step) -> str:
    """Return a step in words: when it began, how long it took, what it was and how it ended."""
    parts = [f"+{wording.milliseconds(step.offset_ms)}", label(step)]
    if step.row["duration_ms"]:
        parts.append(f"took {wording.milliseconds(step.row['duration_ms'])}")
    if step.gap_before_ms:
        parts.append(f"after {_gap(step)}")
    return ", ".join(parts)


def label(step: Step) -> str:
    """Return what a step was and how it ended."""
    row = step.row
    parts = [row["event"], row["operation"], row["status_code"]]
    parts.append(f"(attempt {row['attempt']})" if row["attempt"] else None)
    parts.append(row["error"])
    return " ".join(wording.words(part, 80) for part in parts if part is not None)


def _gap(step: Step) -> str:
    why = "in a queue" if step.is_queued else "with nothing logged"
    return f"{wording.milliseconds(step.gap_before_ms)} {why}"


def _end(step: Step) -> float:
    return step.offset_ms + float(step.row["duration_ms"] or 0.0)


def _bars(step: Step, total: float) -> Iterable[Markup]:
    if step.gap_before_ms:
        yield _bar("gap", step.offset_ms - step.gap_before_ms, step.gap_before_ms, total)
    is_bad = step.row["level"] in _BAD or (step.row["status_code"] or 0) >= 400
    kind = "bad" if is_bad else "main"
    yield _bar(kind, step.offset_ms, float(step.row["duration_ms"] or 0.0), total)


def _bar(kind: str, start: float, length: float, total: float) -> Markup:
    left = min(start / total * WIDTH, WIDTH - _LEAST_WIDTH)
    width = max(length / total * WIDTH, _LEAST_WIDTH)
    return Markup('<rect class="bar {kind}" x="{x:.1f}" width="{w:.1f}" height="{h}"/>').format(
        kind=kind, x=left, w=width, h=_BAR
    )
