"""Our canned queries, asked one after the other on one connection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from logkit_analysis import engine

if TYPE_CHECKING:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    import duckdb

    from logkit_analysis.catalog import Catalog
    from logkit_analysis.results import ResultSet
    from logkit_analysis.time_window import Window


@dataclass(frozen=True, slots=True)
class Questions:
    """What every question needs.

    Attributes:
        connection: The open database.
        catalog: The queries that can be asked.
        zone: Zone of times that carry none.
        now: The present instant.
    """

    connection: duckdb.DuckDBPyConnection
    catalog: Catalog
    zone: ZoneInfo
    now: datetime

    def result(self, name: str, window: Window, **given: str) -> ResultSet:
        """Return the whole result of the query *name* with the parameters *given*."""
        spec = self.catalog.find(name)
        values = engine.bind(spec, given, window, zone=self.zone, now=self.now)
        return engine.run_query(self.connection, spec, values)

    def ask(self, name: str, window: Window, **given: str) -> list[dict[str, Any]]:
        """Return its rows as mappings."""
        return self.result(name, window, **given).dicts()
