"""A chunk of lines as a batch: most lines by column, the unusual ones one by one."""

from __future__ import annotations

import threading
from array import array
from itertools import accumulate, chain
from typing import TYPE_CHECKING

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from logkit.schema import FIELDS_BY_NAME
from logkit_analysis.parsers.batch import Batch, parse_lines
from logkit_analysis.parsers.dialects import FOREIGN_KEYS
from logkit_analysis.parsers.json_lines import JsonLinesParser, Record
from logkit_analysis.parsers.vectorised import VectorisedParser, is_plain_key

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import tzinfo

# Planning the statement costs as much as a thousand lines one by one.
_FEWEST_LINES = 2_000
_SAMPLE_LINES = 200
_MOST_EXTRA_KEYS = 64
# Below this share of lines that suit it, the columnar pass costs more than it saves.
_WORTHWHILE_SHARE = 0.3


class ChunkParser:
    """Parses chunks, from several threads if need be.

    Args:
        zone: Zone of times that name none.
    """

    def __init__(self, zone: tzinfo) -> None:
        self._lines = JsonLinesParser(zone)
        self._local = threading.local()

    def is_event(self, line: bytes) -> bool:
        """Return whether *line* alone is an event."""
        return isinstance(self._lines.parse(line), Record)

    def settled(self, data: bytes, format_name: str | None) -> int:  # noqa: ARG002 JSON alone so far
        """Return how many bytes of *data* hold records that no later line can continue."""
        return len(data)

    def parse(
        self, data: bytes, start: int, *, format_name: str | None = None, is_last: bool = True
    ) -> Batch:
        """Parse the lines of *data*, whose first byte has offset *start*.

        Args:
            data: Some lines of a stream, from the start of a record.
            start: Offset of the first byte in the stream.
            format_name: Format of the stream's lines; ``None`` for JSON.
            is_last: Whether the last record ends with *data*. Otherwise later lines may continue
                it: it is left out, and `Batch.consumed` says where it begins.
        """
        if not is_last:
            data = data[: self.settled(data, format_name)]
        batch = self._parse_json(data, start)
        batch.consumed = len(data)
        return batch

    def _parse_json(self, data: bytes, start: int) -> Batch:
        lines = data.split(b"\n")
        is_unfinished = bool(lines[-1])
        if not is_unfinished:
            lines.pop()
        bounds = _bounds(lines)
        keys = self._keys_worth_asking_for(lines)
        if is_unfinished or not keys:
            return parse_lines(
                ((start + bound, line) for bound, line in zip(bounds, lines, strict=False)),
                self._lines,
            )
        return self._parse_columns(data, start, lines, bounds, keys)

    def _keys_worth_asking_for(self, lines: Sequence[bytes]) -> frozenset[str]:
        """Return the keys of a sample of lines, none if few of the lines are of our own form."""
        if len(lines) < _FEWEST_LINES:
            return frozenset()
        sample = lines[:: max(1, len(lines) // _SAMPLE_LINES)]
        keys = [found for line in sample if (found := _own_keys(line))]
        if len(keys) < len(sample) * _WORTHWHILE_SHARE:
            return frozenset()
        union = frozenset(chain.from_iterable(keys))
        is_wide = len(union - FIELDS_BY_NAME.keys()) > _MOST_EXTRA_KEYS
        return union & FIELDS_BY_NAME.keys() if is_wide else union

    def _parse_columns(
        self, data: bytes, start: int, lines: list[bytes], bounds: array[int], keys: frozenset[str]
    ) -> Batch:
        text = _string_array(data, bounds)
        if text is None:
            blanked = b"\n".join(line if _is_utf8(line) else b" " * len(line) for line in lines)
            text = _string_array(blanked + b"\n", bounds)
        offsets = pc.add(pa.array(bounds[:-1], pa.int64()), start)
        table, others = self._vectorised(keys).parse(text, offsets)
        unusual = ((start + bounds[index], lines[index]) for index in others)
        batch = parse_lines(unusual, self._lines)
        if table.num_rows:
            batch.tables.insert(0, table)
        return batch

    def _vectorised(self, keys: frozenset[str]) -> VectorisedParser:
        """Return this thread's parser; it is made anew only for keys that it does not look for."""
        parser: VectorisedParser | None = getattr(self._local, "parser", None)
        if parser is None or not keys <= parser.keys:
            parser = self._local.parser = VectorisedParser(keys)
        return parser


def _own_keys(line: bytes) -> frozenset[str]:
    """Return the keys of a line in our own form, none for any other."""
    try:
        parsed = orjson.loads(line)
    except orjson.JSONDecodeError:
        return frozenset()
    if not isinstance(parsed, dict) or not FOREIGN_KEYS.isdisjoint(parsed):
        return frozenset()
    return frozenset(parsed) if all(map(is_plain_key, parsed)) else frozenset()


def _bounds(lines: list[bytes]) -> array[int]:
    """Return where each line begins, and where the last one ends."""
    return array("i", accumulate((len(line) + 1 for line in lines), initial=0))


def _string_array(data: bytes, bounds: array[int]) -> pa.StringArray | None:
    """Return the lines of *data* as an Arrow array without a copy, ``None`` if not all UTF-8."""
    buffers = pa.py_buffer(bounds), pa.py_buffer(data)
    lines = pa.StringArray.from_buffers(len(bounds) - 1, *buffers)
    try:
        lines.validate(full=True)
    except pa.ArrowInvalid:
        return None
    return lines


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True
