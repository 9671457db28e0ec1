"""JSON lines of any known dialect as columns of events.

This is the meaning of a line, written once and plainly; nothing here knows files or the store.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import orjson

from logkit.schema import FIELDS
from logkit_analysis.parsers.dialects import Dialect, column_converter, dialect_of
from logkit_analysis.parsers.levels import level_of
from logkit_analysis.parsers.times import epoch_us

if TYPE_CHECKING:
    from datetime import tzinfo

    from logkit_analysis.parsers.values import Converter

_EVENT_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*$")
_EVENT_NAME_LENGTH = 64
_LONG_NUMBER = re.compile(rb"\d{20}")
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_LONGEST_INTEGER = 4_000
_MOST_PLANS = 10_000
_STORE_COLUMNS = frozenset(("fields", "source_id", "source_offset", "source_file", "ingested_at"))
_MISSING = object()


@dataclass(frozen=True, slots=True)
class Record:
    """One event: its columns by name (time in microseconds) and what no column holds."""

    columns: dict[str, Any]
    fields: bytes | None


@dataclass(frozen=True, slots=True)
class Reject:
    """Why a line is no event."""

    reason: str


@dataclass(frozen=True, slots=True)
class _Plan:
    """For one set of keys: which key may fill which column, by which converter."""

    dialect: Dialect
    steps: tuple[tuple[str, tuple[tuple[str, Converter], ...]], ...]


@dataclass(slots=True)
class JsonLinesParser:
    """Parses lines; it remembers how each set of keys was read.

    Args:
        zone: Zone of times that name none.
    """

    zone: tzinfo
    _plans: dict[tuple[str, ...], _Plan] = field(default_factory=dict)

    def parse(self, line: bytes) -> Record | Reject:
        """Parse one line, with or without its newline. Never raises on bad input."""
        try:
            parsed = orjson.loads(line)
        except orjson.JSONDecodeError:
            parsed = _parse_unusual(line)
        else:
            if _LONG_NUMBER.search(line):
                parsed = _parse_unusual(line)
        if isinstance(parsed, Reject):
            return parsed
        if not isinstance(parsed, dict):
            return Reject("not_an_object")
        return self._record(parsed)

    def _record(self, line: dict[str, Any]) -> Record | Reject:
        plan = self._plan(line)
        if plan.dialect.unwrap is not None:
            line = plan.dialect.unwrap(line)
            inner = dialect_of(line)
            if plan.dialect.name == "docker" and inner.name != "docker":
                return self._record(line)
            plan = self._plan(line, plan.dialect)
        return self._fill(line, plan)

    def _plan(self, line: dict[str, Any], dialect: Dialect | None = None) -> _Plan:
        shape = (dialect.name if dialect else "", *line)
        plan = self._plans.get(shape)
        if plan is None:
            if len(self._plans) >= _MOST_PLANS:
                self._plans.clear()
            plan = self._plans[shape] = self._new_plan(line, dialect or dialect_of(line))
        return plan

    def _new_plan(self, line: dict[str, Any], dialect: Dialect) -> _Plan:
        special: dict[str, Converter] = {
            "timestamp": partial(epoch_us, zone=self.zone),
            "level": partial(level_of, numbers=dialect.level_numbers),
        }
        steps = []
        for column in FIELDS:
            candidates = tuple(
                (key, special.get(column.name) or column_converter(column.name, converter))
                for key, converter in dialect.sources(column.name)
                if key in line and key not in _STORE_COLUMNS
            )
            if candidates:
                steps.append((column.name, candidates))
        return _Plan(dialect, tuple(steps))

    def _fill(self, line: dict[str, Any], plan: _Plan) -> Record | Reject:
        columns: dict[str, Any] = {}
        for column, candidates in plan.steps:
            for key, convert in candidates:
                value = line.get(key, _MISSING)
                if value is _MISSING:
                    continue
                converted = convert(value)
                if converted is not None:
                    columns[column] = converted
                    del line[key]
                    break
                if value is None and key == column:
                    del line[key]
        if "event" not in columns and _is_event_name(message := columns.get("message")):
            columns["event"] = message
        try:
            return Record(columns, _dumps(line) if line else None)
        except RecursionError:
            return Reject("nested_too_deep")


def _is_event_name(message: object) -> bool:
    return (
        isinstance(message, str)
        and len(message) <= _EVENT_NAME_LENGTH
        and _EVENT_NAME.match(message) is not None
    )


def _dumps(fields: dict[str, Any]) -> bytes:
    try:
        return orjson.dumps(fields)
    except orjson.JSONEncodeError:
        # Integers over 64 bits and deep nesting, which the standard library can write.
        return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()


def _parse_unusual(line: bytes) -> object:
    """Parse what orjson refuses or would round: NaN, 1e400, big integers, lone surrogates."""
    if not line.strip():
        return Reject("empty_line")
    try:
        text = line.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return Reject(f"invalid_utf8: {error.reason} at byte {error.start}")
    try:
        parsed = json.loads(text, parse_float=_number, parse_constant=str, parse_int=_integer)
    except json.JSONDecodeError as error:
        return Reject(f"invalid_json: {error.msg} at character {error.pos}")
    except RecursionError:
        return Reject("nested_too_deep")
    return _without_surrogates(parsed) if _SURROGATE_ESCAPE.search(text) else parsed


def _number(text: str) -> float | str:
    """Return the double, or the text where a double would be infinite."""
    number = float(text)
    return number if math.isfinite(number) else text


def _integer(text: str) -> int | str:
    """Return the integer, or the text where it has more digits than Python converts."""
    return int(text) if len(text) <= _LONGEST_INTEGER else text


def _without_surrogates(value: Any) -> Any:
    """Return *value* with lone surrogates, which UTF-8 cannot carry, as their escapes."""
    if isinstance(value, str):
        return _SURROGATE.sub(lambda match: f"\\u{ord(match[0]):04x}", value)
    if isinstance(value, list):
        return [_without_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {_without_surrogates(k): _without_surrogates(v) for k, v in value.items()}
    return value
