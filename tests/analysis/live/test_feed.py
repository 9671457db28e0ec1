"""Events from the files, sorted for those who watch."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from logkit_analysis.errors import UsageError
from logkit_analysis.live.feed import Arrival, Feed

from tests.analysis.live.sent import Sent, event

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from logkit_analysis.live.event import LiveEvent


@pytest.fixture
def sent() -> Sent:
    """Return a source."""
    return Sent([event(0), event(1)])


@pytest.fixture
def feed(sent: Sent) -> Iterator[Feed]:
    """Yield a feed that reads *sent*."""
    feed = Feed(sent)
    feed.start()
    yield feed
    feed.stop()


def even(events: Sequence[LiveEvent]) -> list[LiveEvent]:
    """Return every second event."""
    return [one for one in events if one.offset % 2 == 0]


def everything(events: Sequence[LiveEvent]) -> Sequence[LiveEvent]:
    """Return all events."""
    return events


def held(arrival: Arrival) -> list[int]:
    """Return the numbers of the events that take the place of all before."""
    assert arrival.history is not None
    return [one.offset for one in arrival.history]


def until(is_met: Callable[[], bool]) -> None:
    """Wait until it is met."""
    end = time.monotonic() + 60
    while not is_met():
        assert time.monotonic() < end
        time.sleep(0.001)


def taken(feed: Feed, count: int) -> list[Arrival]:
    """Return what comes, as soon as *count* have come."""
    found: list[Arrival] = []

    def is_met() -> bool:
        found.extend(feed.take())
        return len(found) >= count

    until(is_met)
    return found


def test_each_watcher_gets_what_it_asks_for(sent: Sent, feed: Feed) -> None:
    """First all that matches of what there is, then what comes, until it leaves."""
    feed.watch(1, everything)
    feed.watch(2, even)
    begun = {one.watcher: one for one in taken(feed, 2)}
    assert [held(begun[1]), held(begun[2])] == [[0, 1], [0]]
    sent.queue.put([event(2), event(3)])
    later = {one.watcher: one for one in taken(feed, 2)}
    assert [len(later[1].events), len(later[2].events)] == [2, 1]
    assert later[1].history is None
    feed.leave(1)
    feed.watch(2, even)
    taken(feed, 1)
    sent.queue.put([event(4), event(5)])
    assert [one.watcher for one in taken(feed, 1)] == [2]


def test_a_new_condition_brings_back_what_the_old_one_hid(sent: Sent, feed: Feed) -> None:
    """Events that the watcher kept come before those that are recent, and none comes twice."""
    feed.watch(1, even)
    (begun,) = taken(feed, 1)
    old = event(-2)
    feed.watch(1, everything, [old, *(begun.history or ())])
    (again,) = taken(feed, 1)
    assert held(again) == [-2, 0, 1]


def test_a_source_that_fails_is_told(sent: Sent, feed: Feed) -> None:
    """The error is there for the watcher."""
    sent.queue.put(OSError("no more"))
    until(lambda: feed.error is not None)
    assert str(feed.error) == "no more"


def test_a_condition_that_fails_is_told_and_the_others_go_on(sent: Sent, feed: Feed) -> None:
    """An expression may fail on a value that comes much later."""

    def failing(events: Sequence[LiveEvent]) -> Sequence[LiveEvent]:
        if any(one.offset == 2 for one in events):
            raise UsageError("2 is too much")
        return events

    feed.watch(1, failing)
    feed.watch(2, everything)
    taken(feed, 2)
    for number in (2, 3):
        sent.queue.put([event(number)])
    found = taken(feed, 3)
    assert [one.problem for one in found if one.watcher == 1] == ["2 is too much"]
    assert [len(one.events) for one in found if one.watcher == 2] == [1, 1]


def test_who_does_not_take_what_came_is_waited_for(sent: Sent, feed: Feed) -> None:
    """Memory is bounded: the source is not read on, and nothing is lost."""
    feed.watch(1, everything)
    taken(feed, 1)
    for number in range(4):
        sent.queue.put([event(number)] * 12_000)
    until(lambda: sent.queue.qsize() == 2)
    sent.asked.clear()
    assert not sent.asked.wait(0.2)
    assert sum(len(one.events) for one in taken(feed, 4)) == 48_000
