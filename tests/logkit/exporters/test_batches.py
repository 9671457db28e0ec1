"""Batches that arrive or not: what is lost is counted, and memory stays bounded."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from logkit.exporters.batches import Batches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

Told = list[tuple[str, str, int]]


@contextmanager
def opened(
    send: Callable[[Sequence[int]], bool], told: Told, *, limit: int = 100
) -> Iterator[Batches[int]]:
    batches = Batches(send, lambda *say: told.append(say), delay_s=0.005, batch_size=4, limit=limit)
    yield batches
    batches.close(5)


def test_all_that_is_put_is_sent_in_order() -> None:
    """Closing sends what still waits; no batch is larger than asked for."""
    sent: list[int] = []
    sizes: set[int] = set()

    def send(batch: Sequence[int]) -> bool:
        sent.extend(batch)
        sizes.add(len(batch))
        return True

    told: Told = []
    with opened(send, told) as batches:
        for number in range(50):
            batches.put(number)
    assert sent == list(range(50))
    assert max(sizes) <= 4
    assert told == []


def test_a_flush_sends_what_waits_at_once() -> None:
    """It does not wait for the batch to fill, nor longer than it may for a send that hangs."""
    sent: list[int] = []
    gate = threading.Event()

    def send(batch: Sequence[int]) -> bool:
        sent.extend(batch)
        return gate.wait(60)

    batches = Batches(send, lambda *_: None, delay_s=60, batch_size=4, limit=100)
    batches.put(1)
    assert not batches.flush(0.05)
    gate.set()
    batches.put(2)
    assert batches.flush(60)
    assert sent == [1, 2]
    batches.close(5)


def test_what_finds_the_queue_full_is_dropped_and_counted() -> None:
    """A send that hangs holds up nothing but itself."""
    gate, begun = threading.Event(), threading.Event()

    def send(batch: Sequence[int]) -> bool:
        begun.set()
        return gate.wait(60)

    with opened(send, [], limit=8) as batches:
        batches.put(0)
        assert begun.wait(60)
        for number in range(20):
            batches.put(number)
        assert batches.lost_count == 12
        gate.set()


def test_a_failure_is_told_once_and_so_is_its_end() -> None:
    """In between there is silence, whatever is lost; an exception counts as a failure."""
    answers: Iterator[bool | Exception] = iter(
        [True, False, False, RuntimeError("cannot be encoded"), True, True]
    )
    turn = threading.Semaphore(0)

    def send(batch: Sequence[int]) -> bool:
        answer = next(answers)
        turn.release()
        if isinstance(answer, Exception):
            raise answer
        return answer

    told: Told = []
    with opened(send, told) as batches:
        for number in range(6):
            batches.put(number)
            assert turn.acquire(timeout=60)
    assert told == [
        ("warning", "trace_export_failed", 1),
        ("info", "trace_export_resumed", 3),
    ]
