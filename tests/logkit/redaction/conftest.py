from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from logkit.redaction import secrets

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _forget_secrets() -> Iterator[None]:
    """Leave no registered secret to the next test."""
    yield
    secrets.__init__()  # type: ignore[misc]
