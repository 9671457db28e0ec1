"""What kinds of lines a live view holds, as ``logkit patterns`` tells them apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa

from logkit_analysis.store import macros

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from logkit_analysis.live.event import LiveEvent

# Equal texts are put together before their shape is found, which costs most.
_QUERY = """
with

texts as (

    select level, service, event, message, count(*) as text_count, min(timestamp) as first_at,
        max(timestamp) as last_at
    from events
    group by level, service, event, message

)

select
    level, service, event, lk_shape(message) as shape,
    cast(sum(text_count) as bigint) as event_count, min(first_at), max(last_at)
from texts
group by level, service, event, shape
order by event_count desc, level, service, event, shape
"""


@dataclass(frozen=True, slots=True)
class Pattern:
    """Events of one service, level and name whose messages have the same shape.

    Attributes:
        level: Their level; ``rejected`` of lines that are no events.
        service: Their service.
        event: Their name.
        template: The shape: a message with a star for each value; ``None`` without a message.
        count: How many there are.
        first_at: Time of the earliest.
        last_at: Time of the latest.
    """

    level: str | None
    service: str | None
    event: str | None
    template: str | None
    count: int
    first_at: datetime | None
    last_at: datetime | None


def find_patterns(events: Sequence[LiveEvent]) -> list[Pattern]:
    """Return the patterns of *events*, those of most events first."""
    names = ("service", "event", "message")
    columns: dict[str, pa.Array] = {
        name: pa.array([event.columns.get(name) for event in events], pa.string()) for name in names
    }
    columns["level"] = pa.array([_level(event) for event in events], pa.string())
    columns["timestamp"] = pa.array([event.at for event in events], pa.timestamp("us", tz="UTC"))
    with duckdb.connect() as connection:
        macros.install_temporary(connection)
        connection.execute("set time zone 'UTC'")
        connection.register("events", pa.table(columns))
        return [Pattern(*row) for row in connection.execute(_QUERY).fetchall()]


def _level(event: LiveEvent) -> str | None:
    return "rejected" if event.reject_reason is not None else event.columns.get("level")
