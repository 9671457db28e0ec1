"""The numbers of a document for programs: CSV for each chart, JSON for the whole."""

from __future__ import annotations

import csv
import io
from datetime import UTC, timedelta
from typing import TYPE_CHECKING

from logkit_analysis.renderers.values import rfc3339
from logkit_analysis.reports.document import Chart, Document, Strips, Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def chart_csv(chart: Chart | Strips) -> str:
    """Return the data of *chart*: times in UTC, a column for each series or a row per state."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerows(_chart_rows(chart) if isinstance(chart, Chart) else _strip_rows(chart))
    return out.getvalue()


def _chart_rows(chart: Chart) -> Iterator[Sequence[object]]:
    yield ["bucket_at", *(_cell(one.name) for one in chart.series)]
    width = timedelta(seconds=chart.axis.bin_seconds)
    for index, values in enumerate(zip(*(one.values for one in chart.series), strict=True)):
        at = (chart.axis.since + width * index).astimezone(UTC)
        yield [f"{at:%Y-%m-%dT%H:%M:%SZ}", *(_number(value) for value in values)]


def _strip_rows(chart: Strips) -> Iterator[Sequence[object]]:
    yield ["name", "state", "since", "until"]
    for name, stretches in chart.lines:
        for one in stretches:
            since, until = (rfc3339(at.astimezone(UTC)) for at in (one.since, one.until))
            yield [_cell(name), _cell(one.label), since, until]


def _cell(text: str) -> str:
    """Return log content as a cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"


def figures(document: Document) -> dict[str, object]:
    """Return what a program may want of *document*: its figures, tables and queries."""
    tables = [
        {
            "section": section.id,
            "caption": block.caption,
            "columns": [head.name for head in block.heads],
            "rows": block.rows,
        }
        for section in document.sections
        for block in section.blocks
        if isinstance(block, Table)
    ]
    return {
        "title": document.title,
        "severity": document.severity,
        "facts": dict(document.facts),
        "figures": document.data,
        "tables": tables,
    }
