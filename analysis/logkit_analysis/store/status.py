"""How far the store has come with each stream."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

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
        streams: A row per stream: file, its state, position, lag, rate of the last minute, rejects.
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


class Place(Protocol):
    """Where the file of a stream is, and how far behind we are in it."""

    @property
    def path(self) -> str:
        """Where it is, or was last seen."""

    @property
    def state(self) -> str:
        """What has become of it."""

    @property
    def lag_bytes(self) -> int | None:
        """What is not consumed of it, if that can be known."""


def stream_status(
    connection: duckdb.DuckDBPyConnection,
    find: Callable[[str, FileKey, int], Place],
    is_wanted: Callable[[str], bool],
) -> Status:
    """Return how far the store has come with each stream, the one last added to first.

    Args:
        connection: The open store.
        find: Tells where a file, of this path and identity, is, and what it has behind this
            position.
        is_wanted: Tells by its path whether a file is asked about.
    """
    cursor = connection.execute(_STREAMS)
    described = cursor.description or ()
    names = [Column(str(name), str(kind)) for name, kind, *_ in described[:-3]]
    rows = []
    for path, position, *rest, device, inode, is_newest in cursor.fetchall():
        place = find(path, FileKey(device, inode), position) if is_newest else None
        shown = (place.path, place.state, place.lag_bytes) if place else (path, "gone", None)
        if is_wanted(path) or is_wanted(shown[0]):
            rows.append((*shown[:2], position, shown[2], *rest))
    last_run_at = connection.execute(_LAST_RUN).fetchall()[0][0]
    state, lag = Column("state", "VARCHAR"), Column("lag_bytes", "BIGINT")
    return Status(
        ResultSet((names[0], state, names[1], lag, *names[2:]), rows),
        stream_count=len(rows),
        lag_bytes=sum(row[3] or 0 for row in rows),
        lines_per_s=sum(row[4] for row in rows),
        rejects=sum(row[5] for row in rows),
        last_run_at=last_run_at,
    )
