"""The patterns of a view as aligned lines."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rich.text import Text

from logkit_analysis.live.lines import LEVEL_STYLES, in_zone, padded
from logkit_analysis.live.painting import cells
from logkit_analysis.renderers.escaping import escape_controls

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, tzinfo

    from logkit_analysis.live.patterns import Pattern

_WIDEST = 24
# With fewer cells only what cannot be done without has a column.
_NARROW = 80


def pattern_lines(patterns: Sequence[Pattern], zone: tzinfo, width: int) -> list[Text]:
    """Return *patterns* as aligned lines of at most *width* cells, a header first."""
    if not patterns:
        return [Text("no lines yet", "dim")]
    columns = _Columns(
        count=max(len("count"), *(len(f"{one.count:,}") for one in patterns)),
        service=max(cells(escape_controls(one.service or "")) for one in patterns),
        event=max(cells(escape_controls(one.event or "")) for one in patterns),
    )
    if len({one.service for one in patterns}) == 1 or width < _NARROW:
        columns = replace(columns, service=0)
    columns = replace(columns, has_times=width >= _NARROW)
    times = f"{'first':<8}  {'last':<8}  " if columns.has_times else ""
    head = f"{'count':>{columns.count}}  {'level':<8}  {times}what"
    lines = [Text(head, "dim"), *(_pattern_line(one, columns, zone) for one in patterns)]
    for line in lines:
        line.truncate(width, overflow="ellipsis")
    return lines


@dataclass(frozen=True, slots=True)
class _Columns:
    """How wide the columns of patterns are; without a width one is left out."""

    count: int
    service: int
    event: int
    has_times: bool = True


def _pattern_line(one: Pattern, columns: _Columns, zone: tzinfo) -> Text:
    text = Text()
    text.append(f"{one.count:>{columns.count},}  ", "bold")
    text.append(_cell(one.level, 8), LEVEL_STYLES.get(one.level or "", ""))
    if columns.has_times:
        text.append(f"{_clock(one.first_at, zone)}  {_clock(one.last_at, zone)}  ", "dim")
    if columns.service:
        text.append(_cell(one.service, min(columns.service, _WIDEST)), "cyan")
    if columns.event:
        text.append(_cell(one.event, min(columns.event, _WIDEST)), "bold")
    text.append(escape_controls(one.template or ""))
    return text


def _cell(text: str | None, width: int) -> str:
    return f"{padded(text, width)}  "


def _clock(at: datetime | None, zone: tzinfo) -> str:
    return "--:--:--" if at is None else f"{in_zone(at, zone):%H:%M:%S}"
