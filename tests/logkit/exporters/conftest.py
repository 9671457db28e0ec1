from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import logkit

from .otlp_receiver import Receiver

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def collector() -> Iterator[Receiver]:
    """Start a collector for the tests of one module."""
    receiver = Receiver()
    yield receiver
    receiver.stop()


@pytest.fixture
def receiver(collector: Receiver, log_path: Path, monkeypatch: pytest.MonkeyPatch) -> Receiver:
    """Configure service ``bot`` to export its spans to the collector; return that, empty."""
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "20")
    collector.spans.clear()
    logkit.configure("bot", path=log_path, traces=collector.url, version="1.2.3")
    return collector
