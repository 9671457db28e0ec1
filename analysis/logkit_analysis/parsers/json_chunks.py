"""A chunk of JSON lines as a batch: most lines by column, the unusual ones one by one."""

from __future__ import annotations

import threading
from itertools import chain
from typing import TYPE_CHECKING

import orjson

from logkit.schema import FIELDS_BY_NAME
from logkit_analysis.parsers.batch import Batch, parse_lines
from logkit_analysis.parsers.dialects import FOREIGN_KEYS
from logkit_analysis.parsers.line_limit import long_lines
from logkit_analysis.parsers.lines import Lines
from logkit_analysis.parsers.vectorised import VectorisedParser, is_plain_key

if TYPE_CHECKING:
    from collections.abc import Iterable

    from logkit_analysis.parsers.json_lines import JsonLinesParser

FEWEST_LINES = 2_000
"""Planning a statement costs as much as a thousand lines one by one."""

_MOST_EXTRA_KEYS = 64
# Below this share of lines that suit it, the columnar pass costs more than it saves.
_WORTHWHILE_SHARE = 0.3


class JsonChunkParser:
    """Parses chunks of JSON lines, from several threads if need be.

    Args:
        lines: Gives the lines their meaning.
    """

    def __init__(self, lines: JsonLinesParser) -> None:
        self._lines = lines
        self._local = threading.local()

    def parse(self, data: bytes, start: int) -> Batch:
        """Parse the lines of *data*, whose first byte has offset *start*."""
        batch = Batch()
        done = 0
        for begin, end in long_lines(data, self._lines.max_line_bytes):
            batch.add(self._parse_short(data[done:begin], start + done))
            batch.add(parse_lines([(start + begin, data[begin:end])], self._lines))
            done = end + 1
        batch.add(self._parse_short(data[done:], start + done))
        return batch

    def _parse_short(self, data: bytes, start: int) -> Batch:
        """Parse the lines of *data*, none of which is too long."""
        lines = Lines(data, start)
        keys = self._keys(lines)
        if not keys or not data.endswith(b"\n"):
            return parse_lines(lines.each(range(len(lines))), self._lines)
        text = lines.text()
        parser = self._vectorised(keys)
        table, others = parser.parse(text, lines.offsets(), is_careful=False)
        tables = [table]
        if len(others) >= FEWEST_LINES:
            part, offsets = text.take(others), lines.offsets().take(others)
            table, left = parser.parse(part, offsets, is_careful=True)
            tables.append(table)
            others = others.take(left)
        batch = parse_lines(lines.each(others.to_pylist()), self._lines)
        batch.tables[:0] = [table for table in tables if table.num_rows]
        return batch

    def _keys(self, lines: Lines) -> frozenset[str]:
        if len(lines) < FEWEST_LINES:
            return frozenset()
        return keys_worth_asking_for(line for _, line in lines.sample())

    def _vectorised(self, keys: frozenset[str]) -> VectorisedParser:
        """Return this thread's parser; it is made anew only for keys that it does not look for."""
        parser: VectorisedParser | None = getattr(self._local, "parser", None)
        if parser is None or not keys <= parser.keys:
            parser = self._local.parser = VectorisedParser(keys)
        return parser


def keys_worth_asking_for(sample: Iterable[bytes]) -> frozenset[str]:
    """Return the keys of a sample of lines, none if few of the lines are of our own form."""
    lines = list(sample)
    keys = [found for line in lines if (found := _own_keys(line))]
    if len(keys) < len(lines) * _WORTHWHILE_SHARE:
        return frozenset()
    union = _told_apart(frozenset(chain.from_iterable(keys)))
    is_wide = len(union - FIELDS_BY_NAME.keys()) > _MOST_EXTRA_KEYS
    return union & FIELDS_BY_NAME.keys() if is_wide else union


def _told_apart(keys: frozenset[str]) -> frozenset[str]:
    """Return *keys*, of those that differ in case alone only one: DuckDB takes them for the same.

    A field of ours comes first; lines with the other keys are read one by one.
    """
    ours_last = sorted(keys, key=lambda key: (key in FIELDS_BY_NAME, key))
    return frozenset({key.lower(): key for key in ours_last}.values())


def _own_keys(line: bytes) -> frozenset[str]:
    """Return the keys of a line in our own form, none for any other."""
    try:
        parsed = orjson.loads(line)
    except orjson.JSONDecodeError:
        return frozenset()
    if not isinstance(parsed, dict) or not FOREIGN_KEYS.isdisjoint(parsed):
        return frozenset()
    return frozenset(parsed) if all(map(is_plain_key, parsed)) else frozenset()
