"""A blocked event loop: seen while it is blocked, with the code that blocks it."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from typing import TYPE_CHECKING, Any

import logkit
from logkit import loops as loops_module
from logkit import resources
from logkit.exporters import pages
from logkit.loops import LoopWatches, loops

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    Get = Callable[..., tuple[int, str]]
    Read = Callable[[], list[dict[str, Any]]]


def block_here(until: threading.Event) -> None:
    until.wait(10)


def test_the_block_is_told_while_it_lasts_and_health_says_so(
    get: Get, events: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server answers, alive turns into unresponsive, and the event names the line."""
    monkeypatch.setattr(pages, "UNRESPONSIVE_S", 0.3)
    monkeypatch.setattr(loops_module, "BEAT_S", 0.02)
    answers: list[tuple[int, Any]] = []
    free = threading.Event()

    def ask() -> None:
        deadline = time.monotonic() + 8
        while time.monotonic() < deadline and not any(status == 503 for status, _ in answers):
            status, text = get("/healthz")
            answers.append((status, json.loads(text)))
        blocked = [event for event in events() if event["event"] == "event_loop_blocked"]
        answers.append((get("/metrics")[0], blocked))
        free.set()

    async def bot() -> None:
        loops.watch(threshold_s=0.1)
        await asyncio.sleep(0.05)
        asker = threading.Thread(target=ask)
        asker.start()
        await asyncio.sleep(0.05)
        block_here(free)
        await asyncio.sleep(0.1)
        asker.join()
        answers.append((get("/healthz")[0], None))

    asyncio.run(bot())
    assert (answers[0][0], answers[0][1]["status"]) == (200, "ok")
    assert answers[-3][0] == 503
    assert answers[-3][1]["status"] == "unresponsive"
    status, (blocked,) = answers[-2]
    assert status == 200
    assert any(line.endswith("block_here") for line in blocked["error_stack"].splitlines())
    assert blocked["loop_lag_ms"] >= 100
    assert answers[-1][0] == 200
    resumed = next(event for event in events() if event["event"] == "event_loop_resumed")
    assert resumed["loop_lag_ms"] >= 300


def test_a_loop_that_ended_is_not_hanging() -> None:
    """Neither outside a loop nor after it is anything watched."""
    watches = LoopWatches()

    async def bot() -> None:
        assert watches.watch()
        assert watches.watch()

    assert not watches.watch()
    asyncio.run(bot())
    time.sleep(0.01)
    assert watches.delay_s() == 0
    assert watches.take_worst_ms() is None


def test_the_delay_is_part_of_a_resource_sample(
    events: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sampler that is started in a running loop watches it."""
    monkeypatch.setattr(loops_module, "BEAT_S", 0.01)

    async def bot() -> None:
        resources.start(interval_s=0.03)
        await asyncio.sleep(0.02)
        time.sleep(0.06)
        await asyncio.sleep(0.05)

    asyncio.run(bot())
    resources.stop()
    lags = [e["loop_lag_ms"] for e in events() if "loop_lag_ms" in e]
    assert max(lags) >= 40


def test_a_loop_that_stood_still_and_runs_again_was_not_late(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Between two calls of run_until_complete() nobody expects it to run."""
    monkeypatch.setattr(loops_module, "BEAT_S", 0.01)
    monkeypatch.setattr(loops_module, "_LOOK_S", 0.02)
    watches = LoopWatches()

    async def begin() -> None:
        watches.watch()

    loop = asyncio.new_event_loop()
    loop.run_until_complete(begin())
    watches.take_worst_ms()
    time.sleep(0.3)
    loop.run_until_complete(asyncio.sleep(0.05))
    worst_ms = watches.take_worst_ms()
    loop.close()
    assert worst_ms is not None
    assert worst_ms < 200


def test_the_loop_is_watched_wherever_configure_was_called(
    get: Get, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first event that is logged inside of it is enough, so /healthz knows it hangs."""
    monkeypatch.setattr(pages, "UNRESPONSIVE_S", 0.1)
    monkeypatch.setattr(loops_module, "BEAT_S", 0.01)
    log = logkit.get_logger("bot")
    log.info("started")

    async def bot() -> int:
        log.info("ready")
        await asyncio.sleep(0.02)
        time.sleep(0.2)
        return get("/healthz")[0]

    assert asyncio.run(bot()) == 503
    log.info("stopped")
    assert 'event="ready"' in get("/metrics")[1]
