"""One transaction: all of it or nothing."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import duckdb

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Commit all that *connection* does in the block, or nothing if an exception ends it."""
    connection.begin()
    try:
        yield
        connection.commit()
    except BaseException:
        # After a failed commit, or Ctrl-C, there may be nothing to roll back: that is not the news.
        with suppress(duckdb.Error):
            connection.rollback()
        raise
