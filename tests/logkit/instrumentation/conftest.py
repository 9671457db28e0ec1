from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import logkit

from .loopback import Loopback

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def server() -> Iterator[Loopback]:
    """Start a server of the test's own."""
    loopback = Loopback()
    yield loopback
    loopback.stop()


@pytest.fixture(autouse=True)
def _hooks() -> Iterator[None]:
    logkit.instrument()
    yield
    logkit.uninstrument()
