"""Simulated calls with a known story, in a store."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from logkit_analysis.catalog import load_catalog
from logkit_analysis.engine import bind, run_query
from logkit_analysis.resources import queries_directory
from logkit_analysis.store.database import empty_store
from logkit_analysis.stored import stored_span
from logkit_analysis.time_window import TimeFlags, resolve

if TYPE_CHECKING:
    from collections.abc import Callable

START = datetime(2026, 1, 31, 9, tzinfo=UTC)


class Calls:
    """Calls of endpoints of one service, with durations in milliseconds from a story."""

    def __init__(self, seed: int = 1) -> None:
        self._rng = random.Random(seed)
        self._calls: list[tuple[datetime, str, float, bool]] = []

    def add(
        self,
        endpoint: str,
        minutes: float,
        *,
        per_minute: float,
        median_ms: Callable[[float], float],
        error_ratio: Callable[[float], float] = lambda _: 0.0,
    ) -> None:
        """Add *minutes* of calls; the functions take the minute since the start."""
        at = 0.0
        while (at := at + self._rng.expovariate(per_minute)) < minutes:
            duration = median_ms(at) * self._rng.lognormvariate(0, 0.4)
            failed = self._rng.random() < error_ratio(at)
            self._calls.append((START + timedelta(minutes=at), endpoint, duration, failed))

    def first_after(self, minute: float, endpoint: str = "/a") -> datetime:
        """Return the start of the first call of *endpoint* from that minute on."""
        at = START + timedelta(minutes=minute)
        return min(begun for begun, name, *_ in self._calls if name == endpoint and begun >= at)

    def findings(self) -> list[dict[str, Any]]:
        """Return what the query finds in them."""
        return found_in(self.table())

    def table(self) -> pa.Table:
        """Return the calls as events."""
        size = len(self._calls)
        ended = [at + timedelta(milliseconds=ms) for at, _, ms, _ in self._calls]
        return pa.table(
            {
                "timestamp": pa.array(ended, pa.timestamp("us", "UTC")),
                "service": pa.repeat("bot", size),
                "method": pa.repeat("GET", size),
                "endpoint": [endpoint for _, endpoint, *_ in self._calls],
                "duration_ms": [ms for _, _, ms, _ in self._calls],
                "status_code": [500 if failed else 200 for *_, failed in self._calls],
                "correlation_id": [f"c{index}" for index in range(size)],
            }
        )


def found_in(events: pa.Table) -> list[dict[str, Any]]:
    """Return the rows of `degradation_start` on a store that holds *events*."""
    with empty_store() as connection:
        connection.register("rows", events)
        connection.execute(_INSERT)
        spec = load_catalog([queries_directory()]).find("degradation_start")
        span = stored_span(connection)
        window = resolve(TimeFlags(), span=span, zone=_ZONE, now=START)
        values = bind(spec, {}, window, zone=_ZONE, now=START)
        return run_query(connection, spec, values).dicts()


_ZONE = ZoneInfo("UTC")
_INSERT = """
insert into events by name
select *, 1 as source_id, row_number() over () as source_offset, 'bot.log' as source_file,
    now() as ingested_at
from rows
"""


@pytest.fixture
def calls() -> Calls:
    """Return no calls yet."""
    return Calls()
