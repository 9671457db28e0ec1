from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

import logkit
from logkit.context import is_correlation_id
from logkit.testing import capture_events

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

log = logkit.get_logger("bot")


def test_every_event_inside_carries_the_id() -> None:
    """One id from the block's start to its end, nested blocks included, and none afterwards."""
    with capture_events() as events:
        with logkit.correlation("order-7") as given:
            log.info("inside")
            with logkit.correlation() as fresh:
                log.info("nested")
            log.info("inside_again")
        log.info("outside")
    assert given == "order-7"
    assert [event.get("correlation_id") for event in events] == ["order-7", fresh, "order-7", None]
    assert is_correlation_id(fresh)


@given(st.one_of(st.none(), st.text(), st.integers(), st.binary()))
def test_only_valid_ids_get_into_the_log(value: object) -> None:
    """A valid id is kept, anything else is replaced by a new one, nothing is raised."""
    with logkit.correlation(value) as correlation_id:
        assert is_correlation_id(correlation_id)
        if value is not None and is_correlation_id(str(value)):
            assert correlation_id == str(value)


@pytest.mark.parametrize(
    ("text", "is_valid"),
    [
        ("a.b_c:d-1", True),
        ("x" * 128, True),
        ("x" * 129, False),
        ("", False),
        ("a b", False),
        ("a\n", False),
    ],
)
def test_what_a_correlation_id_may_be(text: str, is_valid: bool) -> None:
    """1 to 128 characters of ``[A-Za-z0-9._:-]``."""
    assert is_correlation_id(text) == is_valid


def test_bound_fields_nest_and_the_call_wins() -> None:
    """Inner values replace outer ones, a logger's replace the context's, a call's replace all."""
    with capture_events() as events:
        with logkit.bind(shard_id=1, source="outer"):
            with logkit.bind(source="inner"):
                log.info("inner")
                log.bind(source="logger").info("logger")
                log.bind(source="logger").info("call", source="call")
            log.info("outer")
        log.info("none")
    assert [event.get("source") for event in events] == ["inner", "logger", "call", "outer", None]
    assert [event.get("shard_id") for event in events] == [1, 1, 1, 1, None]


def test_tasks_inherit_but_siblings_do_not_share() -> None:
    """A task starts with its parent's fields; what it binds is seen by nobody else."""

    async def child(number: int, barrier: asyncio.Barrier) -> None:
        with logkit.bind(child=number):
            await barrier.wait()
            log.info("child_ran", number=number)
            await barrier.wait()

    async def main() -> None:
        barrier = asyncio.Barrier(3)
        with logkit.correlation("parent"):
            await asyncio.gather(*(child(number, barrier) for number in range(3)))
            log.info("parent_ran")

    with capture_events() as events:
        asyncio.run(main())
    assert all(event["correlation_id"] == "parent" for event in events)
    assert all(event["child"] == event["number"] for event in events[:-1])
    assert "child" not in events[-1]


def test_a_new_thread_starts_clean() -> None:
    """A plain thread inherits nothing."""
    with capture_events() as events, logkit.bind(secret=1):
        thread = threading.Thread(target=log.info, args=("thread_ran",))
        thread.start()
        thread.join()
    assert "secret" not in events[0]


def test_leaving_a_block_in_another_task_is_safe() -> None:
    """A generator that another task closes neither raises nor leaks its fields there."""

    async def numbers() -> AsyncIterator[int]:
        with logkit.correlation("generator"):
            yield 1
            yield 2

    async def main() -> None:
        generator = numbers()
        await anext(generator)
        with logkit.correlation("closer"):
            await asyncio.create_task(generator.aclose())  # type: ignore[attr-defined]
            log.info("closed")

    with capture_events() as events:
        asyncio.run(main())
    assert events[0]["correlation_id"] == "closer"


def test_a_task_that_inherited_a_block_may_close_it() -> None:
    """Closing in a child that inherited the fields undoes them in that child."""

    async def close(block: Any) -> None:
        block.__exit__(None, None, None)
        log.info("child_closed")

    async def main() -> None:
        block = logkit.bind(inherited=True)
        with logkit.bind(outer=True):
            block.__enter__()
            await asyncio.create_task(close(block))

    with capture_events() as events:
        asyncio.run(main())
    assert events[0]["outer"] is True
    assert "inherited" not in events[0]


def test_structlog_context_variables_are_kept() -> None:
    """Fields bound with structlog.contextvars reach the events of all interfaces."""
    with capture_events() as events:
        with structlog.contextvars.bound_contextvars(user_id=7, level="x"):
            structlog.get_logger("bot").info("from_structlog")
            log.info("from_logkit")
        log.info("after")
    for event in events[:2]:
        assert (event["user_id"], event["field_level"]) == ("7", "x")
    assert "user_id" not in events[2]
