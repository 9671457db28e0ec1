"""Parts of a line as text for a terminal: cut to its width, in its colours."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from logkit_analysis.live.lines import Segment

ELLIPSIS = "…"


def cells(text: str) -> int:
    """Return how many cells of a terminal *text* takes."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def plain_text(segments: Iterable[Segment]) -> str:
    """Return the text of *segments* without their styles."""
    return "".join(text for text, _ in segments)


def coloured(segments: Iterable[Segment]) -> str:
    """Return the text of *segments* in the 16 colours that every terminal has."""
    return "".join(
        f"{_codes(style)[0]}{text}{_codes(style)[1]}" if style else text for text, style in segments
    )


def cut(segments: Sequence[Segment], width: int) -> list[Segment]:
    """Return *segments* in at most *width* cells, with an ellipsis in the last if they are cut."""
    from rich.cells import set_cell_size

    sizes = [cells(text) for text, _ in segments]
    if sum(sizes) <= width:
        return list(segments)
    room = width - 1
    kept: list[Segment] = []
    for (text, style), size in zip(segments, sizes, strict=True):
        if size > room:
            kept.append((set_cell_size(text, max(room, 0)).rstrip() + ELLIPSIS, style))
            break
        kept.append((text, style))
        room -= size
    return kept


@cache
def _codes(style: str) -> tuple[str, str]:
    """Return what stands before and behind a text of *style*."""
    from rich.color import ColorSystem
    from rich.style import Style

    before, _, after = (
        Style.parse(style).render("x", color_system=ColorSystem.STANDARD).partition("x")
    )
    return before, after
