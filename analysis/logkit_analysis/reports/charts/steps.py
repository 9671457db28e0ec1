"""The bars of a waterfall as SVG, one for each step of an action."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from logkit_analysis.reports import wording
from logkit_analysis.reports.charts.plot import WIDTH, stretched, svg

if TYPE_CHECKING:
    from collections.abc import Iterable

    from logkit_analysis.detect.waterfall import Step
    from logkit_analysis.reports.document import Trace

_ROW = 34
_BAR = 9
_BAD = ("error", "critical")
_AVERAGE_WIDTH = 6.6


def steps(trace: Trace) -> Markup:
    """Return the waterfall of *trace*: what a step was, above its bar."""
    total = max((_end(step) for step in trace.steps), default=0.0) or 1.0
    marks: list[Markup] = []
    names: list[Markup] = []
    for index, step in enumerate(trace.steps):
        top = index * _ROW
        marks += _bars(step, total, top)
        names += _names(step, top)
    height = _ROW * len(trace.steps) + 4
    id_ = f"trace-{trace.sources[0] if trace.sources else 0}"
    summary = "; ".join(told(step) for step in trace.steps)
    return svg(id_, f"Steps of {trace.id}", summary, height, [stretched(0, height, marks), *names])


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


def _bars(step: Step, total: float, top: int) -> Iterable[Markup]:
    y = top + _ROW - _BAR - 4
    if step.gap_before_ms:
        yield _bar("gap", step.offset_ms - step.gap_before_ms, step.gap_before_ms, total, y)
    is_bad = step.row["level"] in _BAD or (step.row["status_code"] or 0) >= 400
    kind = "bad" if is_bad else "main"
    yield _bar(kind, step.offset_ms, float(step.row["duration_ms"] or 0.0), total, y)


def _bar(kind: str, start: float, length: float, total: float, y: int) -> Markup:
    left, width = start / total * WIDTH, max(length / total * WIDTH, 2.5)
    return Markup(
        '<rect class="bar {kind}" x="{x:.1f}" width="{w:.1f}" y="{y}" height="{h}"/>'
    ).format(kind=kind, x=min(left, WIDTH - 2.5), w=width, y=y, h=_BAR)


def _names(step: Step, top: int) -> Iterable[Markup]:
    y = top + _ROW - _BAR - 9
    took = step.row["duration_ms"]
    time = wording.milliseconds(took) if took else f"+{wording.milliseconds(step.offset_ms)}"
    gap = f" · after {_gap(step)}" if step.gap_before_ms else ""
    yield Markup('<text class="step" x="0" y="{y}">{label}</text>').format(
        y=y, label=f"{'· ' * step.depth}{label(step)}{gap}"
    )
    yield Markup('<text class="took" x="100%" y="{y}">{time}</text>').format(y=y, time=time)
