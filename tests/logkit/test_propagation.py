from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import logkit
from logkit.context import is_correlation_id
from logkit.testing import capture_events

log = logkit.get_logger("bot")

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
PARENT = f"00-{TRACE}-{SPAN}-01"


@pytest.mark.parametrize(
    ("headers", "correlation_id"),
    [
        ({"X-Correlation-ID": "a", "X-Request-ID": "b", "traceparent": PARENT}, "a"),
        ({"x-request-id": "b", "traceparent": PARENT}, "b"),
        ({"X-CORRELATION-ID": "not valid!", "X-Request-Id": "b"}, "b"),
        ({"TraceParent": PARENT}, TRACE),
        ([(b"x-correlation-id", b"asgi-1")], "asgi-1"),
        ({"x-correlation-id": ["\n", "second"]}, "second"),
    ],
)
def test_the_id_of_the_caller_is_continued(headers: Any, correlation_id: str) -> None:
    """X-Correlation-ID before X-Request-ID before traceparent; what is not valid is missing."""
    with capture_events() as events, logkit.extract(headers) as given_id:
        log.info("inside")
    assert given_id == correlation_id == events[0]["correlation_id"]


@pytest.mark.parametrize(
    "traceparent",
    [
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{TRACE}-{SPAN}",
        "",
    ],
)
def test_an_invalid_traceparent_starts_a_new_trace(traceparent: str) -> None:
    """Nothing of it is taken over."""
    with capture_events() as events, logkit.extract({"traceparent": traceparent}):
        log.info("inside")
    assert events[0]["trace_id"] not in {TRACE, "0" * 32}
    assert "parent_span_id" not in events[0]


def test_traces_are_made_and_passed_on() -> None:
    """The caller's span becomes the parent, a span of our own goes on to the next service."""
    later = f"01-{TRACE}-{SPAN}-01-of-a-later-version"
    with capture_events() as events, logkit.extract({"traceparent": later}):
        log.info("inside")
        sent = logkit.inject({})
    assert (events[0]["trace_id"], events[0]["parent_span_id"]) == (TRACE, SPAN)
    assert events[0]["span_id"] != SPAN
    assert sent == {
        "X-Correlation-ID": TRACE,
        "traceparent": f"00-{TRACE}-{events[0]['span_id']}-01",
    }


@pytest.mark.parametrize(
    ("flags", "state", "sent_flags", "sent_state"),
    [
        ("00", "", "00", None),
        ("02", "", "00", None),
        ("03", "a=1,b=2", "01", "a=1,b=2"),
        ("01", "a=\r\n1", "01", None),
    ],
    ids=["unsampled", "unknown-flag", "state", "invalid-state"],
)
def test_flag_and_state_of_a_trace_go_on(
    flags: str, state: str, sent_flags: str, sent_state: str | None
) -> None:
    """What the caller said of the trace reaches the next service, from threads and tasks too."""

    async def call() -> dict[str, str]:
        return dict(logkit.inject({}))

    headers = {"traceparent": f"00-{TRACE}-{SPAN}-{flags}", "tracestate": state}
    with logkit.extract(headers), logkit.timed("inside"):
        sent = logkit.inject({})
        wrapped = logkit.wrap(call)
    assert sent["traceparent"].endswith(f"-{sent_flags}")
    assert sent.get("tracestate") == sent_state
    later = asyncio.run(wrapped())
    assert later == sent
    with logkit.correlation():
        assert "tracestate" not in logkit.inject({})


def test_an_inner_request_does_not_inherit_the_outer_trace() -> None:
    """Extracting again begins another trace, without the parent of the first."""
    with capture_events() as events, logkit.extract({"traceparent": PARENT}):
        with logkit.extract({"x-correlation-id": "other"}):
            log.info("inner")
        log.info("outer")
    assert "parent_span_id" not in events[0]
    assert events[0]["trace_id"] != TRACE
    assert events[1]["parent_span_id"] == SPAN


def test_inject_without_a_correlation_sets_nothing() -> None:
    """Headers stay as they are."""
    assert logkit.inject({"a": "b"}) == {"a": "b"}


@pytest.mark.parametrize("value", ["a\r\nX-Admin: 1", "größe", "", 7, None], ids=repr)
def test_inject_sends_no_id_that_is_none(value: object) -> None:
    """A field that was bound by hand may hold anything; a header of it would fail the request."""
    with logkit.bind(correlation_id=value):
        sent = logkit.inject({})
    assert sent == ({"X-Correlation-ID": "7"} if value == 7 else {})


def test_inject_knows_headers_in_bytes() -> None:
    """What the caller has set stays the only one of its name."""
    headers: dict[Any, Any] = {b"x-correlation-id": b"theirs"}
    with logkit.correlation("ours"):
        logkit.inject(headers)
    assert headers == {b"x-correlation-id": b"theirs"}


def test_inject_leaves_what_the_caller_has_set() -> None:
    """A header that is there in any letter case wins."""
    with logkit.correlation("mine"):
        assert logkit.inject({"x-correlation-id": "theirs"}) == {"x-correlation-id": "theirs"}


def test_a_generated_correlation_is_a_trace_too() -> None:
    """Its id serves as trace id, so that services with tracing join."""
    with logkit.correlation() as correlation_id:
        headers = logkit.inject({})
    assert re.fullmatch(rf"00-{correlation_id}-[0-9a-f]{{16}}-01", headers["traceparent"])


@given(
    st.one_of(
        st.none(),
        st.integers(),
        st.text(),
        st.lists(st.tuples(st.binary(), st.binary())),
        st.dictionaries(
            st.sampled_from(["x-correlation-id", "x-request-id", "traceparent"]),
            st.text() | st.binary() | st.integers() | st.lists(st.text()) | st.none(),
        ),
    )
)
def test_whatever_comes_in_the_id_is_valid(headers: Any) -> None:
    """Never raises, and only valid ids get into the log."""
    with logkit.extract(headers) as correlation_id, capture_events() as events:
        log.info("inside")
    assert is_correlation_id(correlation_id)
    assert events[0]["correlation_id"] == correlation_id


def test_a_message_queue_carries_the_correlation() -> None:
    """A producer's headers, as pairs of text and bytes, continue in the consumer."""
    with logkit.correlation("order-7"):
        sent = [(name, value.encode()) for name, value in logkit.inject({}).items()]
    with logkit.extract(sent) as correlation_id:
        assert correlation_id == "order-7"
