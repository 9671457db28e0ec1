"""Spans to a real receiver of OTLP, and the same ids in the events."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from opentelemetry.sdk.trace import TracerProvider

import logkit
from logkit.exporters.pages import safe_answer
from logkit.testing import capture_events
from logkit.tracing import tracing

from ..instrumentation.loopback import Answer, Loopback
from .otlp_receiver import Receiver, attributes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

log = logkit.get_logger("bot")

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
INTERNAL, SERVER, CLIENT, CONSUMER = 1, 2, 3, 5
ERROR = 2


@pytest.fixture
def server() -> Iterator[Loopback]:
    """Start an HTTP server, with the clients hooked."""
    loopback = Loopback()
    logkit.instrument(inject=True)
    yield loopback
    logkit.uninstrument()
    loopback.stop()


def ids(span: Any) -> dict[str, str]:
    """Return the ids of an exported span as an event has them."""
    named = {"trace_id": span.trace_id.hex(), "span_id": span.span_id.hex()}
    return named | ({"parent_span_id": span.parent_span_id.hex()} if span.parent_span_id else {})


def ids_of(event: dict[str, Any]) -> dict[str, str]:
    """Return the ids of an event."""
    return {k: event[k] for k in ("trace_id", "span_id", "parent_span_id") if k in event}


def test_an_action_is_one_trace_with_the_ids_of_its_events(
    receiver: Receiver, server: Loopback
) -> None:
    """A timed block, a call inside it and what the server was told agree on all ids."""
    server.will(Answer(status=503))
    with (
        capture_events() as events,
        logkit.correlation() as correlation_id,
        logkit.timed("command_handled", command="rank", user_id=12345678901234567890),
    ):
        log.info("inside")
        httpx.get(f"{server.url}/guilds/81384788765712384")
    spans = receiver.wait_for(2)
    command, call = spans["command_handled"], spans["GET /guilds/{guild_id}"]
    assert ids(command) == ids_of(events.assert_event("command_handled"))
    assert ids(command) == ids_of(events.assert_event("inside"))
    assert ids(call) == ids_of(events.assert_event("api_call_failed"))
    assert call.trace_id.hex() == command.trace_id.hex() == correlation_id
    assert call.parent_span_id == command.span_id
    ((_, _, told),) = server.requests
    assert told["traceparent"] == f"00-{correlation_id}-{call.span_id.hex()}-01"

    assert (command.kind, call.kind) == (INTERNAL, CLIENT)
    assert (command.status.code, call.status.code) == (0, ERROR)
    assert attributes(command) == {
        "correlation_id": correlation_id,
        "command": "rank",
        "user.id": "12345678901234567890",
    }
    known = attributes(call)
    assert (known["http.request.method"], known["http.response.status_code"]) == ("GET", 503)
    assert known["url.template"] == "/guilds/{guild_id}"
    assert {service for service, _ in receiver.spans} == {"bot"}


def test_a_failure_is_told_without_secrets(receiver: Receiver) -> None:
    """A span says why it failed, redacted as the line is."""
    token = "xoxb-" + "123456789012-abcdefghijklmnop"
    with pytest.raises(RuntimeError), logkit.timed("polled", password="hunter2"):
        raise RuntimeError(f"refused: {token} \ud800")
    span = receiver.wait_for(1)["polled"]
    known = attributes(span)
    assert span.status.code == ERROR
    assert known["error.type"] == "RuntimeError"
    assert known["exception.message"].startswith("refused: ")
    assert "test_a_failure_is_told" in known["exception.stacktrace"]
    assert token not in str(span)
    assert "hunter2" not in str(span)


def test_a_request_continues_its_callers_trace(receiver: Receiver) -> None:
    """A server's span is below the caller's, and what is done inside below the server's."""
    headers = {"traceparent": f"00-{TRACE}-{SPAN}-01", "tracestate": "a=1"}
    with (
        capture_events() as events,
        logkit.extract(headers, name="POST /orders"),
        logkit.timed("order_saved"),
    ):
        sent = logkit.inject({})
    spans = receiver.wait_for(2)
    server, saved = spans["POST /orders"], spans["order_saved"]
    assert (server.kind, server.trace_id.hex(), server.parent_span_id.hex()) == (
        SERVER,
        TRACE,
        SPAN,
    )
    assert ids(saved) == ids_of(events[0])
    assert saved.parent_span_id == server.span_id
    assert sent["tracestate"] == "a=1"


def test_a_message_continues_its_producers_trace(receiver: Receiver) -> None:
    """Headers of a queue's message carry it from one thread, or process, to another."""
    messages: list[Any] = []
    with logkit.correlation(), logkit.timed("order_queued"):
        messages.append(logkit.inject({}))

    def consume() -> None:
        with logkit.extract(messages.pop(), name="orders", kind="consumer"):
            log.info("order_taken")

    consumer = threading.Thread(target=consume)
    with capture_events() as events:
        consumer.start()
        consumer.join()
    spans = receiver.wait_for(2)
    assert spans["orders"].kind == CONSUMER
    assert spans["orders"].parent_span_id == spans["order_queued"].span_id
    assert ids(spans["orders"]) == ids_of(events[0])


def test_what_nobody_wants_recorded_is_not_sent(receiver: Receiver) -> None:
    """The caller's sampling flag holds here and goes on to the next service."""
    with capture_events() as events:
        unsampled = {"traceparent": f"00-{TRACE}-{SPAN}-00"}
        with logkit.extract(unsampled), logkit.timed("unwanted"):
            sent = logkit.inject({})
        with logkit.timed("wanted"):
            pass
    assert set(receiver.wait_for(1)) == {"wanted"}
    assert sent["traceparent"] == f"00-{TRACE}-{events[0]['span_id']}-00"


def test_a_sampler_of_the_environment_decides(
    log_path: Path, collector: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it leaves out keeps its ids in the log, and the next service is told."""
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")
    collector.spans.clear()
    logkit.configure("sampled", path=log_path, traces=collector.url)
    with capture_events() as events, logkit.timed("left_out"):
        sent = logkit.inject({})
    tracing.close()
    assert collector.spans == []
    found = ids_of(events[0])
    assert sent["traceparent"] == f"00-{found['trace_id']}-{found['span_id']}-00"


def test_work_that_hides_its_context_is_another_trace(receiver: Receiver) -> None:
    """``fresh()`` cuts off, also when an OpenTelemetry span is open around it."""
    with logkit.timed("outer"), logkit.fresh(), logkit.timed("inner"):
        pass
    spans = receiver.wait_for(2)
    assert not spans["inner"].parent_span_id
    assert spans["inner"].trace_id != spans["outer"].trace_id


def test_spans_that_the_bot_opens_itself_belong_to_the_tree(receiver: Receiver) -> None:
    """Events inside carry their ids, blocks inside are below them, and they are below blocks."""
    provider = TracerProvider(shutdown_on_exit=False)
    tracer = provider.get_tracer("bot")
    with (
        capture_events() as events,
        logkit.timed("outer"),
        tracer.start_as_current_span("own") as own,
    ):
        log.info("inside")
        log.info("elsewhere", trace_id=TRACE, span_id=SPAN)
        with logkit.timed("inner"):
            pass
    spans = receiver.wait_for(2)
    own_id = f"{own.get_span_context().span_id:016x}"
    outer = ids(spans["outer"])
    assert ids_of(events.assert_event("inside")) == {
        "trace_id": outer["trace_id"],
        "span_id": own_id,
        "parent_span_id": outer["span_id"],
    }
    assert events.assert_event("elsewhere")["span_id"] == SPAN
    assert spans["inner"].parent_span_id.hex() == own_id


def test_a_flush_sends_spans_as_well(
    log_path: Path, collector: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that would wait for others for a minute have arrived when it returns."""
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "60000")
    logkit.configure("bot", path=log_path, traces=collector.url)
    with logkit.timed("songs_flushed"):
        pass
    assert logkit.flush()
    assert [span.name for _, span in collector.spans].count("songs_flushed") == 1


def test_a_dead_collector_costs_nothing_and_is_told_once(
    log_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bot goes on at full speed, says once that spans are lost, and ends at once."""
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "20")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "0.1")
    monkeypatch.setattr("logkit.exporters.otel._EXIT_S", 200)
    logkit.configure("bot", path=log_path, traces="http://127.0.0.1:1")
    logkit.instrument()
    try:
        until = time.monotonic() + 60
        while b"trace_export_failed" not in log_path.read_bytes():
            assert time.monotonic() < until
            with logkit.timed("worked"):
                time.sleep(0.01)
        for _ in range(5_000):
            with logkit.timed("worked"):
                pass
        closed_at = time.monotonic()
        tracing.close()
        assert time.monotonic() - closed_at < 60
    finally:
        logkit.uninstrument()
    assert logkit.flush()
    events = [json.loads(line) for line in log_path.read_bytes().splitlines()]
    (told,) = (event for event in events if event["event"] != "worked")
    assert told["level"] == "warning"
    assert told["collector"] == "http://127.0.0.1:1/v1/traces"
    assert told["spans_lost"] >= 1
    assert logkit.stats()["spans_dropped"] >= told["spans_lost"]
    logkit.signals.asgi_app()
    page = safe_answer("/metrics").body.decode()
    assert f"logkit_spans_dropped_total {float(logkit.stats()['spans_dropped'])}" in page


def test_a_missing_extra_is_one_warning(log_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bot runs, with ids in its log, and is told what to install."""
    monkeypatch.setitem(sys.modules, "logkit.exporters.otel", None)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    logkit.configure("bot", path=log_path)
    with logkit.timed("worked"):
        pass
    assert logkit.flush()
    told, worked = (json.loads(line) for line in log_path.read_bytes().splitlines())
    assert told["event"] == "trace_export_unavailable"
    assert "botlogkit[otel]" in told["message"]
    assert "span_id" in worked


@pytest.mark.parametrize("value", ["collector:4318", "grpc://collector:4317", 5])
def test_a_collector_that_is_none_is_refused(value: Any) -> None:
    """The error names the setting and what it may be."""
    with pytest.raises(logkit.ConfigurationError, match=r"traces is .*http://"):
        logkit.configure("bot", traces=value)


@pytest.mark.parametrize(
    ("value", "variables"),
    [
        (None, {}),
        (False, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}),
        (None, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "LOGKIT_TRACES": "off"}),
        (
            None,
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_TRACES_EXPORTER": "none"},
        ),
        ("http://127.0.0.1:1", {"OTEL_SDK_DISABLED": "true"}),
    ],
    ids=["unasked", "argument", "variable", "none-exporter", "disabled"],
)
def test_nothing_is_exported_unless_asked(
    value: Any, variables: dict[str, str], log_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A setting of logkit comes before OpenTelemetry's, and both can say no."""
    for name, text in variables.items():
        monkeypatch.setenv(name, text)
    logkit.configure("bot", path=log_path, traces=value)
    assert not any(thread.name == "logkit-spans" for thread in threading.enumerate())


OWN_PROVIDER = """
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)

import logkit

logkit.configure("bot")
logkit.instrument()
with trace.get_tracer("bot").start_as_current_span("own"):
    with logkit.timed("inside"):
        pass
provider.force_flush()
with logkit.timed("later"):
    pass
"""

GLOBAL_TRACER = """
from opentelemetry import trace

import logkit

tracer = trace.get_tracer("a library")
logkit.configure("bot")
with logkit.timed("outer"):
    with tracer.start_as_current_span("statement"):
        pass
"""

FORKED = """
import os
import logkit

logkit.configure("bot")
child = os.fork()
with logkit.timed("in_parent" if child else "in_child"):
    pass
if child:
    os.waitpid(child, 0)
else:
    logkit.tracing.tracing.close()
    os._exit(0)
"""


@pytest.mark.parametrize(
    ("script", "names"),
    [
        (OWN_PROVIDER, ["inside", "later", "own"]),
        (GLOBAL_TRACER, ["outer", "statement"]),
        (FORKED, ["in_child", "in_parent"]),
    ],
    ids=["own-provider", "library", "fork"],
)
def test_each_span_of_a_whole_process_arrives_once(
    script: str, names: list[str], collector: Receiver
) -> None:
    """Through the bot's own TracerProvider; from libraries too; on both sides of a fork."""
    collector.spans.clear()
    done = subprocess.run(
        [sys.executable, "-W", "ignore:This process:DeprecationWarning", "-c", script],
        env={**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stderr == ""
    assert sorted(span.name for _, span in collector.spans) == names
    assert "/v1/traces" not in done.stdout
