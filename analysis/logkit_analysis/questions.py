"""Our canned queries, asked one after the other or several at a time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from logkit_analysis import engine
from logkit_analysis.store import macros

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from zoneinfo import ZoneInfo

    import duckdb

    from logkit_analysis.catalog import Catalog
    from logkit_analysis.results import ResultSet
    from logkit_analysis.time_window import Window

_AGAIN_S = 0.05


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

    def ask_together(
        self, asked: Mapping[str, tuple[Window, Mapping[str, str]]]
    ) -> dict[str, list[dict[str, Any]]]:
        """Return the rows of several queries, two of which run at a time; the slowest go first.

        While one of them waits for its detector or for one long sort, the other has the processor.

        Args:
            asked: The time that each query counts and the parameters given to it, by its name.
        """
        with ExitStack() as opened, ThreadPoolExecutor(2) as pool:
            cursors = [opened.enter_context(self.connection.cursor()) for _ in asked]
            running = {
                name: pool.submit(self._ask_apart, cursor, name, *given)
                for cursor, (name, given) in zip(cursors, asked.items(), strict=True)
            }
            try:
                return {name: one.result() for name, one in running.items()}
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                # One that makes ready to run a statement takes no notice of a single call.
                while going_on := [one for one in running.values() if not one.done()]:
                    for cursor in cursors:
                        cursor.interrupt()
                    wait(going_on, _AGAIN_S)
                raise

    def _ask_apart(
        self,
        cursor: duckdb.DuckDBPyConnection,
        name: str,
        window: Window,
        given: Mapping[str, str],
    ) -> list[dict[str, Any]]:
        macros.install_temporary(cursor)
        return replace(self, connection=cursor).ask(name, window, **given)
