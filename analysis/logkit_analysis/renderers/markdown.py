"""ResultSet -> a Markdown table."""

from __future__ import annotations

import re
from typing import IO, TYPE_CHECKING

from logkit_analysis.renderers.cells import cell_columns

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from logkit_analysis.results import ResultSet

# Log content must stay text: no links, images, HTML or emphasis. An underscore inside a word is
# harmless, and names are full of them.
_MARKUP = re.compile(r"[\\`*\[\]<>|~&!#]")


def write_markdown(result: ResultSet, stream: IO[bytes], zone: ZoneInfo) -> None:
    """Write a table in GitHub's Markdown, times in *zone*."""
    columns = cell_columns(result, zone)
    rules = ["---:" if column.is_number else "---" for column in columns]
    lines = [_line([_escape(column.name) for column in columns]), _line(rules)]
    rows = zip(*(column.cells for column in columns), strict=True)
    lines += [_line([_escape(cell or "") for cell in row]) for row in rows]
    stream.write("".join(lines).encode("utf-8", "backslashreplace"))


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |\n"


def _escape(text: str) -> str:
    return _MARKUP.sub(r"\\\g<0>", text)
