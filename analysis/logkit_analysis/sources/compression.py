"""Compressed logs as plain bytes; the kind is told by content, not by name."""

from __future__ import annotations

import bz2
import gzip
import lzma
import sys
import zlib
from typing import TYPE_CHECKING, Literal

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

if TYPE_CHECKING:
    from io import BufferedReader

    from logkit_analysis.sources.reader import ByteStream

Compression = Literal["none", "gz", "zst", "bz2", "xz"]

_MAGIC: tuple[tuple[bytes, Compression], ...] = (
    (b"\x1f\x8b", "gz"),
    (b"\x28\xb5\x2f\xfd", "zst"),
    (b"BZh", "bz2"),
    (b"\xfd7zXZ\x00", "xz"),
)
MAGIC_BYTES = max(len(magic) for magic, _ in _MAGIC)

DAMAGED = (EOFError, OSError, lzma.LZMAError, zlib.error, zstd.ZstdError)
"""What reading a damaged or half-written compressed file raises."""


def decompressed(file: BufferedReader) -> tuple[ByteStream, Compression]:
    """Return *file* read through the decompressor that its first bytes ask for, and which."""
    kind = detect(file.peek(MAGIC_BYTES))
    return _open(file, kind), kind


def detect(head: bytes) -> Compression:
    """Return the compression that the first `MAGIC_BYTES` bytes of a file show."""
    return next((kind for magic, kind in _MAGIC if head.startswith(magic)), "none")


def _open(file: BufferedReader, kind: Compression) -> ByteStream:
    match kind:
        case "gz":
            return gzip.GzipFile(fileobj=file)
        case "zst":
            return zstd.ZstdFile(file)
        case "bz2":
            return bz2.BZ2File(file)
        case "xz":
            return lzma.LZMAFile(file)
        case "none":
            return file
