"""A stream in pieces of any size is the same lines at the same offsets."""

from __future__ import annotations

import io
from collections import deque
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st
from logkit_analysis.sources.reader import Chunk, read_chunks


class Trickle(io.BytesIO):
    """Gives what it holds in pieces of the sizes asked for, then in one."""

    def __init__(self, data: bytes, sizes: list[int]) -> None:
        super().__init__(data)
        self._sizes = sizes

    def read1(self, size: int | None = -1, /) -> bytes:
        """Return the next piece."""
        return super().read1(self._sizes.pop() if self._sizes else size)


streams = st.lists(st.binary(max_size=12), max_size=12).map(b"\n".join)
pieces = st.lists(st.integers(1, 7), max_size=30)


@given(streams, pieces, st.integers(1, 5), st.integers(0, 10**12))
def test_chunks_are_the_stream(data: bytes, sizes: list[int], lines: int, start: int) -> None:
    """No byte is lost, doubled or moved, whatever the borders; only whole lines make a chunk."""
    chunks = list(read_chunks(Trickle(data, sizes), start, chunk_lines=lines))

    assert b"".join(chunk.data for chunk in chunks) == data
    lengths = accumulate((len(chunk.data) for chunk in chunks), initial=start)
    assert [chunk.start for chunk in chunks] == list(lengths)[:-1]
    for chunk in chunks:
        assert chunk.data.endswith(b"\n") != chunk.is_unfinished
        assert chunk.data
        assert chunk.data.count(b"\n") <= lines
    assert [chunk.is_unfinished for chunk in chunks[:-1]] == [False] * (len(chunks) - 1)


@given(streams, pieces, st.integers(1, 5))
def test_whole_lines_come_before_the_error(data: bytes, sizes: list[int], lines: int) -> None:
    """What was read before a stream failed is handed out, except a line that it cut."""

    class Failing(Trickle):
        def read1(self, size: int | None = -1, /) -> bytes:
            piece = super().read1(size)
            if not piece:
                raise OSError("gone")
            return piece

    chunks: list[Chunk] = []
    with pytest.raises(OSError, match="gone"):
        deque(map(chunks.append, read_chunks(Failing(data, sizes), 0, chunk_lines=lines)))
    assert b"".join(chunk.data for chunk in chunks) == data[: data.rfind(b"\n") + 1]
