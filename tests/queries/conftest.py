"""An empty store in memory, events put straight into it, and queries run on it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa
import pytest
from logkit_analysis import engine, stored
from logkit_analysis.catalog import Catalog, load_catalog
from logkit_analysis.resources import queries_directory
from logkit_analysis.store import macros
from logkit_analysis.store.migrations import migrate
from logkit_analysis.time_window import TimeFlags, Window, resolve

from logkit.schema import FIELDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_ARROW_TYPES: dict[str, pa.DataType] = {
    "VARCHAR": pa.string(),
    "INTEGER": pa.int32(),
    "BIGINT": pa.int64(),
    "DOUBLE": pa.float64(),
    "TIMESTAMPTZ": pa.timestamp("us", tz="UTC"),
}
_SCHEMA = pa.schema(
    [
        *(pa.field(field.name, _ARROW_TYPES[field.duckdb]) for field in FIELDS),
        pa.field("fields", pa.string()),
        pa.field("source_id", pa.int64()),
        pa.field("source_offset", pa.int64()),
        pa.field("source_file", pa.string()),
        pa.field("ingested_at", _ARROW_TYPES["TIMESTAMPTZ"]),
    ]
)
NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
UTC_ZONE = ZoneInfo("UTC")


class Store:
    """A store in memory; no dataclass, whose fields hypothesis would show with each failure."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, catalog: Catalog) -> None:
        self.connection = connection
        self.catalog = catalog

    def fill(self, events: Sequence[dict[str, Any]]) -> None:
        """Make *events* all that the store holds; the tenth is line 10 of its file."""
        self.connection.execute("delete from events")
        rows = [
            {
                "source_id": 1,
                "source_offset": offset,
                "source_file": "bot.log",
                "ingested_at": NOW,
                **event,
            }
            for offset, event in enumerate(events)
        ]
        self.connection.register("batch", pa.Table.from_pylist(rows, schema=_SCHEMA))
        self.connection.execute("insert into events by name select * from batch")
        self.connection.unregister("batch")

    def run(
        self,
        name: str,
        window: Window | None = None,
        *,
        is_raw: bool = False,
        **parameters: str,
    ) -> list[dict[str, object]]:
        """Return the rows of the query *name*; the window is everything stored by default."""
        spec = self.catalog.find(name)
        span = stored.stored_span(self.connection)
        whole = resolve(TimeFlags(), span=span, zone=UTC_ZONE, now=NOW)
        values = engine.bind(spec, parameters, window or whole, zone=UTC_ZONE, now=NOW)
        return engine.run_query(self.connection, spec, values, is_raw=is_raw).dicts()


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    """Return our queries."""
    return load_catalog([queries_directory()])


@pytest.fixture(scope="module")
def store(catalog: Catalog) -> Iterator[Store]:
    """Yield a store that lives as long as the tests of a module."""
    connection = duckdb.connect()
    connection.execute("set timezone = 'UTC'")
    connection.execute("set threads = 2")
    migrate(connection)
    macros.install(connection)
    yield Store(connection, catalog)
    connection.close()
