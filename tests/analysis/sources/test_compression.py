"""Compressed logs are read by content; what precedes damage is read too."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import sys
from functools import cache
from typing import TYPE_CHECKING

import pytest
from logkit_analysis.sources import compression
from logkit_analysis.sources.reader import read_chunks

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

if TYPE_CHECKING:
    from collections.abc import Callable

RANDOM = random.Random(7)
LINES = [
    b'{"n":%d,"noise":"%s"}\n' % (n, RANDOM.randbytes(40).hex().encode()) for n in range(4_000)
]
PLAIN = b"".join(LINES)
COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "zst": zstd.compress,
    "bz2": lambda data: bz2.compress(data, compresslevel=1),
    "xz": lzma.compress,
}


@cache
def _compressed(kind: str) -> bytes:
    return COMPRESS[kind](PLAIN)


every_kind = pytest.mark.parametrize("kind", COMPRESS)


def _read(data: bytes) -> tuple[bytes, Exception | None]:
    """Return the whole lines that are found, and what was raised after them."""
    stream, _ = compression.decompressed(io.BufferedReader(io.BytesIO(data)))
    found = []
    try:
        for chunk in read_chunks(stream, 0):
            found.append(chunk.data)  # noqa: PERF401  those before the error count
    except compression.DAMAGED as error:
        return b"".join(found), error
    return b"".join(found), None


@every_kind
def test_a_kind_is_told_by_content(kind: str) -> None:
    """Each of them gives back the plain bytes, also in several members or frames."""
    data = COMPRESS[kind](PLAIN[:1000]) + COMPRESS[kind](PLAIN[1000:])
    stream, found = compression.decompressed(io.BufferedReader(io.BytesIO(data)))
    assert found == kind
    assert stream.read(len(PLAIN) + 1) == PLAIN
    stream.seek(0)
    assert stream.read(10) == PLAIN[:10]


@pytest.mark.parametrize("data", [b"", b"{", b'{"a":1}\n', b"BZ", b"\x1f"], ids=repr)
def test_anything_else_is_plain(data: bytes) -> None:
    """A short or empty file is no error."""
    stream, found = compression.decompressed(io.BufferedReader(io.BytesIO(data)))
    assert (stream.read(100), found) == (data, "none")


@every_kind
def test_what_precedes_a_cut_is_read(kind: str) -> None:
    """A half-written file gives its whole lines, in order, and then says that it is cut."""
    compressed = _compressed(kind)
    found, error = _read(compressed[: len(compressed) * 3 // 4])
    assert error is not None
    assert PLAIN.startswith(found)
    assert found.endswith(b"\n")
    assert len(found) > len(PLAIN) // 3


@pytest.mark.parametrize(
    ("kind", "tail"), [("gz", b"\0\0\0\0\0\0\0\0"), ("xz", b"\0" * 30), ("bz2", b"\0" * 8)]
)
def test_a_false_checksum_is_damage(kind: str, tail: bytes) -> None:
    """The file's own checksum is looked at, and all that could be read is still given."""
    found, error = _read(_compressed(kind)[: -len(tail)] + tail)
    assert error is not None
    assert PLAIN.startswith(found)
    assert len(found) > len(PLAIN) // 3


@every_kind
@pytest.mark.parametrize("place", [4, 20, 1000, -1000], ids=str)
def test_no_damage_is_a_surprise(kind: str, place: int) -> None:
    """Whatever byte is wrong, the error is one that the caller knows, or there is none."""
    compressed = bytearray(_compressed(kind))
    for offset in range(12):
        compressed[place + offset] ^= 0x5A
    found, _ = _read(bytes(compressed))
    assert not found or found.count(b"\n")
