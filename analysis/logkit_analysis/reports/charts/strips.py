"""States over time as SVG: a bar for each thing, in the colour of what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from logkit_analysis.renderers.scales import Scale
from logkit_analysis.reports.charts.plot import (
    HEAD,
    WIDTH,
    Frame,
    incident_shade,
    mark_labels,
    mark_lines,
    stretched,
    svg,
    time_labels,
)

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from logkit_analysis.reports.document import Stretch, Strips

_ROW = 34
_BAR = 12
_FOOT = 22


def strips(chart: Strips, zone: ZoneInfo) -> Markup:
    """Return *chart* as an ``svg`` element: the name of each line above its bar."""
    frame = Frame(chart.axis, Scale(0.0, 1.0, ()))
    height = _ROW * len(chart.lines)
    marks = list(incident_shade(frame, height))
    names = []
    for index, (name, stretches) in enumerate(chart.lines):
        top = index * _ROW + _ROW - _BAR - 4
        marks += [_bar(one, frame, top) for one in stretches]
        names.append(
            Markup('<text class="tick" x="0" y="{y}">{name}</text>').format(
                y=HEAD + top - 5, name=name
            )
        )
    marks += mark_lines(frame, height)
    labels = [*time_labels(frame, zone, HEAD + height + 15), *mark_labels(frame)]
    parts = [stretched(HEAD, height, marks), *names, *labels]
    return svg(chart.id, chart.title, chart.summary, HEAD + height + _FOOT, parts)


def _bar(stretch: Stretch, frame: Frame, top: float) -> Markup:
    left = max(frame.x(stretch.since), 0.0)
    right = min(frame.x(stretch.until), float(WIDTH))
    # Less than two thousandths of the width cannot be seen.
    width = max(right - left, 2.0)
    return Markup(
        '<rect class="bar {tone}" x="{x:.1f}" width="{w:.1f}" y="{y}" height="{h}">'
        "<title>{label}</title></rect>"
    ).format(tone=stretch.tone, x=left, w=width, y=top, h=_BAR, label=stretch.label)
