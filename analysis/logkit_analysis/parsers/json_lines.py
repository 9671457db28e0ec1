"""JSON lines of any known dialect as columns of events.

This is the meaning of a line, written once and plainly; nothing here knows files or the store.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from logkit.schema import FIELDS
from logkit_analysis.parsers.cloud import is_batch, split
from logkit_analysis.parsers.dialects import (
    DOCKER,
    KNOWN_KEYS,
    Dialect,
    column_converter,
    dialect_of,
)
from logkit_analysis.parsers.levels import level_of
from logkit_analysis.parsers.library_messages import add_meaning, is_event_name
from logkit_analysis.parsers.line_limit import MAX_LINE_BYTES, too_long
from logkit_analysis.parsers.loading import Reject, dump_json, load_json
from logkit_analysis.parsers.times import epoch_us
from logkit_analysis.parsers.unwrap import unwrap_docker

if TYPE_CHECKING:
    from datetime import tzinfo

    from logkit_analysis.parsers.values import Converter

_MOST_PLANS = 10_000


@dataclass(frozen=True, slots=True)
class Record:
    """One event: its columns by name (time in microseconds) and what no column holds."""

    columns: dict[str, Any]
    fields: bytes | None


_Plan = tuple[tuple[str, tuple[tuple[str, "Converter"], ...]], ...]
"""For one dialect and set of known keys: which key may fill which column, by which converter."""


@dataclass(slots=True)
class JsonLinesParser:
    """Parses lines; it remembers how each set of known keys is read, and nothing else.

    Args:
        zone: Zone of times that name none.
        max_line_bytes: A line with more is a reject.
    """

    zone: tzinfo
    max_line_bytes: int = MAX_LINE_BYTES
    _plans: dict[tuple[str, frozenset[str]], _Plan] = field(default_factory=dict)

    def parse(self, line: bytes) -> Record | Reject:
        """Parse one line, with or without its newline, as one event. Never raises on bad input."""
        found = self.parse_all(line)
        return found if isinstance(found, Reject) else found[0]

    def parse_all(self, line: bytes) -> list[Record] | Reject:
        """Parse one line; the batches of log services hold many events. Never raises."""
        size = len(line) - line.endswith(b"\n")
        if size > self.max_line_bytes:
            return Reject(too_long(size, self.max_line_bytes))
        try:
            value = load_json(line)
            if isinstance(value, dict):
                return self.records(value)
        except RecursionError:
            return Reject("nested_too_deep")
        return value if isinstance(value, Reject) else Reject("not_an_object")

    def records(self, line: dict[str, Any]) -> list[Record]:
        """Return the events that a parsed line holds.

        Raises:
            RecursionError: It is nested deeper than we can follow.
        """
        parts = split(line) if is_batch(line) else [line]
        return [self.record(part) for part in parts]

    def record(self, line: dict[str, Any]) -> Record:
        """Return the event that a parsed line is.

        Raises:
            RecursionError: It is nested deeper than we can follow.
        """
        columns, rest = self.columns(line)
        return Record(columns, dump_json(rest) if rest else None)

    def columns(self, line: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the columns of a parsed line, and the values that no column holds."""
        dialect = dialect_of(line)
        if dialect is DOCKER:
            line = unwrap_docker(line)
            dialect = dialect_of(line)
        if dialect.unwrap is not None:
            line = dialect.unwrap(line)
        return _filled(line, self._plan(line, dialect))

    def _plan(self, line: dict[str, Any], dialect: Dialect) -> _Plan:
        shape = (dialect.name, KNOWN_KEYS.intersection(line))
        plan = self._plans.get(shape)
        if plan is None:
            if len(self._plans) >= _MOST_PLANS:
                self._plans.clear()
            plan = self._plans[shape] = self._new_plan(shape[1], dialect)
        return plan

    def _new_plan(self, keys: frozenset[str], dialect: Dialect) -> _Plan:
        special: dict[str, Converter] = {
            "timestamp": partial(epoch_us, zone=self.zone),
            "level": partial(level_of, numbers=dialect.level_numbers),
        }
        steps = []
        for column in FIELDS:
            candidates = tuple(
                (key, special.get(column.name) or column_converter(column.name, converter))
                for key, converter in dialect.sources(column.name)
                if key in keys
            )
            if candidates:
                steps.append((column.name, candidates))
        return tuple(steps)


def _filled(line: dict[str, Any], plan: _Plan) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the columns of *line* and the rest; what fills a column is taken out of it."""
    columns: dict[str, Any] = {}
    for column, candidates in plan:
        for key, convert in candidates:
            value = line[key]
            converted = convert(value)
            if converted is not None:
                columns[column] = converted
                del line[key]
                break
            if value is None and key == column:
                del line[key]
    if "event" not in columns and is_event_name(message := columns.get("message")):
        columns["event"] = message
    add_meaning(columns, line)
    return columns, line
