"""ResultSet -> an aligned table, a row a line; on a terminal it is fitted into the width.

Fitted, texts are broken at blanks, times behind the day, and then paths behind a slash; an id is
never broken, and what cannot stand side by side becomes records. The first rows decide how wide a
column is; what follows is written as it comes.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from itertools import chain, count, islice
from typing import IO, TYPE_CHECKING

from rich.cells import cell_len

from logkit_analysis.renderers import UNLIMITED
from logkit_analysis.renderers.cells import CellColumn, cell_columns
from logkit_analysis.results import ResultSet

if TYPE_CHECKING:
    from collections.abc import Iterator
    from zoneinfo import ZoneInfo

_RECORD_GAP = "  "
_NARROWEST_TEXT = 10
# A message of 60 kB must not pad each other row to its length.
_WIDEST_PADDING = 120
_BATCH_ROWS = 1000
# Where a long cell may be broken: behind blanks, behind what parts the steps of a path or the
# values of a list, and at last behind the joints of names.
_BLANKS = re.compile(r"(?<=\s)")
_SLASHES = re.compile(r"(?<=[\s/,;])")
_JOINTS = re.compile(r"(?<=[\s/,;_.:=&?-])")


@dataclass(frozen=True, slots=True)
class _Layout:
    widths: list[int]
    gap: str
    is_free: bool


def write_table(
    result: ResultSet,
    stream: IO[bytes],
    zone: ZoneInfo,
    *,
    width: int = UNLIMITED,
    is_bold: bool = False,
) -> None:
    """Write a table.

    Args:
        result: Rows; a thousand of them are read at a time.
        stream: Where to.
        zone: Zone of the times shown.
        width: Cells of a line that it is fitted into; without a limit, a row is a line.
        is_bold: Whether the head is printed bold.
    """
    batches = _batches(result)
    first = next(batches)
    second = next(batches, None)
    columns = cell_columns(first, zone)
    layout = _layout(columns, width)
    row_count = len(columns[0].cells) if columns and second is None else None
    numbers = count(1)
    if layout is not None:
        _write_lines(_head(columns, layout, is_bold=is_bold), stream)
    for batch in chain([first], [] if second is None else [second], batches):
        cells = columns if batch is first else cell_columns(batch, zone, columns)
        lines = _grid(cells, layout) if layout else _records(cells, width, numbers, row_count)
        _write_lines(lines, stream)


def _batches(result: ResultSet) -> Iterator[ResultSet]:
    """Yield the rows in parts, at least one."""
    rows = iter(result.rows)
    part = list(islice(rows, _BATCH_ROWS))
    while True:
        yield ResultSet(result.columns, part)
        part = list(islice(rows, _BATCH_ROWS))
        if not part:
            return


def _write_lines(lines: list[str], stream: IO[bytes]) -> None:
    stream.write("".join(f"{line}\n" for line in lines).encode("utf-8", "backslashreplace"))


def _layout(columns: list[CellColumn], width: int) -> _Layout | None:
    """Return the layout that breaks least, or ``None`` when no grid fits into *width*."""
    contents = [max((cell_len(c) for c in column.cells if c), default=0) for column in columns]
    heads = [max(map(cell_len, _pieces(column.name, _JOINTS))) for column in columns]
    whole = [max(w, cell_len(c.name)) for w, c in zip(contents, columns, strict=True)]
    needed = [max(pair) for pair in zip(contents, heads, strict=True)]
    least = list(needed)
    if width == UNLIMITED:
        return _Layout([min(w, _WIDEST_PADDING) for w in whole], "  ", is_free=True)
    trials = [(whole, whole, "  "), (needed, needed, "  "), (needed, needed, " ")]
    for breaks in (_at_blanks, _behind_day, _behind_slashes):
        least = [
            max(head, min(low, breaks(column)))
            for column, head, low in zip(columns, heads, least, strict=True)
        ]
        trials.append((needed, least, " "))
    for widths, lower, gap in trials:
        room = width - len(gap) * (len(columns) - 1)
        if sum(lower) <= room:
            return _Layout(_shrunk(widths, lower, room), gap, is_free=False)
    return None


def _shrunk(widths: list[int], least: list[int], room: int) -> list[int]:
    """Return *widths* made to fit into *room*, the widest first, none below its *least*."""
    shrunk = list(widths)
    while sum(shrunk) > room:
        slack = [(w, i) for i, (w, low) in enumerate(zip(shrunk, least, strict=True)) if w > low]
        shrunk[max(slack)[1]] -= 1
    return shrunk


def _at_blanks(column: CellColumn) -> int:
    """Return the least width of a text that is broken between its words."""
    if column.is_number or column.is_time:
        return sys.maxsize
    return max(_longest(column, _BLANKS), _NARROWEST_TEXT)


def _behind_day(column: CellColumn) -> int:
    return _longest(column, _BLANKS) if column.is_time else sys.maxsize


def _behind_slashes(column: CellColumn) -> int:
    return sys.maxsize if column.is_number else max(_longest(column, _SLASHES), _NARROWEST_TEXT)


def _longest(column: CellColumn, joints: re.Pattern[str]) -> int:
    """Return the width of the longest piece of the column's cells."""
    pieces = (piece.rstrip() for cell in column.cells if cell for piece in _pieces(cell, joints))
    return max(map(cell_len, pieces), default=0)


def _head(columns: list[CellColumn], layout: _Layout, *, is_bold: bool) -> list[str]:
    widths = layout.widths
    heads = [_wrap(column.name, width) for column, width in zip(columns, widths, strict=True)]
    height = max(map(len, heads), default=0)
    heads = [[""] * (height - len(head)) + head for head in heads]
    lines = [_line([head[i] for head in heads], columns, layout) for i in range(height)]
    if is_bold:
        lines = [f"\x1b[1m{line}\x1b[0m" for line in lines]
    return [*lines, layout.gap.join("-" * width for width in widths)]


def _grid(columns: list[CellColumn], layout: _Layout) -> list[str]:
    lines = []
    # A number stays whole, and in a pipe a late row that is longer than the first ones does too.
    limits = [
        None if column.is_number or layout.is_free else width
        for column, width in zip(columns, layout.widths, strict=True)
    ]
    for row in zip(*(column.cells for column in columns), strict=True):
        cells = [
            [cell or ""] if width is None else _wrap(cell or "", width)
            for cell, width in zip(row, limits, strict=True)
        ]
        for i in range(max(map(len, cells))):
            parts = [cell[i] if i < len(cell) else "" for cell in cells]
            lines.append(_line(parts, columns, layout))
    return lines


def _line(cells: list[str], columns: list[CellColumn], layout: _Layout) -> str:
    padded = []
    for cell, column, width in zip(cells, columns, layout.widths, strict=True):
        blank = " " * (width - cell_len(cell))
        padded.append(blank + cell if column.is_number else cell + blank)
    return layout.gap.join(padded).rstrip()


def _pieces(text: str, joints: re.Pattern[str]) -> list[str]:
    return [piece for piece in joints.split(text) if piece] or [""]


def _wrap(text: str, width: int) -> list[str]:
    """Return *text* in lines of at most *width* cells, broken where it hurts least."""
    if cell_len(text) <= width:
        return [text]
    lines = [""]
    for piece in _breakable(text, width):
        if cell_len(lines[-1] + piece.rstrip()) <= width:
            lines[-1] += piece
            continue
        if lines[-1]:
            lines.append("")
        for character in piece:
            if cell_len(lines[-1] + character) > width:
                lines.append("")
            lines[-1] += character
    return [line.rstrip() for line in lines]


def _breakable(text: str, width: int) -> list[str]:
    """Return the longest pieces of *text* that fit, or its shortest where even they do not."""
    for joints in (_BLANKS, _SLASHES):
        pieces = _pieces(text, joints)
        if all(cell_len(piece.rstrip()) <= width for piece in pieces):
            return pieces
    return _pieces(text, _JOINTS)


def _records(
    columns: list[CellColumn], width: int, numbers: Iterator[int], row_count: int | None
) -> list[str]:
    """Return each row as a block of ``name  value`` lines; NULLs are counted, not listed."""
    lines: list[str] = []
    name_width = max(cell_len(column.name) for column in columns)
    of = "" if row_count is None else f" of {row_count}"
    for row in zip(*(column.cells for column in columns), strict=True):
        filled = [(c.name, cell) for c, cell in zip(columns, row, strict=True) if cell is not None]
        empty = len(columns) - len(filled)
        note = f", {empty} empty columns left out" if empty else ""
        lines.append(f"--- row {next(numbers)}{of}{note}")
        for name, cell in filled:
            room = max(width - name_width - len(_RECORD_GAP), _NARROWEST_TEXT)
            head = name + " " * (name_width - cell_len(name))
            for part in _wrap(cell, room):
                lines.append(f"{head}{_RECORD_GAP}{part}".rstrip())
                head = " " * name_width
    return lines
