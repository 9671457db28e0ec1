"""A chart as SVG: the marks stretch with the page, the words keep their size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from logkit_analysis.renderers.scales import Scale, linear, logarithmic, time_ticks

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from logkit_analysis.reports.document import Axis, Chart, Series

HEIGHT = 150
"""Height of a plot in CSS pixels, without the labels under it."""

WIDTH = 1000
"""Width of a plot in its own units, whatever it is on the page."""

HEAD = 18
"""Height of the names of the marks above a plot, in CSS pixels."""

_FOOT = 22
_LARGEST_STEP = 3
_LETTER, _DESK, _PHONE = 6.5, 940, 286
_RIGHTMOST = 0.85


@dataclass(frozen=True, slots=True)
class Frame:
    """Where a chart's instants and values lie in its plot."""

    axis: Axis
    scale: Scale

    def x(self, at: datetime) -> float:
        """Return how far to the right an instant lies, in units of the plot."""
        whole = (self.axis.until - self.axis.since).total_seconds()
        return (at - self.axis.since).total_seconds() / whole * WIDTH

    def y(self, value: float) -> float:
        """Return how far down a value lies, in pixels."""
        return HEIGHT - self.scale.share(value) * HEIGHT


def plot(chart: Chart, zone: ZoneInfo) -> Markup:
    """Return *chart* as an ``svg`` element, with its title and its summary as description."""
    frame = Frame(chart.axis, _scale(chart))
    parts = [
        _plot_area(chart, frame),
        *_value_labels(frame.scale),
        *_time_labels(frame, zone),
        *mark_labels(frame),
    ]
    return svg(chart.id, chart.title, chart.summary, HEAD + HEIGHT + _FOOT, parts)


def svg(id_: str, title: str, summary: str, height: int, parts: Iterable[Markup]) -> Markup:
    """Return an ``svg`` element as wide as the page that a screen reader can tell of."""
    return Markup(
        '<svg class="plot" width="100%" height="{height}" role="img"'
        ' aria-labelledby="{id}-title {id}-desc"><title id="{id}-title">{title}</title>'
        '<desc id="{id}-desc">{summary}</desc>{parts}</svg>'
    ).format(id=id_, title=title, summary=summary, height=height, parts=Markup("").join(parts))


def stretched(y: float, height: float, parts: Iterable[Markup]) -> Markup:
    """Return a nested ``svg`` whose content is stretched to the width of the page."""
    return Markup(
        '<svg class="marks" x="0" y="{y}" width="100%" height="{height}"'
        ' viewBox="0 0 {width} {height}" preserveAspectRatio="none">{parts}</svg>'
    ).format(y=y, height=height, width=WIDTH, parts=Markup("").join(parts))


def _scale(chart: Chart) -> Scale:
    values = [value for one in chart.series for value in one.values if value is not None]
    if chart.limit is not None:
        values.append(chart.limit)
    if chart.is_log:
        return logarithmic(values)
    # There is no half of a call: what is counted has its ticks at whole numbers.
    is_counted = all(float(value).is_integer() for value in values)
    return linear(values, least_top=3.0 if is_counted else 1.0)


def _plot_area(chart: Chart, frame: Frame) -> Markup:
    parts = list(incident_shade(frame, HEIGHT))
    parts += [
        Markup('<path class="grid" d="M0 {y:.1f}H{w}"/>').format(y=frame.y(tick), w=WIDTH)
        for tick in frame.scale.ticks
    ]
    if chart.band is not None:
        low, high = (frame.y(value) for value in chart.band)
        parts.append(
            Markup('<rect class="band" x="0" width="{w}" y="{y:.1f}" height="{h:.1f}"/>').format(
                w=WIDTH, y=high, h=max(low - high, 1.0)
            )
        )
    for one in chart.series:
        parts += _line(one, frame)
    if chart.limit is not None:
        y = frame.y(chart.limit)
        parts.append(Markup('<path class="limit" d="M0 {y:.1f}H{w}"/>').format(y=y, w=WIDTH))
    parts += mark_lines(frame, HEIGHT)
    return stretched(HEAD, HEIGHT, parts)


def incident_shade(frame: Frame, height: float) -> Iterable[Markup]:
    """Yield the ground behind the time of the incident."""
    incident = frame.axis.incident
    if incident is not None:
        left, right = frame.x(incident.since), frame.x(incident.until)
        yield Markup('<rect class="shade" x="{x:.1f}" width="{w:.1f}" y="0" height="{h}"/>').format(
            x=left, w=max(right - left, 1.0), h=height
        )


def mark_lines(frame: Frame, height: float) -> Iterable[Markup]:
    """Yield an upright line at each mark."""
    for mark in frame.axis.marks:
        yield Markup('<path class="mark{quiet}" d="M{x:.1f} 0V{h}"/>').format(
            quiet=" quiet" if mark.is_quiet else "", x=frame.x(mark.at), h=height
        )


def _line(series: Series, frame: Frame) -> Iterable[Markup]:
    runs = _runs(series.values)
    if series.is_area:
        areas = "".join(f"{_path(run, frame)}V{HEIGHT}H{_at(run[0][0], frame)}Z" for run in runs)
        yield Markup('<path class="area {style}" d="{d}"/>').format(style=series.style, d=areas)
    lines = "".join(_path(run, frame) for run in runs)
    yield Markup('<path class="line {style}" d="{d}"/>').format(style=series.style, d=lines)


def _runs(values: Sequence[float | None]) -> list[list[tuple[int, float]]]:
    """Return the stretches without a hole: where nothing was measured, no line is drawn.

    A bin or two without a sample are no hole: samples come at their own pace.
    """
    runs: list[list[tuple[int, float]]] = []
    for index, value in enumerate(values):
        if value is None:
            continue
        if runs and index - runs[-1][-1][0] <= _LARGEST_STEP:
            runs[-1].append((index, value))
        else:
            runs.append([(index, value)])
    return runs


def _path(run: Sequence[tuple[int, float]], frame: Frame) -> str:
    points = [f"{_at(index, frame)} {frame.y(value):.4g}" for index, value in run]
    # A line of one point has no length; the stub makes it a dot.
    tail = "h.1" if len(points) == 1 else ""
    return f"M{'L'.join(points)}{tail}"


def _at(index: int, frame: Frame) -> str:
    """Return the middle of a bin."""
    seconds = (frame.axis.until - frame.axis.since).total_seconds()
    return f"{(index + 0.5) * frame.axis.bin_seconds / seconds * WIDTH:.5g}"


def _value_labels(scale: Scale) -> Iterable[Markup]:
    for tick in scale.ticks:
        y = HEAD + HEIGHT - scale.share(tick) * HEIGHT + 4
        yield Markup('<text class="tick value" x="-8" y="{y:.0f}">{text}</text>').format(
            y=y, text=tick_label(tick)
        )


def tick_label(value: float) -> str:
    """Return a round value in few characters: 10k, 2M."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if value >= size:
            return f"{value / (1e3 if letter == 'k' else size):,.10g}{letter}"
    return f"{value:,.10g}"


def _time_labels(frame: Frame, zone: ZoneInfo) -> Iterable[Markup]:
    return time_labels(frame, zone, HEAD + HEIGHT + 15)


def time_labels(frame: Frame, zone: ZoneInfo, y: float) -> Iterable[Markup]:
    """Yield the times under a plot; every second one can be hidden on a narrow page."""
    ticks = time_ticks(frame.axis.since, frame.axis.until, zone)
    for index, tick in enumerate(ticks):
        share = frame.x(tick) / WIDTH
        if 0.03 <= share <= 0.97:
            local = tick.astimezone(zone)
            is_midnight = (local.hour, local.minute, local.second) == (0, 0, 0)
            text = f"{local:%d %b}" if is_midnight else f"{local:%H:%M}"
            yield Markup('<text class="time{odd}" x="{x:.2f}%" y="{y}">{text}</text>').format(
                x=share * 100, y=y, odd=" odd" if index % 2 else "", text=text
            )


def mark_labels(frame: Frame) -> Iterable[Markup]:
    """Yield the names of the marks; a quiet one gives way where names would overlap.

    One that has no room on its right is written on its left.
    """
    placed: list[tuple[float, float]] = []
    for mark in sorted(frame.axis.marks, key=lambda one: (one.is_quiet, one.at)):
        share, length = frame.x(mark.at) / WIDTH, (len(mark.label) + 2) * _LETTER
        is_crowded = any(
            share < frame.x(one.at) / WIDTH < share + length / _DESK
            for one in frame.axis.marks
            if not one.is_quiet
        )
        is_left = share > _RIGHTMOST or (is_crowded and share > length / _DESK)
        if _overlaps(placed, share, length / _DESK, is_left=is_left):
            continue
        is_odd = _overlaps(placed, share, length / _PHONE, is_left=is_left)
        placed.append(_span(share, length / _DESK, is_left=is_left))
        classes = ["label", "end" if is_left else "start"]
        classes += [name for name, has in (("quiet", mark.is_quiet), ("odd", is_odd)) if has]
        yield Markup('<text class="{classes}" x="{x:.2f}%" y="11">{text}</text>').format(
            classes=" ".join(classes), x=share * 100, text=escape(mark.label)
        )


def _span(share: float, length: float, *, is_left: bool) -> tuple[float, float]:
    return (share - length, share) if is_left else (share, share + length)


def _overlaps(
    placed: list[tuple[float, float]], share: float, length: float, *, is_left: bool
) -> bool:
    since, until = _span(share, length, is_left=is_left)
    return any(since < other_until and other_since < until for other_since, other_until in placed)
