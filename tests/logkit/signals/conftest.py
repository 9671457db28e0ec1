from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

import logkit
from logkit.health.registry import _checks
from logkit.metrics import deriver, registry
from logkit.signals import signals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def _own_signals() -> Iterator[None]:
    """Start each test from zero, and leave no server and no check behind."""
    registry.reset()
    deriver.reset()
    yield
    signals.stop()
    for name in list(_checks):
        logkit.health.remove(name)


@pytest.fixture
def get(log_path: Path, events: object) -> Callable[..., tuple[int, str]]:
    """Configure a bot with signals on a free port; return a function that asks its server."""
    logkit.configure("bot", path=log_path, level="debug", signals_port=0)
    assert signals.server is not None
    base = f"http://127.0.0.1:{signals.server.port}"

    def ask(path: str, **headers: str) -> tuple[int, str]:
        try:
            with urlopen(Request(base + path, headers=headers), timeout=60) as answer:
                return answer.status, answer.read().decode()
        except HTTPError as error:
            return error.code, error.read().decode()

    return ask


@pytest.fixture
def metric(get: Callable[..., tuple[int, str]]) -> Callable[[str], float | None]:
    """Return a function that asks for the value of one series, named as Prometheus writes it."""

    def value(series: str) -> float | None:
        lines = get("/metrics")[1].splitlines()
        found = [line.rpartition(" ")[2] for line in lines if line.rpartition(" ")[0] == series]
        return float(found[0]) if found else None

    return value
