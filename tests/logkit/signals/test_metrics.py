"""Metrics are derived from events: each fact is written once."""

from __future__ import annotations

import threading
import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest

import logkit
from logkit.metrics import METRICS, deriver, registry
from logkit.metrics.rules import RULES

if TYPE_CHECKING:
    from collections.abc import Callable

    Metric = Callable[[str], float | None]

log = logkit.get_logger("bot")

CALL = {"endpoint": "/users/{id}", "status_code": 200, "duration_ms": 30}
LLM = {"provider": "openai", "model": "gpt", "input_tokens": 10, "output_tokens": 5}


@pytest.mark.parametrize(
    ("level", "event", "fields", "series", "value"),
    [
        ("info", "x", {}, 'bot_events_total{event="x",level="info"}', 1),
        ("info", "command_handled", {}, 'bot_messages_processed_total{status="success"}', 1),
        ("info", "message_handled", {}, 'bot_messages_processed_total{status="success"}', 1),
        ("error", "command_failed", {}, 'bot_messages_processed_total{status="error"}', 1),
        ("error", "message_failed", {}, 'bot_messages_processed_total{status="error"}', 1),
        ("info", "message", {}, 'bot_messages_processed_total{status="success"}', None),
        (
            *("info", "api_call", CALL),
            *('bot_api_requests_total{endpoint="/users/{id}",status_class="2xx"}', 1),
        ),
        (
            *("error", "api_call_failed", {"endpoint": "/a", "duration_ms": 1}),
            *('bot_api_requests_total{endpoint="/a",status_class="none"}', 1),
        ),
        (
            *("info", "request_handled", CALL),
            *('bot_api_requests_total{endpoint="/users/{id}",status_class="2xx"}', None),
        ),
        ("info", "api_call", CALL, "bot_api_request_duration_seconds_sum", 0.03),
        ("info", "api_call", CALL, 'bot_api_request_duration_seconds_bucket{le="0.025"}', 0),
        ("info", "api_call", CALL, 'bot_api_request_duration_seconds_bucket{le="0.05"}', 1),
        (
            *("info", "command_handled", {"command": "play", "duration_ms": 1500}),
            *('bot_command_duration_seconds_sum{command="play"}', 1.5),
        ),
        (
            *("warning", "api_call_failed", {**CALL, "status_code": 429, "command": "play"}),
            *('bot_command_duration_seconds_sum{command="play"}', None),
        ),
        (
            "warning",
            "api_call_failed",
            {"status_code": 429, "rate_limit_scope": "user", "rate_limit_bucket": "b1"},
            'bot_rate_limited_total{bucket="b1",scope="user"}',
            1,
        ),
        (
            *("warning", "x", {"status_code": 403, "platform": "discord"}),
            *("bot_invalid_requests_10m", 1),
        ),
        (
            "warning",
            "x",
            {"status_code": 429, "platform": "discord", "rate_limit_scope": "shared"},
            "bot_invalid_requests_10m",
            None,
        ),
        (
            *("info", "x", {"queue": "songs", "queue_depth": 7}),
            *('bot_queue_depth{queue="songs"}', 7),
        ),
        (
            *("info", "x", {"queue": "songs", "queue_wait_ms": 40}),
            *('bot_queue_wait_seconds_sum{queue="songs"}', 0.04),
        ),
        ("error", "x", {"error_type": "KeyError"}, 'bot_errors_total{error_type="KeyError"}', 1),
        ("critical", "x", {}, 'bot_errors_total{error_type="none"}', 1),
        ("warning", "x", {"error_type": "E"}, 'bot_errors_total{error_type="E"}', None),
        (
            *("info", "llm_call", LLM),
            *('bot_llm_tokens_total{direction="input",model="gpt",provider="openai"}', 10),
        ),
        (
            *("info", "llm_call", LLM),
            *('bot_llm_tokens_total{direction="output",model="gpt",provider="openai"}', 5),
        ),
        (
            *("info", "llm_call", {"model": "m", "cost_usd": 0.25}),
            *('bot_llm_cost_usd_total{model="m",provider="none"}', 0.25),
        ),
        ("info", "resource_sample", {"rss_limit_bytes": 512}, "bot_memory_limit_bytes", 512),
    ],
)
def test_an_event_counts(
    metric: Metric, level: str, event: str, fields: dict[str, Any], series: str, value: float | None
) -> None:
    """Each rule counts what it names, and not what merely looks like it."""
    log.log(level, event, **fields)
    assert metric(series) == value


def test_bound_fields_count(metric: Metric) -> None:
    """A command that is bound around the event is its label."""
    with logkit.bind(command="play"), logkit.timed("command_handled"):
        pass
    assert metric('bot_command_duration_seconds_count{command="play"}') == 1


def test_no_event_is_lost_among_threads(metric: Metric) -> None:
    """Counting needs no lock, and is exact all the same."""

    def work() -> None:
        for number in range(2_000):
            deriver.observe("api_call", "info", {**CALL, "duration_ms": number % 7})

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(20):
        deriver.settle()
    for thread in threads:
        thread.join()
    assert metric('bot_events_total{event="api_call",level="info"}') == 8_000
    assert metric('bot_api_request_duration_seconds_bucket{le="+Inf"}') == 8_000


def test_labels_without_end_are_cut_off_visibly(metric: Metric) -> None:
    """Beyond its limit a metric counts on under an overflow label, with its closed labels."""
    for number in range(5_000):
        log.info("api_call", endpoint=f"/users/{number}", status_code=200)
    log.error("api_call_failed", endpoint="/another", status_code=500)
    assert len(list(registry.families["bot_api_requests_total"])) <= 502
    assert metric('bot_api_requests_total{endpoint="(overflow)",status_class="2xx"}') == 4_500
    assert metric('bot_api_requests_total{endpoint="(overflow)",status_class="5xx"}') == 1
    assert metric('bot_events_total{event="api_call",level="info"}') == 5_000
    assert (metric('logkit_metric_overflows_total{metric="bot_api_requests_total"}') or 0) > 4_000


def test_rate_limits_are_counted_by_bucket_whatever_calls_came_before(metric: Metric) -> None:
    """Thousands of buckets of calls that went well leave room for those that did not."""
    for number in range(9_000):
        bucket = {"rate_limit_bucket": f"b{number}", "rate_limit_scope": "user"}
        deriver.observe("api_call", "info", {**CALL, **bucket})
    for scope in ("user", "shared"):
        refused = {**CALL, "status_code": 429, "rate_limit_bucket": "b1", "rate_limit_scope": scope}
        log.warning("api_call_failed", **refused, platform="discord")
    assert metric('bot_api_requests_total{endpoint="/users/{id}",status_class="2xx"}') == 9_000
    assert metric('bot_rate_limited_total{bucket="b1",scope="user"}') == 1
    assert metric('bot_rate_limited_total{bucket="b1",scope="shared"}') == 1
    assert metric("bot_invalid_requests_10m") == 1


@pytest.mark.parametrize(
    "fields",
    [
        lambda number: {"command": "x" * 60_000 + str(number), "duration_ms": 1},
        lambda number: {"x" * 60_000 + str(number): 1},
    ],
    ids=["values", "names"],
)
def test_what_users_write_is_not_kept(metric: Metric, fields: Callable[[int], Any]) -> None:
    """Text of any length counts, without a place in memory for each."""
    tracemalloc.start()
    for number in range(200):
        deriver.observe("command_handled", "info", fields(number))
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 1_000_000
    assert metric('bot_events_total{event="command_handled",level="info"}') == 200


def test_kinds_of_events_without_end_are_counted_exactly(metric: Metric) -> None:
    """Names of fields that never come again push out none of the counts."""
    for number in range(5_000):
        deriver.observe("x", "info", {f"field_{number}": 1})
    assert metric('bot_events_total{event="x",level="info"}') == 5_000


@pytest.mark.parametrize(
    "fields",
    [
        {"endpoint": ["a"], "status_code": 200},
        {"endpoint": "/a", "status_code": "200", "duration_ms": "soon"},
        {"endpoint": "/a", "status_code": 200, "duration_ms": float("nan")},
        {"endpoint": "\ud800", "status_code": None, "duration_ms": 1},
        {"queue": object(), "queue_depth": float("inf")},
    ],
    ids=["unhashable label", "text for a number", "NaN", "surrogate", "infinity"],
)
def test_odd_values_count_as_far_as_they_go(metric: Metric, fields: dict[str, Any]) -> None:
    """The event itself always counts, and the page stays readable."""
    log.info("odd", **fields)
    assert metric('bot_events_total{event="odd",level="info"}') == 1


def test_a_label_holds_no_secret(get: Callable[..., tuple[int, str]]) -> None:
    """What redaction takes out of lines is not shown by metrics either."""
    token = "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw0"
    log.info(
        "api_call", endpoint=f"https://api.telegram.org/bot{token}/sendMessage", status_code=200
    )
    assert token not in get("/metrics")[1]
    assert "api.telegram.org" in get("/metrics")[1]


def test_what_the_flood_limit_suppresses_counts(log_path: Any) -> None:
    """The log is thinned out, the figures are not."""
    logkit.configure("bot", path=log_path, flood_limit=3, signals_port=0)
    for _ in range(10):
        log.info("tick")
    deriver.settle()
    assert registry.number("bot_events_total", "tick", "info").value == 10
    assert registry.errors == 0


def test_every_metric_has_a_source() -> None:
    """The table and the rules agree."""
    derived = {rule.metric for rule in RULES}
    names = {metric.name for metric in METRICS}
    assert derived <= names
    assert len(names) == len(METRICS)
    for metric in METRICS:
        assert metric.closed <= set(metric.labels)
        assert metric.name.endswith("_total") == (metric.kind == "counter")
        assert (metric.kind == "histogram") == bool(metric.buckets)
