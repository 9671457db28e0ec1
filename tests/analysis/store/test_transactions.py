"""All or nothing, and the news of why."""

from __future__ import annotations

import duckdb
import pytest
from logkit_analysis.store.transactions import transaction


def _interrupt(connection: duckdb.DuckDBPyConnection, *, is_over: bool) -> None:
    with transaction(connection):
        connection.execute("insert into t values (1)")
        if is_over:
            connection.rollback()
        raise KeyboardInterrupt


@pytest.mark.parametrize("is_over", [False, True], ids=["open", "rolled back by itself"])
def test_an_interrupt_is_told_as_one(is_over: bool) -> None:
    """Nothing is kept; that DuckDB has nothing left to roll back does not hide Ctrl-C."""
    with duckdb.connect() as connection:
        connection.execute("create table t (a integer)")
        with pytest.raises(KeyboardInterrupt):
            _interrupt(connection, is_over=is_over)
        with transaction(connection):
            connection.execute("insert into t values (2)")
        assert connection.execute("select a from t").fetchall() == [(2,)]
