"""The length above which a line is not read, only kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_LINE_BYTES = 16 * 1024 * 1024
"""Usual limit; parsing a line takes several times its size of memory."""


def too_long(size: int, limit: int) -> str:
    """Return why a line of *size* bytes goes to quarantine."""
    return f"line_too_long: {size} bytes, at most {limit} are read"


def long_lines(data: bytes, limit: int) -> Iterator[tuple[int, int]]:
    """Yield where each line of *data* with more than *limit* bytes begins and ends.

    The newline counts for neither. Only few bytes are looked at: any newline within the limit
    behind the start of a line starts another.
    """
    begin = 0
    while begin + limit < len(data):
        cut = data.rfind(b"\n", begin, begin + limit + 1)
        if cut < 0:
            cut = data.find(b"\n", begin + limit + 1)
            cut = len(data) if cut < 0 else cut
            yield begin, cut
        begin = cut + 1
