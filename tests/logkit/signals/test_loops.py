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
    until.wait(60)


def test_the_block_is_told_while_it_lasts_and_health_says_so(
    get: Get, events: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server answers, alive turns into unresponsive, and the event names the line."""
    monkeypatch.setattr(pages, "UNRESPONSIVE_S", 0.3)
    monkeypatch.setattr(loops_module, "BEAT_S", 0.02)
    answers: list[tuple[int, str]] = []
    free = threading.Event()

    def ask_until(wanted: int) -> None:
        """Ask for the health; a busy machine may delay a loop, too."""
        deadline = time.monotonic() + 60
        status = 0
        while status != wanted and time.monotonic() < deadline:
            status, text = get("/healthz")
        answers.append((status, json.loads(text)["status"]))

    def ask_while_it_is_blocked() -> None:
        ask_until(503)
        answers.append((get("/metrics")[0], ""))
        free.set()

    async def bot() -> None:
        loops.watch(threshold_s=0.1)
        await asyncio.to_thread(ask_until, 200)
        asker = threading.Thread(target=ask_while_it_is_blocked)
        asker.start()
        block_here(free)
        asker.join()
        await asyncio.to_thread(ask_until, 200)

    asyncio.run(bot())
    assert [status for status, _ in answers] == [200, 503, 200, 200]
    assert [word for _, word in answers if word] == ["ok", "unresponsive", "ok"]
    told = events()
    (blocked,) = (
        event
        for event in told
        if event["event"] == "event_loop_blocked" and "block_here" in event["error_stack"]
    )
    assert blocked["loop_lag_ms"] >= 100
    resumed = [event for event in told if event["event"] == "event_loop_resumed"]
    assert max(event["loop_lag_ms"] for event in resumed) >= 300


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
        until = time.monotonic() + 60
        while worst_ms() < 40 and time.monotonic() < until:
            await asyncio.sleep(0.01)

    def worst_ms() -> float:
        return max((e["loop_lag_ms"] for e in events() if "loop_lag_ms" in e), default=0)

    asyncio.run(bot())
    resources.stop()
    assert worst_ms() >= 40


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
    time.sleep(0.6)
    began = time.monotonic()
    loop.run_until_complete(asyncio.sleep(0.05))
    worst_ms = watches.take_worst_ms()
    ran_ms = (time.monotonic() - began) * 1_000
    loop.close()
    assert worst_ms is not None
    assert worst_ms < ran_ms + 400


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
