"""An event as one short line: what matters first, aligned with its neighbours, harmless."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

from logkit.schema import FIELDS
from logkit_analysis.live.painting import cells
from logkit_analysis.renderers.escaping import escape_controls
from logkit_analysis.renderers.units import milliseconds, named_quantity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date, datetime, tzinfo

    from rich.text import Text

    from logkit_analysis.live.event import LiveEvent

Segment = tuple[str, str]
"""Some text and how it looks: a style of rich, empty for plain."""

LEVEL_STYLES = {
    "debug": "dim",
    "info": "green",
    "warning": "yellow",
    "error": "bold red",
    "critical": "bold white on red",
}
REJECT_STYLE = "magenta"
_LEVEL_WIDTH = len("critical")
# Levels that must be seen without colours too.
_LOUD = frozenset({"warning", "error", "critical"})
_NO_TIME = "--:--:--.---"
_NO_DATE = "----------T"

_NO_STATUS = "---"
_DURATION_WIDTH = len("9,999 ms")
_METHOD_WIDTH = len("DELETE")

_WIDEST_SOURCE = 16
_WIDEST_EVENT = 24
_MOST_SOURCES = 1_000
_STDIN = "-"

_FIRST = ("retry_after_ms", "rate_limit_scope", "attempt", "command", "queue", "queue_depth")
_LATE = (
    "rate_limit_remaining",
    "rate_limit_reset_after_ms",
    "rate_limit_window_ms",
    "rate_limit_bucket",
    "rate_limit_unit",
    "rate_limit_kind",
)
# What is left of a budget and what is used of a room are read together with its size.
_SIZES = {
    "queue_depth": "queue_limit",
    "rate_limit_remaining": "rate_limit_limit",
    "rss_bytes": "rss_limit_bytes",
    "gpu_memory_bytes": "gpu_memory_limit_bytes",
}
_USES = {size: use for use, size in _SIZES.items()}
_LAST = (
    "correlation_id",
    "user_id",
    "chat_id",
    "guild_id",
    "channel_id",
    "trace_id",
    "span_id",
)
_HEAD = ("level", "service", "event", "status_code", "duration_ms", "method", "endpoint")
_TEXTS = ("error_type", "error_message", "message")
# What an operator does not read line by line; the whole event has it.
_LEFT_OUT = (
    "timestamp",
    "logger",
    "instance",
    "pid",
    "host",
    "env",
    "version",
    "seq",
    "parent_span_id",
    "error_stack",
    "error_fingerprint",
)
_NOT_OTHERS = frozenset((*_HEAD, *_TEXTS, *_FIRST, *_LATE, *_LAST, *_LEFT_OUT))
_COUNTS = frozenset(
    one.name
    for one in FIELDS
    if one.type == "integer" and named_quantity(one.name, 1) == (one.name, "1")
) - {"pid", "seq", "shard_id", "attempt"}
_QUOTED = frozenset(" =\"'")


@dataclass(slots=True)
class Widths:
    """How wide the columns are so far; they grow with what they have seen.

    Attributes:
        services: The services, or files that name none; they are shown once there are two.
        service: Cells of the column of services.
        event: Cells of the column of event names.
    """

    services: set[str] = field(default_factory=set)
    service: int = 0
    event: int = 0

    def grow(self, events: Iterable[LiveEvent]) -> None:
        """Take notice of *events*, which will be shown."""
        for event in events:
            name, source = event.columns.get("event"), _source(event)
            if name is not None and self.event < _WIDEST_EVENT:
                self.event = max(self.event, min(cells(escape_controls(name)), _WIDEST_EVENT))
            if source and source not in self.services and len(self.services) < _MOST_SOURCES:
                self.services.add(source)
                wanted = cells(escape_controls(source))
                self.service = max(self.service, min(wanted, _WIDEST_SOURCE))


def _source(event: LiveEvent) -> str:
    """Return the service, or else the name of the file; nothing for a line that is no event."""
    if event.reject_reason is not None or event.file == _STDIN:
        return event.columns.get("service") or ""
    return event.columns.get("service") or event.file.rpartition("/")[2]


def line(event: LiveEvent, *, zone: tzinfo, widths: Widths) -> Text:
    """Return *event* as one line, with the time of day in *zone*.

    The line is as long as its content; whoever shows it cuts it.
    """
    from rich.text import Text

    shown = segments(event, zone=zone, widths=widths)
    return Text.assemble(*shown, no_wrap=True, overflow="ellipsis", end="")


def segments(
    event: LiveEvent, *, zone: tzinfo, widths: Widths, has_date: bool = False
) -> list[Segment]:
    """Return the parts of the line of *event*, without any control character.

    Args:
        event: What is shown.
        zone: Zone of the time.
        widths: How wide the columns are.
        has_date: Whether the date and the offset of the zone stand before and behind the time of
            day.
    """
    shown = [(_time(event.at, zone, has_date=has_date), "dim"), (" ", ""), _level(event)]
    if len(widths.services) > 1:
        shown += [(" ", ""), (padded(_source(event), widths.service), "cyan")]
    if (name := event.columns.get("event")) is not None:
        shown += [(" ", ""), (padded(name, widths.event), "bold")]
    for piece in _pieces(event):
        shown += [(" ", ""), *piece]
    while not shown[-1][0].strip():
        shown.pop()
    last, style = shown[-1]
    shown[-1] = (last.rstrip(), style)
    return shown


def in_zone(at: datetime, zone: tzinfo) -> datetime:
    """Return *at* in *zone*, or as it is at the ends of the calendar, where the zone has none."""
    try:
        return at.astimezone(zone)
    except OverflowError:
        return at


def day_of(event: LiveEvent, zone: tzinfo) -> date | None:
    """Return the date of *event* in *zone*, ``None`` if it has no time."""
    return None if event.at is None else in_zone(event.at, zone).date()


def day_rule(day: date, width: int) -> Segment:
    """Return the line that stands between two days."""
    return f"── {day:%A, %Y-%m-%d} ".ljust(width, "─")[:width], "dim"


def _time(at: datetime | None, zone: tzinfo, *, has_date: bool) -> str:
    if at is None:
        return f"{_NO_DATE}{_NO_TIME}Z" if has_date else _NO_TIME
    local = in_zone(at, zone)
    if has_date:
        return local.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return f"{local:%H:%M:%S}.{local.microsecond // 1000:03d}"


def _level(event: LiveEvent) -> Segment:
    if event.reject_reason is not None:
        return "REJECTED".ljust(_LEVEL_WIDTH), REJECT_STYLE
    level = event.columns.get("level") or ""
    word = level.upper() if level in _LOUD else level
    return padded(word, _LEVEL_WIDTH), LEVEL_STYLES.get(level, "")


def padded(text: str | None, width: int) -> str:
    """Return *text* in at least *width* cells; a longer one pushes the rest, never loses any."""
    safe = escape_controls(text or "")
    return safe + " " * (width - cells(safe))


def _pieces(event: LiveEvent) -> Iterator[list[Segment]]:
    columns = event.columns
    if event.reject_reason is not None:
        yield [(f"({escape_controls(event.reject_reason)})", REJECT_STYLE)]
    yield from _call(columns)
    yield from _labelled(columns, _FIRST)
    yield from _error(columns)
    if (message := columns.get("message")) is not None:
        yield [(escape_controls(message), "")]
    yield from _labelled(columns, [name for name in columns if name not in _NOT_OTHERS])
    yield from _extra(event.fields)
    yield from _labelled(columns, (*_LATE, *_LAST))


def _call(columns: Any) -> Iterator[list[Segment]]:
    """Yield how a call went before what it was, since a narrow terminal cuts the end."""
    status, duration = columns.get("status_code"), columns.get("duration_ms")
    method, endpoint = columns.get("method"), columns.get("endpoint")
    took = "" if duration is None else milliseconds(duration)
    if status is not None or (took and endpoint is not None):
        shown = _NO_STATUS if status is None else str(status)
        yield [(shown, _status_style(status)), (" ", ""), (took.rjust(_DURATION_WIDTH), "")]
    elif took:
        yield [(took, "")]
    if method is not None:
        yield [(padded(method, 0 if endpoint is None else _METHOD_WIDTH), "")]
    if endpoint is not None:
        yield [(escape_controls(endpoint), "")]


def _status_style(status: int | None) -> str:
    if status is None:
        return "dim"
    if status == 429:
        return "bold magenta"
    if status >= 500:
        return "bold red"
    return "yellow" if status >= 400 else "green"


def _error(columns: Any) -> Iterator[list[Segment]]:
    kind, text = columns.get("error_type"), columns.get("error_message")
    words = ": ".join(escape_controls(word) for word in (kind, text) if word is not None)
    if words:
        yield [(words, "red")]


def _labelled(columns: Any, names: Iterable[str]) -> Iterator[list[Segment]]:
    for name in names:
        value = columns.get(name)
        if value is None:
            continue
        if name in _USES and columns.get(_USES[name]) is not None:
            continue
        if name == "attempt" and value == 0:
            continue
        pair = _pair(name, value)
        if name in _SIZES and (size := columns.get(_SIZES[name])) is not None:
            pair.append((f" of {_pair(name, size)[1][0]}", ""))
        yield pair


def _extra(fields: str | None) -> Iterator[list[Segment]]:
    """Yield the keys that have no column."""
    if fields is None:
        return
    try:
        parsed = orjson.loads(fields)
        pairs = [_pair(name, value) for name, value in parsed.items()]
    except (orjson.JSONDecodeError, orjson.JSONEncodeError, AttributeError):
        # No JSON, no object, or nested deeper than orjson writes, which is less than it reads.
        pairs = [[(escape_controls(fields), "")]]
    yield from pairs


def _pair(name: str, value: Any) -> list[Segment]:
    label, text = name, value
    if isinstance(value, int | float) and not isinstance(value, bool):
        label, text = named_quantity(name, value)
        text = f"{value:,}" if name in _COUNTS else text
    elif not isinstance(value, str):
        text = orjson.dumps(value, default=str).decode()
    elif not value or not _QUOTED.isdisjoint(value):
        text = orjson.dumps(value).decode()
    return [(f"{escape_controls(label)}=", "dim"), (escape_controls(text), "")]
