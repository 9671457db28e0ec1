"""What the end-to-end tests share."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.e2e.following import Follower, Ledger
from tests.e2e.nursery import Nursery

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def ledger() -> Ledger:
    """Return a ledger without lines."""
    return Ledger()


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    """Return what starts processes."""
    with Nursery() as nursery:
        yield nursery


@pytest.fixture
def follower(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nursery: Nursery
) -> Iterator[Follower]:
    """Return a follower that is not started; it is killed at the end if it runs."""
    for name in [name for name in os.environ if name.startswith("LOGKIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    follower = Follower(tmp_path / "store.duckdb", nursery)
    yield follower
    follower.clean_up()


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Return the path of a log that does not exist, in a folder of its own."""
    folder = tmp_path / "logs"
    folder.mkdir()
    return folder / "app.log"
