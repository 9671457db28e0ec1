from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar

import logkit
from logkit.testing import capture_events

log = logkit.get_logger("bot")
variable: ContextVar[str] = ContextVar("variable", default="none")


def test_a_wrapped_function_keeps_its_context() -> None:
    """In another thread, later, twice: the fields and variables of the moment of wrapping."""
    with capture_events() as events:
        with logkit.correlation("action-1"):
            variable.set("set")
            wrapped = logkit.wrap(lambda: log.info("ran", variable=variable.get()))
        variable.set("other")
        threads = [threading.Thread(target=wrapped) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        wrapped()
    assert [event["correlation_id"] for event in events] == ["action-1"] * 3
    assert {event["variable"] for event in events} == {"set"}


def test_wrapped_calls_may_overlap_and_leak_nothing() -> None:
    """Two at once, each binding its own: neither sees the other, nor does the caller."""
    barrier = threading.Barrier(2, timeout=60)

    def work(name: str) -> str:
        variable.set(name)
        with logkit.bind(worker=name):
            barrier.wait()
            log.info("ran")
            return variable.get()

    wrapped = logkit.wrap(work)
    with capture_events() as events, ThreadPoolExecutor(2) as pool:
        assert list(pool.map(wrapped, ["a", "b"])) == ["a", "b"]
        log.info("outside")
    assert sorted(event.get("worker", "") for event in events) == ["", "a", "b"]


def test_a_wrapped_coroutine_function() -> None:
    """A callback that another task calls later logs under the id of who registered it."""

    async def callback() -> str:
        log.info("called")
        return "result"

    async def main() -> None:
        with logkit.correlation("registered"):
            wrapped = logkit.wrap(callback)
        with logkit.correlation("caller"), logkit.bind(of_caller=True):
            assert await asyncio.create_task(wrapped()) == "result"
            log.info("after")

    with capture_events() as events:
        asyncio.run(main())
    assert [event["correlation_id"] for event in events] == ["registered", "caller"]
    assert "of_caller" not in events[0]
    assert events[1]["of_caller"] is True


def test_the_executor_carries_the_context_of_each_task() -> None:
    """submit, map and an event loop's run_in_executor; workers keep nothing of the last task."""

    def work(number: int) -> int:
        log.info("worked", number=number)
        return number

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.set_default_executor(logkit.ContextExecutor(max_workers=1))
        with logkit.correlation("in-loop"):
            await loop.run_in_executor(None, work, 3)

    with capture_events() as events:
        with logkit.ContextExecutor(max_workers=1) as pool:
            with logkit.correlation("submitted"):
                assert pool.submit(work, 1).result() == 1
            with logkit.correlation("mapped"):
                assert list(pool.map(work, [2])) == [2]
            pool.submit(work, 0).result()
        asyncio.run(main())
    assert [(event["number"], event.get("correlation_id")) for event in events] == [
        (1, "submitted"),
        (2, "mapped"),
        (0, None),
        (3, "in-loop"),
    ]


def test_a_background_task_starts_fresh() -> None:
    """What is created inside inherits nothing; afterwards the fields are back."""

    async def poll() -> None:
        log.info("polled")

    async def main() -> None:
        with logkit.correlation("command"), logkit.bind(shard_id=1):
            with logkit.fresh():
                task = asyncio.create_task(poll())
            await task
            log.info("done")

    with capture_events() as events:
        asyncio.run(main())
    assert "correlation_id" not in events[0]
    assert "shard_id" not in events[0]
    assert events[1]["correlation_id"] == "command"


def test_a_queue_hands_the_correlation_to_its_worker() -> None:
    """An item that carries injected headers is worked on under the producer's id."""

    async def worker(queue: asyncio.Queue[dict[str, str] | None]) -> None:
        while (item := await queue.get()) is not None:
            with logkit.extract(item):
                log.info("item_handled")
        log.info("worker_stopped")

    async def main() -> None:
        queue: asyncio.Queue[dict[str, str] | None] = asyncio.Queue()
        task = asyncio.create_task(worker(queue))
        for number in range(2):
            with logkit.correlation(f"item-{number}"):
                await queue.put(dict(logkit.inject({})))
        await queue.put(None)
        await task

    with capture_events() as events:
        asyncio.run(main())
    assert [event.get("correlation_id") for event in events] == ["item-0", "item-1", None]
