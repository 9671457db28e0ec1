"""The pytest fixture ``logs``; pytest finds it in an environment where logkit is installed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from logkit.testing import Events


@pytest.fixture
def logs() -> Iterator[Events]:
    """Events that the test logs: a list of dicts with ``assert_event(name, **fields)``.

    None of them is written, and each is checked against the event schema after the test.
    """
    # Imported here, because pytest loads plugins before it starts to measure coverage.
    from logkit.testing import capture_events

    with capture_events() as events:
        yield events
