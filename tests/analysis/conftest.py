from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from logkit_analysis.ingest import ingest

if TYPE_CHECKING:
    from datetime import tzinfo
    from pathlib import Path

    from logkit_analysis.intake import IngestReport


@dataclass
class Store:
    """A database under test: ingest into it, and ask it."""

    path: Path
    waits: list[str] = field(default_factory=list)

    def ingest(self, *arguments: str | Path, zone: tzinfo = UTC) -> IngestReport:
        """Ingest what *arguments* name."""
        words = [str(argument) for argument in arguments]
        return ingest(
            self.path, words, zone=zone, progress=SilentProgress(), on_wait=self.waits.append
        )

    def rows(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Return all rows of *query*."""
        with closing(duckdb.connect(str(self.path), read_only=True)) as connection:
            return connection.execute(query, list(parameters)).fetchall()


class SilentProgress:
    """Nobody watches."""

    def total(self, file_count: int, byte_count: int | None) -> None:
        """Take note of nothing."""

    def advance(self, path: str, position: int, row_count: int) -> None:
        """Take note of nothing."""


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Return a store that holds nothing yet."""
    return Store(tmp_path / "logkit.duckdb")
