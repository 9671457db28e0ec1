"""What was parsed, as the events that a live view shows; all that is selected is counted."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING

import pyarrow as pa

from logkit.schema import FIELDS
from logkit_analysis.live.event import LiveEvent
from logkit_analysis.live.row import rows, times

if TYPE_CHECKING:
    from collections.abc import Iterator

    from logkit_analysis.live.filters import Selection
    from logkit_analysis.live.rates import Rates
    from logkit_analysis.parsers.batch import Batch, RejectedLine

# Of a line that is no event, so much is shown.
_MOST_REJECTED_BYTES = 64 * 1024
_NAMES = [one.name for one in FIELDS if one.name != "timestamp"]


def sift(
    batch: Batch, file: str, selection: Selection, rates: Rates | None = None, now: float = 0.0
) -> list[LiveEvent]:
    """Return what *selection* shows of *batch*, in the order of the file.

    Args:
        batch: Lines of *file*.
        file: Its path as the user wrote it.
        selection: What is counted, and what of that is shown.
        rates: Counts it, if that is wanted: events that are new.
        now: When they came, on the clock of *rates*.
    """
    shown: list[LiveEvent] = []
    for table in batch.tables:
        files = pa.repeat(pa.scalar(file), table.num_rows)
        counted = selection.counted(table.append_column("source_file", files))
        if rates is not None:
            rates.add(counted, now)
        shown += _events(selection.shown(counted), file)
    if rates is not None and batch.rejects:
        rates.add(_NOTHING, now, rejects=len(batch.rejects))
    if selection.shows_rejects:
        shown += (_rejected(line, file) for line in batch.rejects)
    return sorted(shown, key=attrgetter("offset"))


_NOTHING = pa.table({})


def _events(table: pa.Table, file: str) -> Iterator[LiveEvent]:
    """Yield the rows of *table*."""
    there = set(table.column_names)
    names = [name for name in _NAMES if name in there]
    nothing = [None] * table.num_rows
    offsets, fields = (
        table.column(name).to_pylist() if name in there else nothing
        for name in ("source_offset", "fields")
    )
    when = times(table.column("timestamp")) if "timestamp" in there else nothing
    for offset, at, extra, row in zip(offsets, when, fields, rows(table, names), strict=True):
        yield LiveEvent(file, offset, at, row, extra)


def _rejected(line: RejectedLine, file: str) -> LiveEvent:
    text = line.raw[:_MOST_REJECTED_BYTES].decode("utf-8", "backslashreplace").rstrip("\r\n")
    return LiveEvent(file, line.offset, None, {"message": text}, reject_reason=line.reason)
