from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

import logkit
from logkit.testing import Events, capture_events

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator


def only(events: Events) -> dict[str, object]:
    (event,) = events
    return event


def test_a_block_is_one_event_with_its_duration() -> None:
    """``with timed(...)`` logs once, at the end, with fields known before and after."""
    with capture_events() as events, logkit.timed("api_call", endpoint="/users") as call:
        call.add(status_code=200)
    event = only(events)
    assert event["event"] == "api_call"
    assert event["level"] == "info"
    assert event["outcome"] == "ok"
    assert (event["endpoint"], event["status_code"]) == ("/users", 200)
    assert isinstance(event["duration_ms"], float)
    assert 0 <= event["duration_ms"] < 60_000
    assert event["logger"] == __name__


def test_a_failed_block_is_a_failed_event_and_raises_on() -> None:
    """The event is <event>_failed with the error fields; the exception is the caller's."""
    error = ValueError("bad")
    with (
        capture_events() as events,
        pytest.raises(ValueError) as raised,
        logkit.timed("api_call", endpoint="/users"),
    ):
        raise error
    assert raised.value is error
    event = events.assert_event("api_call_failed", level="error", outcome="error")
    assert event["error_type"] == "ValueError"
    assert event["endpoint"] == "/users"
    assert "duration_ms" in event


def test_functions_and_coroutines_are_timed_at_each_call() -> None:
    """As a decorator it keeps name, arguments, result and exceptions, sync and async."""

    @logkit.timed("added", kind="sync")
    def add(left: int, right: int) -> int:
        """Add."""
        return left + right

    @logkit.timed("added", kind="async")
    async def add_slowly(left: int, right: int) -> int:
        await asyncio.sleep(0)
        return left + right

    with capture_events() as events:
        assert add(1, right=2) == 3
        assert asyncio.run(add_slowly(1, right=2)) == 3
        with pytest.raises(TypeError):
            add(1, None)  # type: ignore[arg-type]
        with pytest.raises(TypeError):
            asyncio.run(add_slowly(1, None))  # type: ignore[arg-type]
    assert (add.__name__, add.__doc__) == ("add", "Add.")
    assert asyncio.iscoroutinefunction(add_slowly)
    assert [(event["event"], event["kind"]) for event in events] == [
        ("added", "sync"),
        ("added", "async"),
        ("added_failed", "sync"),
        ("added_failed", "async"),
    ]


def test_overlapping_calls_have_clocks_of_their_own() -> None:
    """A short call inside a long one does not disturb the long one's duration."""

    @logkit.timed("waited")
    async def wait(turns: int) -> None:
        for _ in range(turns):
            await asyncio.sleep(0)

    async def main() -> None:
        await asyncio.gather(wait(200), wait(1))

    with capture_events() as events:
        asyncio.run(main())
    short, long = (float(event["duration_ms"]) for event in events)
    assert short < long


def test_a_cancelled_task_is_no_error() -> None:
    """Cancellation is told as such, so that a shutdown does not look like an outage."""

    async def main() -> None:
        async with logkit.timed("polled"):
            await asyncio.sleep(60)

    async def cancel() -> None:
        task = asyncio.create_task(main())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with capture_events() as events:
        asyncio.run(cancel())
    events.assert_event("polled_failed", outcome="cancelled", level="warning")


def test_the_event_carries_the_correlation_of_its_block() -> None:
    """The event is logged inside the context in which the operation ran."""
    with capture_events() as events, logkit.correlation("c-1"), logkit.timed("api_call"):
        pass
    assert only(events)["correlation_id"] == "c-1"


def test_blocks_are_nested_spans_of_one_trace() -> None:
    """Each has an id, knows the one around it, and gives its own to the events inside."""
    with capture_events() as events, logkit.timed("outer"):
        with logkit.timed("inner"):
            logkit.get_logger("bot").info("inside")
        logkit.get_logger("bot").info("after")
    inside, inner, after, outer = events
    assert len({event["trace_id"] for event in events}) == 1
    assert inside["span_id"] == inner["span_id"] != outer["span_id"] == after["span_id"]
    assert inside["parent_span_id"] == inner["parent_span_id"] == outer["span_id"]
    assert "parent_span_id" not in outer
    assert "parent_span_id" not in after


def test_what_is_done_for_one_action_is_one_trace() -> None:
    """A correlation id that can be a trace id is one, wherever the action goes on."""
    with capture_events() as events, logkit.correlation() as correlation_id:
        for _ in range(2):
            with logkit.timed("polled"):
                pass
    assert [event["trace_id"] for event in events] == [correlation_id] * 2
    assert events[0]["span_id"] != events[1]["span_id"]


def test_ids_that_cannot_be_are_not_taken_over() -> None:
    """A block below fields of the wrong shape begins a trace of its own."""
    with (
        logkit.bind(trace_id="mine", span_id="0" * 16, parent_span_id="0f" * 8),
        capture_events() as events,
        logkit.timed("polled"),
    ):
        pass
    event = only(events)
    assert event["trace_id"] != "mine"
    assert "parent_span_id" not in event


@pytest.mark.parametrize("decorator", [logkit.timed("pages"), logkit.wrap], ids=["timed", "wrap"])
def test_a_generator_function_is_refused(decorator: Callable[[Any], Any]) -> None:
    """Its work is done where it is iterated, which neither a clock nor a context would see."""

    def pages() -> Iterator[int]:
        yield 1

    async def pages_async() -> AsyncIterator[int]:
        yield 1

    for function in (pages, pages_async):
        with pytest.raises(TypeError, match="is a generator"):
            decorator(function)
