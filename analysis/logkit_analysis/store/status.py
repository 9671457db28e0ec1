"""How far the store has come with each stream."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from logkit_analysis.results import Column, ResultSet

if TYPE_CHECKING:
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
    committed_at

from sources
join positions using (source_id)
left join recent using (source_id)
left join rejected using (source_id)

order by committed_at desc, source_id
"""


def stream_status(connection: duckdb.DuckDBPyConnection) -> ResultSet:
    """Return a row per stream: file, position, lag, rate of the last minute, rejects.

    ``lag_bytes`` is what the file has more than the store, ``NULL`` where the file is gone or
    compressed in the meantime.
    """
    cursor = connection.execute(_STREAMS)
    described = cursor.description or ()
    columns = [Column(str(name), str(kind)) for name, kind, *_ in described]
    columns.insert(2, Column("lag_bytes", "BIGINT"))
    rows = [
        (file, position, _lag(file, position), *rest) for file, position, *rest in cursor.fetchall()
    ]
    return ResultSet(tuple(columns), rows)


def _lag(path: str, position: int) -> int | None:
    with suppress(OSError):
        size = Path(path).stat().st_size
        return size - position if size >= position else None
    return None
