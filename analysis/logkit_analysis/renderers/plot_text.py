"""A time series as a chart of block characters, the same on a terminal and in a pipe."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from rich.cells import cell_len

from logkit_analysis.renderers.escaping import escape_controls
from logkit_analysis.renderers.scales import Scale, round_up
from logkit_analysis.renderers.sparkline import BLOCKS
from logkit_analysis.renderers.time_axis import TimeAxis
from logkit_analysis.renderers.units import PLAIN, Unit, quantity, unit_for

if TYPE_CHECKING:
    from collections.abc import Sequence
    from zoneinfo import ZoneInfo

    from logkit_analysis.renderers.timeline import Point, Timeline
    from logkit_analysis.time_window import Window

MOST_SERIES = 4
"""More series than these are counted, not drawn: the charts must stay on one screen."""

_HEIGHTS = {1: 10, 2: 7, 3: 5, 4: 4}
_WIDEST_BAR = 24
_LEAST_CELLS = 20
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ROUND_S = (
    *(1, 2, 3, 5, 10, 15, 20, 30, 60, 120, 180, 300, 600, 900, 1200, 1800, 3600),
    *(7200, 10800, 14400, 21600, 43200, 86400, 2 * 86400, 7 * 86400),
)
# Among so many samples it does not show that one more or less falls into a cell.
_MANY = 20
# Into how many parts an axis of values may fall.
_PARTS = (2, 3, 4)


def plot_text(line: Timeline, zone: ZoneInfo, width: int, window: Window | None = None) -> str:
    """Return *line* as charts under each other, one a series, with the same axes.

    A bar is the greatest value of its time, an empty axis has no value there, and a value of
    zero keeps the axis.

    Args:
        line: What to draw; at least one point.
        zone: Zone of the times under the charts.
        width: Cells of a line.
        window: Time to show, where it is more than that of the points.
    """
    if len(line.moments) == 1 and window is not None:
        # How long a lone bucket is cannot be told from its neighbours.
        line = replace(line, step=max(line.step, window.until - line.moments[0]))
    drawn = dict(list(line.series.items())[:MOST_SERIES])
    values = [value for points in drawn.values() for _, value in points]
    unit = unit_for(line.column, max(map(abs, values)))
    scale = _scale(values, unit)
    labels = {tick: quantity(tick, unit) for tick in scale.ticks}
    margin = max(map(cell_len, labels.values()))
    axis = _axis(line, zone, max(width - margin - 2, _LEAST_CELLS), window)
    lines = [_caption(line, axis)]
    for label, points in drawn.items():
        bars = _bars(points, axis, line.step)
        lines += ["", *_title(label, points, unit, axis, width)]
        lines += _rows(bars, scale, labels, margin, _HEIGHTS[len(drawn)])
        lines.append(_foot(bars, labels[scale.ticks[0]], margin, axis))
    lines += [_times(axis, margin), " " * (margin + 2) + axis.note()]
    if len(line.series) > len(drawn):
        lines += ["", f"{len(line.series) - len(drawn):,} more with smaller sums are not drawn"]
    return "".join(f"{escape_controls(one).rstrip()}\n" for one in lines)


def _scale(values: Sequence[float], unit: Unit) -> Scale:
    """Return the axis with the least room above the values: from zero, in round *unit*s."""
    least, most = min(0.0, *values) / unit.size, max(0.0, *values) / unit.size
    is_whole = unit is PLAIN and all(value.is_integer() for value in values)
    steps = [round_up((most - least) / parts or 1.0) for parts in _PARTS]
    if is_whole:
        steps = [max(step, 1.0) for step in steps]
    step = min(steps, key=lambda one: (math.ceil(most / one) - math.floor(least / one)) * one)
    first, last = math.floor(least / step), max(math.ceil(most / step - 1e-9), 1)
    ticks = tuple(index * step * unit.size for index in range(first, last + 1))
    return Scale(ticks[0], ticks[-1], ticks)


def _axis(line: Timeline, zone: ZoneInfo, room: int, window: Window | None) -> TimeAxis:
    """Return an axis whose cells hold whole steps, or whose steps hold whole cells."""
    start, end = line.moments[0], line.moments[-1] + line.step
    if window is not None:
        before = max(start - window.since, timedelta())
        start -= -(-before // line.step) * line.step
        end = max(end, window.until)
    steps = -(-(end - start) // line.step)
    if steps > room:
        cell = _cell(line.step, -(-steps // room))
        start -= (start - _EPOCH) % cell
        return TimeAxis(start, cell, -(-(end - start) // cell), zone)
    wide = min(room // steps, _WIDEST_BAR)
    return TimeAxis(start, line.step / wide, steps * wide, zone)


def _cell(step: timedelta, least: int) -> timedelta:
    """Return a time of at least so many steps: whole steps and, if it can be, a round time."""
    for seconds in _ROUND_S:
        cell = timedelta(seconds=seconds)
        if least * step <= cell and (not cell % step or cell > _MANY * step):
            return cell if cell <= 2 * least * step else least * step
    return least * step


def _bars(points: Sequence[Point], axis: TimeAxis, step: timedelta) -> list[float | None]:
    bars: list[float | None] = [None] * axis.count
    for at, value in points:
        first = axis.index(at)
        last = max(axis.index(at + step - timedelta(microseconds=1)), first)
        for index in range(first, last + 1):
            before = bars[index]
            bars[index] = value if before is None else max(before, value)
    return bars


def _caption(line: Timeline, axis: TimeAxis) -> str:
    by = f" by {', '.join(line.groups)}" if line.groups else ""
    if axis.cell > line.step:
        return f"{line.column}{by}, the greatest of each {_duration(axis.cell)}"
    return f"{line.column}{by}, every {_duration(line.step)}"


def _title(
    label: str, points: Sequence[Point], unit: Unit, axis: TimeAxis, width: int
) -> list[str]:
    """Return the name of a series and its peak, in two lines where one is too short."""
    at, peak = max(points, key=lambda point: point[1])
    is_level = all(value == peak for _, value in points)
    text = f"{'always' if is_level else 'at most'} {quantity(peak, unit)}"
    text += "" if is_level else f" at {axis.clock(at)}"
    if not label:
        return [text]
    both = f"{label}  {text}"
    return [both] if cell_len(both) <= width else [label, text]


def _rows(
    bars: Sequence[float | None], scale: Scale, labels: dict[float, str], margin: int, height: int
) -> list[str]:
    named = {max(math.ceil(scale.share(tick) * height) - 1, 0): tick for tick in scale.ticks[1:]}
    eighths = [None if bar is None else _eighths(bar, scale, height) for bar in bars]
    lines = []
    for row in reversed(range(height)):
        tick = named.get(row)
        head = " " * margin + " │" if tick is None else f"{labels[tick]:>{margin}} ┤"
        lines.append(head + "".join(_block(one, row) for one in eighths))
    return lines


def _eighths(value: float, scale: Scale, height: int) -> int:
    """Return the height of a bar in eighths of a line: at least one where it is not the least."""
    filled = round(scale.share(value) * height * 8)
    return max(filled, 1) if value > scale.low else filled


def _block(eighths: int | None, row: int) -> str:
    part = min((eighths or 0) - row * 8, 8)
    return BLOCKS[part - 1] if part > 0 else " "


def _foot(bars: Sequence[float | None], label: str, margin: int, axis: TimeAxis) -> str:
    """Return the axis, which is there where a value is there."""
    cells = [" " if bar is None else "─" for bar in bars]
    for index in axis.ticks():
        cells[index] = "╷" if bars[index] is None else "┬"
    return f"{label:>{margin}} ┼" + "".join(cells)


def _times(axis: TimeAxis, margin: int) -> str:
    """Return the labels of the times, each under its tick."""
    text = ""
    for index, label in axis.ticks().items():
        text = text.ljust(margin + 2 + index - len(label) // 2) + label
    return text


def _duration(span: timedelta) -> str:
    return quantity(span.total_seconds(), unit_for("seconds", span.total_seconds()))
