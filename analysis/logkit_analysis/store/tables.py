"""What many streams add to a transaction as a few Arrow tables, since each statement costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from logkit_analysis.parsers.batch import Batch, RejectedLine
    from logkit_analysis.streams import Interval, LogStream

# More rows than this are worth a statement of their own, and no copy.
_FEW_ROWS = 2_000


@dataclass(frozen=True, slots=True)
class Placed:
    """A batch and where it comes from."""

    source_id: int
    file: str
    batch: Batch


def event_tables(placed: Iterable[Placed]) -> Iterator[pa.Table]:
    """Yield the events of all batches with ``source_id`` and ``source_file``."""
    small = []
    for item in placed:
        for events in item.batch.tables:
            table = _with_place(events, item)
            if events.num_rows > _FEW_ROWS:
                yield table
            else:
                small.append(table)
    if small:
        yield pa.concat_tables(small, promote_options="permissive")


def _with_place(events: pa.Table, item: Placed) -> pa.Table:
    source_id = pa.repeat(pa.scalar(item.source_id, pa.int64()), events.num_rows)
    index = pa.repeat(pa.scalar(0, pa.int8()), events.num_rows)
    file = pa.DictionaryArray.from_arrays(index, pa.array([item.file], pa.string()))
    return events.append_column("source_id", source_id).append_column("source_file", file)


def reject_table(placed: Iterable[Placed]) -> pa.Table:
    """Return all quarantined lines."""
    lines = [(item, line) for item in placed for line in item.batch.rejects]
    return pa.table(
        {
            "source_id": pa.array((item.source_id for item, _ in lines), pa.int64()),
            "source_file": pa.array((item.file for item, _ in lines), pa.string()),
            **_reject_columns([line for _, line in lines]),
        }
    )


def _reject_columns(lines: Sequence[RejectedLine]) -> dict[str, pa.Array]:
    return {
        "source_offset": pa.array((line.offset for line in lines), pa.int64()),
        "reason": pa.array((line.reason for line in lines), pa.string()),
        "raw": pa.array((line.raw for line in lines), pa.large_binary()),
    }


def interval_table(intervals: Sequence[tuple[int, Interval]], run_id: int) -> pa.Table:
    """Return intervals, each with the ``source_id`` of its stream, all with *run_id*."""
    parts = [interval for _, interval in intervals]
    return pa.table(
        {
            "source_id": pa.array((source_id for source_id, _ in intervals), pa.int64()),
            "start_offset": pa.array((part.start for part in parts), pa.int64()),
            "end_offset": pa.array((part.end for part in parts), pa.int64()),
            "crc32": pa.array((part.crc32 for part in parts), pa.int64()),
            "tail": pa.array((part.tail for part in parts), pa.binary()),
            "run_id": pa.array([run_id] * len(parts), pa.int64()),
        }
    )


def source_table(sources: Sequence[tuple[int, LogStream, bytes, str | None]]) -> pa.Table:
    """Return streams, each with its ``source_id``, its head and its format from now on."""
    streams = [stream for _, stream, _, _ in sources]
    return pa.table(
        {
            "source_id": pa.array((source[0] for source in sources), pa.int64()),
            "path": pa.array((stream.path for stream in streams), pa.string()),
            "device": pa.array((stream.key.device for stream in streams), pa.int64()),
            "inode": pa.array((stream.key.inode for stream in streams), pa.int64()),
            "head": pa.array((source[2] for source in sources), pa.binary()),
            "format": pa.array((source[3] for source in sources), pa.string()),
        }
    )
