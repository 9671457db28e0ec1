"""A record of a text log as the columns of an event."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from logkit_analysis.parsers.json_lines import Record
from logkit_analysis.parsers.levels import LEVEL_BY_NAME
from logkit_analysis.parsers.library_messages import add_meaning, is_event_name
from logkit_analysis.parsers.loading import dump_json
from logkit_analysis.parsers.text.logfmt import read_console_line, read_pairs
from logkit_analysis.parsers.text.tracebacks import find_trace, read_trace
from logkit_analysis.parsers.unwrap import TIME_KEYS
from logkit_analysis.parsers.values import (
    COLUMN_CONVERTERS,
    Converter,
    as_integer,
    milliseconds_from,
)

if TYPE_CHECKING:
    import re

    from logkit_analysis.parsers.json_lines import JsonLinesParser
    from logkit_analysis.parsers.text.formats import TextFormat
    from logkit_analysis.parsers.text.records import TextRecord
    from logkit_analysis.parsers.text.text_times import TextTimes

_LEVELS: dict[str, str] = {
    spelling: level
    for name, level in LEVEL_BY_NAME.items()
    for spelling in (name, name.upper(), name.capitalize())
}
_INTEGER = as_integer(64)
_MILLISECONDS = milliseconds_from("s")

_Expander = Callable[[str], dict[str, object] | None]
_Plan = tuple[tuple[str, Converter | None, _Expander | None], ...]


def _integer(text: str) -> object:
    number = _INTEGER(text)
    return text if number is None else number


# Groups that hold several fields or another type than text, and what reads them.
_EXPANDERS: dict[str, _Expander] = {
    "pairs": read_pairs,
    "padded_message": read_console_line,
    "bytes_sent": lambda text: {"bytes_sent": _integer(text)},
    "line": lambda text: {"line": _integer(text)},
    "request_time": lambda text: {"duration_ms": _MILLISECONDS(text)},
}


class RecordReader:
    """Reads the records of one stream.

    Args:
        times: Reads times.
        json_lines: Reads JSON lines and names of other dialects.
        prefix: Put before a field of the transport that the event itself has too.
    """

    def __init__(self, times: TextTimes, json_lines: JsonLinesParser, prefix: str) -> None:
        self._times = times
        self._json_lines = json_lines
        self._prefix = prefix
        self._plans: dict[str, _Plan] = {}
        self._converters: dict[str, Converter] = {
            **COLUMN_CONVERTERS,
            "timestamp": times,
            "level": _level,
        }

    def read(self, record: TextRecord) -> list[Record]:
        """Return the event that *record* is, or the events of a batch in JSON.

        Raises:
            RecursionError: It holds JSON that is nested deeper than we can follow.
        """
        head = record.head
        if isinstance(head, dict):
            return self._json_lines.records(self._within(record.fields, head))
        if head is None:
            raise ValueError("a record without its first line is no event")
        known, match = head
        columns, rest = self._first_line(known, match)
        if record.more:
            _add_lines(columns, record.more)
        if record.fields:
            self._add_envelope(columns, rest, record.fields)
        if "event" not in columns and is_event_name(message := columns.get("message")):
            columns["event"] = message
        add_meaning(columns, rest, known.library)
        return [Record(columns, dump_json(rest) if rest else None)]

    def _first_line(
        self, known: TextFormat, match: re.Match[str]
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        plan = self._plans.get(known.name)
        if plan is None:
            plan = self._plans[known.name] = self._plan(known)
        columns: dict[str, Any] = {} if known.has_dialects else dict(known.constants)
        rest: dict[str, Any] = {}
        for value, (name, convert, expand) in zip(match.groups(), plan, strict=True):
            if value is None:
                continue
            if expand is not None:
                self._expand(value, expand, columns, rest)
            elif convert is None or (converted := convert(value)) is None:
                rest[name] = value
            else:
                columns[name] = converted
        if known.has_dialects:
            return self._by_dialect(known, {**dict(known.constants), **columns, **rest})
        return columns, rest

    def _plan(self, known: TextFormat) -> _Plan:
        """Return for each group of a format its name, and what converts or expands it."""
        names = sorted(known.pattern.groupindex, key=known.pattern.groupindex.__getitem__)
        has_columns = not known.has_dialects
        return tuple(
            (name, self._converters.get(name) if has_columns else None, _EXPANDERS.get(name))
            for name in names
        )

    def _expand(
        self, text: str, expand: _Expander, columns: dict[str, Any], rest: dict[str, Any]
    ) -> None:
        """Add the fields that one group holds."""
        for name, value in (expand(text) or {"message": text}).items():
            (columns if name in COLUMN_CONVERTERS else rest)[name] = value

    def _by_dialect(
        self, known: TextFormat, values: dict[str, Any]
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return columns and rest of *values*, whose names may be those of any logger."""
        time = values.get("timestamp")
        us = None
        if isinstance(time, str):
            style = known.time_format
            us = self._times(time) if style is None else self._times.written_as(time, style)
        if us is not None:
            del values["timestamp"]
        columns, rest = self._json_lines.columns(values)
        if us is not None:
            columns["timestamp"] = us
        return columns, rest

    def _add_envelope(
        self, columns: dict[str, Any], rest: dict[str, Any], fields: dict[str, Any]
    ) -> None:
        """Add what the transport says; the event's own values win, and nothing is lost."""
        for name, value in fields.items():
            if name in columns or name in rest:
                rest[f"{self._prefix}.{'time' if name == 'timestamp' else name}"] = value
                continue
            convert = self._converters.get(name)
            converted = convert(value) if convert else None
            if converted is None:
                rest[name] = value
            else:
                columns[name] = converted

    def _within(self, fields: dict[str, Any], event: dict[str, Any]) -> dict[str, Any]:
        """Return the JSON *event* with what the transport says about its line."""
        for key, value in fields.items():
            is_time = key == "timestamp"
            if is_time and TIME_KEYS.isdisjoint(event):
                event[key] = self._times(value)
                continue
            name = f"{self._prefix}.time" if is_time else key
            while name in event:
                name = f"{self._prefix}.{name}"
            event[name] = value
        return event


def _level(name: object) -> str | None:
    if not isinstance(name, str):
        return None
    return _LEVELS.get(name) or LEVEL_BY_NAME.get(name.lower())


def _add_lines(columns: dict[str, Any], lines: list[str]) -> None:
    """Add the lines that continue a record: a stack trace to its columns, text to the message."""
    start = find_trace(lines)
    text = lines if start is None else lines[:start]
    if text:
        columns["message"] = "\n".join([columns.get("message", ""), *text])
    if start is None:
        return
    trace = read_trace(lines[start:])
    columns["error_stack"] = trace.text
    if trace.error_type:
        columns["error_type"] = trace.error_type
    if trace.error_message:
        columns["error_message"] = trace.error_message
