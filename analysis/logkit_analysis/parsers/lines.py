"""The lines of some bytes as an Arrow column."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

_SAMPLE_LINES = 200
# What is searched at once stays in the processor's cache.
_PIECE_BYTES = 1 << 20


class Lines:
    """The lines of some bytes, found without copying them."""

    def __init__(self, data: bytes, start: int) -> None:
        self._data = data
        self._start = start
        bounds = [np.zeros(1, np.int64), *_ends(data)]
        if data and not data.endswith(b"\n"):
            bounds.append(np.array([len(data) + 1]))
        self._bounds = np.concatenate(bounds)

    def __len__(self) -> int:
        return len(self._bounds) - 1

    def each(self, indexes: Iterable[int]) -> Iterator[tuple[int, bytes]]:
        """Yield the offset and the bytes, without newline, of the lines at *indexes*."""
        bounds = self._bounds.data
        for index in indexes:
            begin = bounds[index]
            yield self._start + begin, self._data[begin : bounds[index + 1] - 1]

    def sample(self) -> Iterator[tuple[int, bytes]]:
        """Yield some lines from all over, as `each` does."""
        return self.each(range(0, len(self), max(1, len(self) // _SAMPLE_LINES)))

    def offsets(self) -> pa.Int64Array:
        """Return the offset of each line."""
        return pa.array(self._bounds[:-1] + self._start)

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
        bounds = self._bounds.astype(np.int32)
        return pa.StringArray.from_buffers(len(self), pa.py_buffer(bounds), pa.py_buffer(data))


def _ends(data: bytes) -> Iterator[NDArray[np.int64]]:
    """Yield the indexes just behind the newlines in *data*, in order, some at a time."""
    octets = np.frombuffer(data, np.uint8)
    for begin in range(0, len(octets), _PIECE_BYTES):
        yield np.flatnonzero(octets[begin : begin + _PIECE_BYTES] == ord("\n")) + begin + 1


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True
