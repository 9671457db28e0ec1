"""A chunk of JSON lines as a batch: most lines by column, the unusual ones one by one."""

from __future__ import annotations

import threading
from itertools import chain
from typing import TYPE_CHECKING

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from logkit.schema import FIELDS_BY_NAME
from logkit_analysis.parsers.batch import Batch, parse_lines
from logkit_analysis.parsers.dialects import FOREIGN_KEYS
from logkit_analysis.parsers.line_limit import long_lines
from logkit_analysis.parsers.vectorised import VectorisedParser, is_plain_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from logkit_analysis.parsers.json_lines import JsonLinesParser

# Planning the statement costs as much as a thousand lines one by one.
_FEWEST_LINES = 2_000
_SAMPLE_LINES = 200
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
        lines = _Lines(data, start)
        keys = self._keys_worth_asking_for(lines)
        if not keys or not data.endswith(b"\n"):
            return parse_lines(lines.each(range(len(lines))), self._lines)
        text = lines.text()
        parser = self._vectorised(keys)
        table, others = parser.parse(text, lines.offsets(), is_careful=False)
        tables = [table]
        if len(others) >= _FEWEST_LINES:
            part, offsets = text.take(others), lines.offsets().take(others)
            table, left = parser.parse(part, offsets, is_careful=True)
            tables.append(table)
            others = others.take(left)
        batch = parse_lines(lines.each(others.to_pylist()), self._lines)
        batch.tables[:0] = [table for table in tables if table.num_rows]
        return batch

    def _keys_worth_asking_for(self, lines: _Lines) -> frozenset[str]:
        """Return the keys of a sample of lines, none if few of the lines are of our own form."""
        if len(lines) < _FEWEST_LINES:
            return frozenset()
        sample = range(0, len(lines), max(1, len(lines) // _SAMPLE_LINES))
        keys = [found for _, line in lines.each(sample) if (found := _own_keys(line))]
        if len(keys) < len(sample) * _WORTHWHILE_SHARE:
            return frozenset()
        union = frozenset(chain.from_iterable(keys))
        is_wide = len(union - FIELDS_BY_NAME.keys()) > _MOST_EXTRA_KEYS
        return union & FIELDS_BY_NAME.keys() if is_wide else union

    def _vectorised(self, keys: frozenset[str]) -> VectorisedParser:
        """Return this thread's parser; it is made anew only for keys that it does not look for."""
        parser: VectorisedParser | None = getattr(self._local, "parser", None)
        if parser is None or not keys <= parser.keys:
            parser = self._local.parser = VectorisedParser(keys)
        return parser


class _Lines:
    """The lines of some bytes, found without copying them."""

    def __init__(self, data: bytes, start: int) -> None:
        self._data = data
        self._start = start
        octets = pa.Array.from_buffers(pa.uint8(), len(data), [None, pa.py_buffer(data)])
        newlines = pc.indices_nonzero(pc.equal(octets, pa.scalar(ord("\n"), pa.uint8())))
        ends = pc.add(newlines, pa.scalar(1, pa.uint64())).cast(pa.int64())
        last = [] if data.endswith(b"\n") or not data else [len(data) + 1]
        self._bounds = pa.concat_arrays(
            [pa.array([0], pa.int64()), ends, pa.array(last, pa.int64())]
        )

    def __len__(self) -> int:
        return len(self._bounds) - 1

    def each(self, indexes: Iterable[int]) -> Iterator[tuple[int, bytes]]:
        """Yield the offset and the bytes, without newline, of the lines at *indexes*."""
        bounds = memoryview(self._bounds.buffers()[1]).cast("q")
        for index in indexes:
            begin = bounds[index]
            yield self._start + begin, self._data[begin : bounds[index + 1] - 1]

    def offsets(self) -> pa.Int64Array:
        """Return the offset of each line."""
        return pc.add(self._bounds[:-1], self._start)

    def text(self) -> pa.StringArray:
        """Return the lines with their newlines; one that is no UTF-8 as blanks of its length."""
        text = self._array(self._data)
        try:
            text.validate(full=True)
        except pa.ArrowInvalid:
            lines = (line for _, line in self.each(range(len(self))))
            blanked = (line if _is_utf8(line) else b" " * len(line) for line in lines)
            return self._array(b"\n".join(blanked) + b"\n")
        return text

    def _array(self, data: bytes) -> pa.StringArray:
        bounds = self._bounds.cast(pa.int32()).buffers()[1]
        return pa.StringArray.from_buffers(len(self), bounds, pa.py_buffer(data))


def _own_keys(line: bytes) -> frozenset[str]:
    """Return the keys of a line in our own form, none for any other."""
    try:
        parsed = orjson.loads(line)
    except orjson.JSONDecodeError:
        return frozenset()
    if not isinstance(parsed, dict) or not FOREIGN_KEYS.isdisjoint(parsed):
        return frozenset()
    return frozenset(parsed) if all(map(is_plain_key, parsed)) else frozenset()


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True
