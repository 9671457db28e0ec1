"""How far the store has come with each stream."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from logkit_analysis.results import Column, ResultSet
from logkit_analysis.streams import FileKey

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    import duckdb

_STREAMS = """
with

positions as (

    select
        source_id,
        max(end_offset) as position_bytes,
        max(committed_at) as committed_at

    from source_intervals

    group by source_id

),

recent as (

    select
        source_id,
        count(*) as rows_last_minute

    from events

    where ingested_at >= now() - interval 1 minute

    group by source_id

),

rejected as (

    select
        source_id,
        count(*) as rejects

    from quarantine

    group by source_id

)

select
    path as file,
    position_bytes,
    cast(coalesce(rows_last_minute, 0) / 60 as double) as lines_per_s,
    coalesce(rejects, 0) as rejects,
    committed_at,
    device,
    inode,
    source_id = max(source_id) over (partition by device, inode) as is_newest

from sources
join positions using (source_id)
left join recent using (source_id)
left join rejected using (source_id)

order by committed_at desc, source_id
"""


_LAST_RUN = "select max(started_at) from ingest_runs"


@dataclass(frozen=True, slots=True)
class Status:
    """How far the store has come.

    Attributes:
        streams: A row per stream: file, position, lag, rate of the last minute, rejects.
        stream_count: How many.
        lag_bytes: What all files together have more than the store, as far as it is known.
        lines_per_s: Events a second, over the last minute.
        rejects: All lines in quarantine.
        last_run_at: When something last began to read into the store, ``None`` for never.
    """

    streams: ResultSet
    stream_count: int
    lag_bytes: int
    lines_per_s: float
    rejects: int
    last_run_at: datetime | None


def stream_status(
    connection: duckdb.DuckDBPyConnection, lag: Callable[[str, FileKey, int], int | None]
) -> Status:
    """Return how far the store has come with each stream, the one last added to first.

    Args:
        connection: The open store.
        lag: Tells what a file, of this path and identity, has behind this position.
    """
    cursor = connection.execute(_STREAMS)
    described = cursor.description or ()
    columns = [Column(str(name), str(kind)) for name, kind, *_ in described[:-3]]
    columns.insert(2, Column("lag_bytes", "BIGINT"))
    rows = [
        (file, position, lag(file, FileKey(device, inode), position) if is_newest else None, *rest)
        for file, position, *rest, device, inode, is_newest in cursor.fetchall()
    ]
    last_run_at = connection.execute(_LAST_RUN).fetchall()[0][0]
    return Status(
        ResultSet(tuple(columns), rows),
        stream_count=len(rows),
        lag_bytes=sum(row[2] or 0 for row in rows),
        lines_per_s=sum(row[3] for row in rows),
        rejects=sum(row[4] for row in rows),
        last_run_at=last_run_at,
    )
