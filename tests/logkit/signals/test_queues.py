"""Queues are sampled apart from their workers: depth, age, rates and waits."""

from __future__ import annotations

import asyncio
import queue
import time
from collections import deque
from typing import TYPE_CHECKING, Any

import pytest

from logkit import queues
from logkit.metrics import registry
from logkit.queues.clock import QueueClock
from logkit.queues.watches import QueueWatch
from logkit.testing import capture_events

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def sampled(watch: QueueWatch) -> dict[str, Any]:
    with capture_events() as events:
        watch.sample()
    (event,) = events
    return {name: value for name, value in event.items() if name.startswith("queue")}


async def depth() -> int:
    return 5


@pytest.mark.parametrize(
    ("target", "limit", "fields"),
    [
        ([1, 2], None, {"queue_depth": 2}),
        (deque([1], maxlen=9), None, {"queue_depth": 1, "queue_limit": 9}),
        (lambda: 7, 10, {"queue_depth": 7, "queue_limit": 10}),
        (depth, None, {"queue_depth": 5}),
        (queue.SimpleQueue(), 3, {"queue_depth": 0, "queue_limit": 3}),
    ],
    ids=["list", "deque", "callable", "coroutine function", "SimpleQueue"],
)
def test_whatever_has_a_depth_can_be_watched(
    target: Any, limit: int | None, fields: dict[str, Any]
) -> None:
    """qsize, len and callables, with the limit that is given or known."""
    assert sampled(QueueWatch("songs", target, limit)) == {"queue": "songs", **fields}


def test_what_has_no_depth_is_refused() -> None:
    """The mistake is told where it is made."""
    with pytest.raises(TypeError, match="int has no qsize"):
        queues.watch("songs", 7)


def fill_and_drain(target: Any) -> None:
    """Put three items, wait, and take two."""
    if isinstance(target, queue.Queue):
        for item in (3, 1, 2):
            target.put(item)
        time.sleep(0.02)
        taken = [target.get(), target.get()]
    else:

        async def use() -> list[int]:
            for item in (3, 1, 2):
                await target.put(item)
            await asyncio.sleep(0.02)
            return [await target.get(), await target.get()]

        taken = asyncio.run(use())
    kind = type(target).__name__
    order = {"Queue": [3, 1], "LifoQueue": [2, 1], "PriorityQueue": [1, 2]}
    assert taken == order[kind]


@pytest.mark.parametrize("module", [asyncio, queue], ids=["asyncio", "queue"])
@pytest.mark.parametrize("kind", ["Queue", "LifoQueue", "PriorityQueue"])
def test_waits_are_measured_item_by_item(module: Any, kind: str) -> None:
    """The queue works as before, and its sample tells age, rates and mean wait."""
    target = getattr(module, kind)(maxsize=4)
    watch = QueueWatch("songs", target, None)
    fill_and_drain(target)
    fields = sampled(watch)
    assert fields.items() >= {"queue_depth": 1, "queue_limit": 4}.items()
    assert fields["queue_wait_ms"] >= 20
    assert fields["queue_oldest_ms"] >= 20
    assert fields["queue_in_per_s"] > fields["queue_out_per_s"] > 0
    waits = registry.histogram("bot_queue_wait_seconds", "songs")
    assert (sum(waits.counts), waits.total >= 40) == (2, True)
    assert registry.number("bot_queue_items_total", "songs", "in").value == 3
    assert "queue_wait_ms" not in sampled(watch)


def test_what_waits_already_is_taken_for_new() -> None:
    """A queue that is watched late gives no wrong waits."""
    waiting: queue.Queue[int] = queue.Queue()
    waiting.put(1)
    time.sleep(0.02)
    began = time.monotonic()
    clock = QueueClock("songs", waiting)
    waiting.get()
    assert clock.waited_ms <= (time.monotonic() - began) * 1_000
    assert clock.oldest_ms() is None


def test_a_queue_that_is_watched_again_counts_once() -> None:
    """A bot that watches its queue at each reconnect counts no item twice, and none at the end."""
    waiting: queue.Queue[int] = queue.Queue()
    for _ in range(3):
        queues.watch("songs", waiting, interval_s=60)
    waiting.put(1)
    waiting.get()
    assert registry.number("bot_queue_items_total", "songs", "in").value == 1
    assert registry.number("bot_queue_items_total", "songs", "out").value == 1
    queues.watch("other name", waiting, interval_s=60)
    for name in ("songs", "other name"):
        queues.unwatch(name)
    waiting.put(1)
    assert registry.number("bot_queue_items_total", "songs", "in").value == 1


def test_the_same_object_may_wait_twice() -> None:
    """A priority queue knows its items by identity alone."""
    waiting: queue.Queue[int] = queue.PriorityQueue()
    clock = QueueClock("songs", waiting)
    for _ in range(2):
        waiting.put(1)
    waiting.get()
    assert clock.oldest_ms() is not None
    waiting.get()
    assert clock.oldest_ms() is None


def test_a_watched_queue_is_told_at_intervals(events: Callable[[], list[dict[str, Any]]]) -> None:
    """Samples come from a thread of our own; a callable that fails costs its own sample alone."""
    answers: Iterator[Any] = iter([1, ZeroDivisionError("no depth"), 2])

    def depth() -> Any:
        answer = next(answers, 3)
        if isinstance(answer, Exception):
            raise answer
        return answer

    queues.watch("songs", depth, interval_s=0.01)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        told = events()
        if any(event.get("queue_depth") == 3 for event in told):
            break
        time.sleep(0.01)
    queues.unwatch("songs")
    assert [event["queue_depth"] for event in told if "queue_depth" in event][:3] == [1, 2, 3]
    failed = [event for event in told if event["event"] == "signal_failed"]
    assert [(event["part"], event["error_type"]) for event in failed] == [
        ("queue songs", "ZeroDivisionError")
    ]
