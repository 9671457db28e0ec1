from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from logkit_analysis.parsers.chunk_parser import ChunkParser

if TYPE_CHECKING:
    from collections.abc import Callable

    from logkit_analysis.parsers.choice import Choice


@dataclass(frozen=True)
class Reading:
    """What became of a log.

    Attributes:
        events: Columns, and other fields beside them, without nulls; times as text.
        rejects: Reason and bytes.
        choice: What it was found to be.
    """

    events: list[dict[str, Any]]
    rejects: list[tuple[str, bytes]]
    choice: Choice | None


@pytest.fixture
def read() -> Callable[..., Reading]:
    """Return a function from a log (text, bytes or lines) to what it holds; times are UTC."""

    def parse(log: str | bytes, **options: Any) -> Reading:
        data = log.encode() if isinstance(log, str) else log
        written_at = options.pop("written_at", datetime(2026, 3, 20, tzinfo=UTC))
        parser = ChunkParser(options.pop("zone", UTC), **options)
        batch = parser.parse(data, 0, written_at=written_at)
        rows = [row for table in batch.tables for row in table.to_pylist()]
        rows.sort(key=lambda row: int(row["source_offset"]))
        rejects = [(line.reason, line.raw) for line in batch.rejects]
        return Reading([_plain(row) for row in rows], rejects, batch.choice)

    return parse


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    fields = json.loads(row.pop("fields", None) or "{}")
    del row["source_offset"]
    event: dict[str, Any] = {key: value for key, value in row.items() if value is not None} | fields
    if row.get("timestamp"):
        event["timestamp"] = row["timestamp"].isoformat().replace("+00:00", "Z")
    return event
