"""The lines of some bytes as an Arrow column."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_SAMPLE_LINES = 200


class Lines:
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

    def sample(self) -> Iterator[tuple[int, bytes]]:
        """Yield some lines from all over, as `each` does."""
        return self.each(range(0, len(self), max(1, len(self) // _SAMPLE_LINES)))

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


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True
