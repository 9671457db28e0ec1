"""A series of numbers as one line of blocks, small enough to stand behind a name."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

BLOCKS = "▁▂▃▄▅▆▇█"
"""Eighths of a line's height; a value that is there shows at least the lowest."""
GAP = " "
# The least span of the scale as a share of the greatest value: a level that wavers by a few
# percent must not look like peaks and troughs.
_LEAST_SPAN = 0.25


def sparkline(
    values: Sequence[float | None], width: int | None = None, foot: float | None = None
) -> str:
    """Return *values* as a line of eight block heights, from the least to the greatest of them.

    ``None``, NaN and infinity are gaps (blanks), not zeros. A series that is level is drawn low.
    Where there are more values than cells, a cell shows the **greatest** of its values: who looks
    at a sparkline looks for the bad minute, which a mean would hide.

    Args:
        values: One value a step, all steps of the same length.
        width: The most cells to take; ``None`` for a cell a value.
        foot: Where the scale begins, if below all values: 0 for counts and shares.
    """
    known = [None if v is None or not math.isfinite(v) else float(v) for v in values]
    cells = known if width is None else greatest_of_each(known, max(width, 1))
    there = [value for value in cells if value is not None]
    if not there:
        return GAP * len(cells)
    low = min(there if foot is None else [foot, *there])
    # Shares, not differences: the span of the greatest floats is no float.
    scale = max(abs(low), abs(max(there))) or 1.0
    span = max(max(there) / scale - low / scale, _LEAST_SPAN)
    return "".join(
        GAP if value is None else BLOCKS[round((value / scale - low / scale) / span * 7)]
        for value in cells
    )


def greatest_of_each(values: Sequence[float | None], count: int) -> list[float | None]:
    """Return the greatest value of each of *count* equal parts, or *values* where they are fewer.

    A part that holds no value is ``None``.
    """
    if len(values) <= count:
        return list(values)
    edges = [index * len(values) // count for index in range(count + 1)]
    return [
        max((v for v in values[start:end] if v is not None), default=None)
        for start, end in pairwise(edges)
    ]
