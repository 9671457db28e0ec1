"""A whole event for a person: every field as readable JSON, a line each."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from rich.text import Text

from logkit_analysis.live.lines import LEVEL_STYLES, REJECT_STYLE, in_zone
from logkit_analysis.renderers.escaping import escape_controls
from logkit_analysis.renderers.values import rfc3339

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime, tzinfo

    from logkit_analysis.live.event import LiveEvent

_INDENT = "  "
_PART = re.compile(
    r'(?P<cyan>"(?:[^"\\]|\\.)*"(?=:))|(?P<green>"(?:[^"\\]|\\.)*")'
    r"|(?P<magenta>\b(?:true|false|null)\b|-?\d[\d.eE+-]*)"
)


def detail(event: LiveEvent, zone: tzinfo) -> list[Text]:
    """Return all that is known of *event*: times in *zone* and in UTC, its fields, its place.

    A text of several lines, such as a stack, is shown on lines of its own.
    """
    lines = list(_times(event.at, zone))
    if event.reject_reason is not None:
        reason = escape_controls(event.reject_reason)
        lines.append(Text(f"rejected: {reason}", REJECT_STYLE))
    lines.append(Text("{"))
    values = _values(event)
    for number, (key, value) in enumerate(values.items(), start=1):
        lines += _entry(key, value, is_last=number == len(values))
    lines += [Text("}"), Text(f"{escape_controls(event.file)}, byte {event.offset:,}", "dim")]
    return lines


def _times(at: datetime | None, zone: tzinfo) -> Iterator[Text]:
    if at is None:
        yield Text("no time", "dim")
        return
    local = in_zone(at, zone)
    yield Text(f"{local:%A, %Y-%m-%d %H:%M:%S}.{local.microsecond:06d} {local:%z} ({zone})", "bold")
    yield Text(f"{rfc3339(at)} in UTC", "dim")


def _values(event: LiveEvent) -> dict[str, Any]:
    values = dict(event.columns)
    try:
        extra = json.loads(event.fields or "{}")
        # What is nested too deep to be written again is shown as it came.
        json.dumps(extra, indent=2)
    except (ValueError, RecursionError):
        extra = event.fields
    if not isinstance(extra, dict):
        return {**values, "fields": extra}
    for key, value in extra.items():
        values[f"fields.{key}" if key in values else key] = value
    return values


def _entry(key: str, value: Any, *, is_last: bool) -> Iterator[Text]:
    """Yield the lines of one field."""
    name, comma = json.dumps(key, ensure_ascii=False), "" if is_last else ","
    if isinstance(value, str) and "\n" in value.rstrip("\n"):
        yield _highlighted(f"{_INDENT}{name}:")
        for row in value.rstrip("\n").split("\n"):
            yield Text(f"{_INDENT * 2}{escape_controls(row)}")
        return
    text = json.dumps(value, ensure_ascii=False, indent=2, default=str)
    rows = f"{name}: {text}{comma}".split("\n")
    for row in rows:
        line = _highlighted(f"{_INDENT}{row}")
        if key == "level" and isinstance(value, str):
            line.stylize(LEVEL_STYLES.get(value, ""), len(f"{_INDENT}{name}: "))
        yield line


def _highlighted(row: str) -> Text:
    text = Text(escape_controls(row))
    for match in _PART.finditer(text.plain):
        text.stylize(match.lastgroup or "", match.start(), match.end())
    return text
