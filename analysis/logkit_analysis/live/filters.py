"""Which events a live view counts, and which of them it shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from logkit.schema import FIELDS, LEVELS
from logkit_analysis.live.conditions import Conditions, level_named
from logkit_analysis.live.expressions import needed_columns, run_time_problem
from logkit_analysis.store import macros

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logkit_analysis.live.event import LiveEvent

_COLUMN_TYPES = {
    **{column.name: column.duckdb for column in FIELDS},
    "fields": "JSON",
    "source_file": "VARCHAR",
    "source_offset": "BIGINT",
}


class Selection:
    """The filters of a live view: conditions and an expression choose, the level only hides.

    Args:
        level: Show this level and worse ones; events without a level are then hidden.
        conditions: ``key=value``, ``key!=value``, ``key~=part``; all must hold.
        where: An SQL expression over the columns of ``events``, as in ``logkit sql``.
        zone: Name of the zone of times in *where* that name none.

    Attributes:
        notes: What the user should be told about the filters.

    Raises:
        UsageError: One of them cannot be understood.
    """

    def __init__(
        self,
        level: str | None = None,
        conditions: Sequence[str] = (),
        where: str | None = None,
        *,
        zone: str = "UTC",
    ) -> None:
        chosen = Conditions()
        for condition in conditions:
            chosen.add(condition)
        self.notes = tuple(chosen.notes)
        self._levels = None if level is None else _from(level_named("--level", level))
        self._texts, self._values = chosen.texts, chosen.values
        columns = chosen.columns
        if where is not None or self._texts:
            self._connection = _locked(zone, has_macros=where is not None and "lk_" in where)
        if where is not None:
            columns |= needed_columns(self._connection, where, _COLUMN_TYPES)
            self._texts.append(f"{where}\n")
        # Planning costs time for each.
        self._columns = sorted(columns)

    @property
    def shows_rejects(self) -> bool:
        """Whether lines that are no events are shown: only while nothing is filtered."""
        return self._levels is None and not self._texts

    def counted(self, table: pa.Table) -> pa.Table:
        """Return the events of *table* that the conditions and the expression choose.

        Args:
            table: Columns as the parser gives them and, where it matters, ``source_file``.

        Raises:
            UsageError: The expression fails on a value.
        """
        if not self._texts or not table.num_rows:
            return table
        return table.filter(self._are_chosen(table))

    def shown(self, table: pa.Table) -> pa.Table:
        """Return the events of *table*, which are counted, that have a level to be shown."""
        if self._levels is None:
            return table
        if "level" not in table.column_names:
            return table.slice(0, 0)
        return table.filter(pc.is_in(table.column("level"), self._levels))

    def of_events(self, events: Sequence[LiveEvent]) -> Sequence[LiveEvent]:
        """Return those of *events* that are counted and shown.

        Raises:
            UsageError: The expression fails on a value.
        """
        if self.shows_rejects:
            return events
        if self._levels is not None:
            levels = set(self._levels.to_pylist())
            events = [one for one in events if one.columns.get("level") in levels]
        events = [one for one in events if one.reject_reason is None]
        if not self._texts or not events:
            return events
        are_chosen = self._are_chosen(_table(events, self._columns)).to_pylist()
        return [one for one, is_chosen in zip(events, are_chosen, strict=True) if is_chosen]

    def _are_chosen(self, table: pa.Table) -> pa.ChunkedArray:
        """Return for each event of *table* whether the conditions and the expression choose it."""
        self._connection.register("batch", table)
        try:
            query = self._query(set(table.column_names))
            chosen = self._connection.sql(query, params=self._values).to_arrow_table()
        except duckdb.Error as error:
            raise run_time_problem(error) from error
        finally:
            self._connection.unregister("batch")
        return chosen.column("is_chosen")

    def _query(self, there: set[str]) -> str:
        columns = [_column(name, is_there=name in there) for name in self._columns]
        source = ", ".join(["1 as one", *columns])
        condition = " and ".join(f"({text})" for text in self._texts)
        is_chosen = f"case when {condition} then true else false end as is_chosen"
        return f"select {is_chosen} from (select {source} from batch) as events"  # noqa: S608


def _column(name: str, *, is_there: bool) -> str:
    if not is_there:
        return f"cast(null as {_COLUMN_TYPES[name]}) as {name}"
    # What is no JSON must not stop the others.
    return "try_cast(fields as json) as fields" if name == "fields" else name


def _table(events: Sequence[LiveEvent], names: Sequence[str]) -> pa.Table:
    """Return the columns *names* of *events*, those that have a value; never none at all."""
    columns = {name: pa.array(_values(events, name)) for name in names}
    there = {name: column for name, column in columns.items() if column.null_count < len(events)}
    return pa.table({**there, "place": pa.array(range(len(events)))})


def _values(events: Sequence[LiveEvent], name: str) -> Sequence[Any]:
    match name:
        case "timestamp":
            return [one.at for one in events]
        case "fields":
            return [one.fields for one in events]
        case "source_file":
            return [one.file for one in events]
        case "source_offset":
            return [one.offset for one in events]
        case _:
            return [one.columns.get(name) for one in events]


def _from(level: str) -> pa.Array:
    """Return *level* and the worse ones."""
    return pa.array([name for name, number in LEVELS.items() if number >= LEVELS[level]])


def _locked(zone: str, *, has_macros: bool) -> duckdb.DuckDBPyConnection:
    """Return a connection that has a table of one empty event and sees nothing else."""
    connection = duckdb.connect(config={"threads": 1})
    connection.execute("set timezone = $zone", {"zone": zone})
    if has_macros:
        macros.install(connection)
    columns = ", ".join(f"{name} {kind}" for name, kind in _COLUMN_TYPES.items())
    connection.execute(f"create table events ({columns})")
    connection.execute("insert into events default values")
    connection.execute("set enable_external_access = false")
    connection.execute("set lock_configuration = true")
    return connection
