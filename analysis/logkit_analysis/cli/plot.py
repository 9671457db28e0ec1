"""``--plot``: rows drawn over time instead of listed."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from logkit_analysis.cli import notes, output
from logkit_analysis.cli.options import Format
from logkit_analysis.cli.rows import choose_format
from logkit_analysis.errors import UsageError

if TYPE_CHECKING:
    from datetime import timedelta
    from pathlib import Path
    from zoneinfo import ZoneInfo

    from logkit_analysis.results import ResultSet
    from logkit_analysis.time_window import Window

PlotOption = Annotated[
    bool, typer.Option("--plot", help="Draw the rows over time instead of listing them.")
]
ColumnOption = Annotated[
    str | None,
    typer.Option("--column", metavar="NAME", help="Which number to draw; with or without --plot."),
]


@dataclass(frozen=True, slots=True)
class Drawing:
    """How rows are drawn.

    Attributes:
        name: What gave the rows, for messages.
        column: The number to draw; ``None`` for the first.
        step: Time from one row to the next, where it is known.
        window: Time to draw, where it is known.
    """

    name: str
    column: str | None = None
    step: timedelta | None = None
    window: Window | None = None


def format_of(asked: Format | None, path: Path | None) -> Format:
    """Return the only format that a drawing has.

    Raises:
        UsageError: Another is asked for, by name or by the suffix of the output.
    """
    chosen = choose_format(asked, path)
    if chosen is not Format.TABLE:
        raise UsageError(f"--plot draws a text for people; it cannot be written as {chosen}")
    return chosen


def draw(result: ResultSet, drawing: Drawing, path: Path | None, zone: ZoneInfo) -> None:
    """Draw *result* to *path*, or to stdout, in the width of the terminal.

    Raises:
        NoTimelineError: It has no times, or no such number.
    """
    from logkit_analysis.renderers.plot_text import plot_text
    from logkit_analysis.renderers.timeline import timeline

    line = timeline(result, drawing.name, column=drawing.column, step=drawing.step)
    if not line.series and result.rows:
        notes.note(f"nothing to draw: no row has a {line.column}")
    if not line.series:
        return
    width = shutil.get_terminal_size(fallback=(80, 24)).columns
    text = plot_text(line, zone, width, drawing.window)
    with output.destination(path) as stream:
        stream.write(text.encode("utf-8", "backslashreplace"))
    if line.others:
        output.flush()
        notes.note(f"--column draws another: {', '.join(line.others)}")
