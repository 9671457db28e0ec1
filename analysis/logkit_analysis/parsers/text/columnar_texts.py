"""The layouts of text whose usual lines are read by column, and what is left to the plain way."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from logkit_analysis.parsers.json_chunks import keys_worth_asking_for
from logkit_analysis.parsers.text.access_lines import AccessLines
from logkit_analysis.parsers.text.formats import BY_NAME
from logkit_analysis.parsers.text.splitting import GAP_BYTES
from logkit_analysis.parsers.text.transports import TRANSPORTS_BY_NAME
from logkit_analysis.parsers.vectorised import VectorisedParser

if TYPE_CHECKING:
    from logkit_analysis.parsers.lines import Lines
    from logkit_analysis.parsers.text.layout import Layout

ColumnReader = Callable[["Lines"], tuple[list[pa.Table], list[int]]]
"""Returns the events of some lines, and the indexes of all other lines."""

_CRI = TRANSPORTS_BY_NAME["cri"]
_LONGEST_PREFIX = 64


class ColumnarTexts:
    """Readers for each thread that asks."""

    def __init__(self) -> None:
        self._local = threading.local()

    def reader(self, layout: Layout) -> ColumnReader | None:
        """Return what reads the usual lines of *layout*, ``None`` if it has none."""
        if layout.transport is None and layout.formats == (BY_NAME["access"],):
            return self._read_access
        return self._read_cri if layout.transport is _CRI and not layout.formats else None

    def _read_access(self, lines: Lines) -> tuple[list[pa.Table], list[int]]:
        parser: AccessLines | None = getattr(self._local, "access", None)
        if parser is None:
            parser = self._local.access = AccessLines()
        table, others = parser.parse(lines.text(), lines.offsets())
        return [table], others.to_pylist()

    def _read_cri(self, lines: Lines) -> tuple[list[pa.Table], list[int]]:
        keys = keys_worth_asking_for(_inner(line) for _, line in lines.sample())
        if "timestamp" not in keys:
            return [], list(range(len(lines)))
        parser: VectorisedParser | None = getattr(self._local, "cri", None)
        if parser is None or not keys <= parser.keys:
            parser = self._local.cri = VectorisedParser(keys, is_cri=True)
        text, offsets = lines.text(), lines.offsets()
        table, others = parser.parse(text, offsets, is_careful=False)
        left = others.to_pylist()
        if amid := _amid_parts(lines, left):
            places = offsets.take(pa.array(sorted(amid), pa.int64()))
            table = table.filter(pc.invert(pc.is_in(table["source_offset"], value_set=places)))
            left = sorted(amid.union(left))
        return [table], left


def _inner(line: bytes) -> bytes:
    """Return what is behind the prefix of a line, if that is an object."""
    brace_at = line.find(b"{", 0, _LONGEST_PREFIX)
    return line[brace_at:] if brace_at > 0 else b""


def _amid_parts(lines: Lines, left: list[int]) -> set[int]:
    """Return the indexes of the lines from each first part of a line up to its end.

    None of these stands for itself: only in their order is it seen what belongs together.
    """
    amid: set[int] = set()
    for index, (begin, line) in zip(left, lines.each(left), strict=True):
        envelope = _CRI.open(line)
        if envelope is None or not envelope.is_partial:
            continue
        end = begin + len(line) + 1
        for later, (place, other) in enumerate(lines.each(range(index + 1, len(lines))), index + 1):
            amid.add(later)
            found = _CRI.open(other)
            if (found and found.channel == envelope.channel) or place - end > GAP_BYTES:
                break
    return amid
