"""The one table of metrics: what each is called, counts and is fed by.

Everything that needs a list of metrics reads this table: what ``/metrics`` shows, the reference
page, alert rules and dashboards. How events become numbers is in ``rules``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["counter", "gauge", "histogram"]
Merge = Literal["sum", "max", "min", "mostrecent"]

OVERFLOW = "(overflow)"
"""Value of an open label in the series that collects what exceeds a metric's limit of series."""

NONE = "none"
"""Value of a label for which the event has no field."""

_DURATION_BUCKETS_MS = (5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000)
_WAIT_BUCKETS_MS = (1, 5, 25, 100, 500, 1_000, 5_000, 15_000, 60_000, 300_000)


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric.

    Attributes:
        name: Name that Prometheus shows; a counter's ends in ``_total``.
        kind: What it is: a counter only grows, a gauge is the last figure told, a histogram
            counts figures by size.
        help: What it says, for people.
        fed_by: The events and fields that it is derived from.
        labels: Names of its labels.
        closed: Those labels that have a few fixed values; they are kept when a series overflows.
        unit: Unit of the value, empty for a plain number.
        scale: Factor from the unit in which events tell the figure to *unit*.
        buckets: Upper ends of a histogram's buckets, in the unit of the events.
        merge: How a gauge's figures of several processes become one; counters and histograms are
            added up.
        max_series: Combinations of label values that are kept apart.
    """

    name: str
    kind: Kind
    help: str
    fed_by: str
    labels: tuple[str, ...] = ()
    closed: frozenset[str] = frozenset()
    unit: str = ""
    scale: float = 1.0
    buckets: tuple[int, ...] = ()
    merge: Merge = "sum"
    max_series: int = 500


def _counter(
    name: str, help_text: str, fed_by: str, *labels: str, closed: tuple[str, ...] = ()
) -> Metric:
    unit = "usd" if "_usd_" in name else "seconds" if "_seconds_" in name else ""
    scale = 0.001 if unit == "seconds" else 1.0
    return Metric(name, "counter", help_text, fed_by, labels, frozenset(closed), unit, scale)


def _gauge(
    name: str, help_text: str, fed_by: str, *labels: str, merge: Merge = "sum", scale: float = 1.0
) -> Metric:
    unit = next((unit for unit in ("bytes", "seconds", "ratio") if name.endswith(unit)), "")
    return Metric(name, "gauge", help_text, fed_by, labels, unit=unit, scale=scale, merge=merge)


def _histogram(
    name: str, help_text: str, fed_by: str, *labels: str, buckets: tuple[int, ...]
) -> Metric:
    return Metric(
        *(name, "histogram", help_text, fed_by, labels),
        unit="seconds",
        scale=0.001,
        buckets=buckets,
        max_series=100,
    )


METRICS: tuple[Metric, ...] = (
    _counter(
        "bot_events_total",
        "Events that were logged, those that were dropped later or suppressed by the flood limit "
        "included.",
        "every event",
        *("event", "level"),
        closed=("level",),
    ),
    _counter(
        "bot_messages_processed_total",
        "Messages and commands that were dealt with.",
        "success: message_handled, command_handled; error: message_failed, command_failed; and "
        "what timed() makes of the names message, command, message_handled, command_handled",
        "status",
        closed=("status",),
    ),
    _counter(
        "bot_api_requests_total",
        "Requests that the bot made, by route and class of the answer; none is no answer.",
        "an endpoint with status_code or duration_ms, but for request_handled",
        *("endpoint", "status_class"),
        closed=("status_class",),
    ),
    _histogram(
        "bot_api_request_duration_seconds",
        "How long requests that the bot made took.",
        "duration_ms of what counts as an API request",
        buckets=_DURATION_BUCKETS_MS,
    ),
    _histogram(
        "bot_command_duration_seconds",
        "How long commands and messages took.",
        "duration_ms of what counts as a processed message; not of the steps inside it, which "
        "carry the command as well",
        "command",
        buckets=_DURATION_BUCKETS_MS,
    ),
    _counter(
        "bot_rate_limited_total",
        "Requests that were refused with status 429.",
        "status_code 429",
        *("scope", "bucket"),
        closed=("scope",),
    ),
    _gauge(
        "bot_invalid_requests_10m",
        "Invalid requests of the last 10 minutes; Discord bans an address at 10,000.",
        "platform discord with status_code 401, 403, or 429 unless its scope is shared",
    ),
    _counter(
        "bot_errors_total",
        "Events at level error or critical.",
        "level error or critical; error_type",
        "error_type",
    ),
    _gauge(
        "bot_queue_depth",
        "Items that wait in the queue.",
        "queue_depth",
        "queue",
    ),
    _gauge("bot_queue_limit", "Items that the queue can hold.", "queue_limit", "queue"),
    _gauge(
        "bot_queue_oldest_age_seconds",
        "How long the oldest item has waited.",
        "queue_oldest_ms",
        "queue",
        merge="max",
        scale=0.001,
    ),
    _histogram(
        "bot_queue_wait_seconds",
        "How long items waited before they were taken.",
        "each item taken from a watched queue; queue_wait_ms of other events that name a queue",
        "queue",
        buckets=_WAIT_BUCKETS_MS,
    ),
    _counter(
        "bot_queue_items_total",
        "Items that went into and out of the queue.",
        "each item of a watched queue",
        *("queue", "direction"),
        closed=("direction",),
    ),
    _counter(
        "bot_llm_requests_total",
        "Calls of language models.",
        "a model with input_tokens, output_tokens or cost_usd",
        *("provider", "model"),
    ),
    _counter(
        "bot_llm_tokens_total",
        "Tokens of prompts (input) and answers (output).",
        "input_tokens, output_tokens",
        *("provider", "model", "direction"),
        closed=("direction",),
    ),
    _counter(
        "bot_llm_cost_usd_total",
        "Cost of calls of language models in US dollars.",
        "cost_usd",
        *("provider", "model"),
    ),
    _histogram(
        "bot_llm_first_token_seconds",
        "Time to the first token of an answer.",
        "ttft_ms",
        *("provider", "model"),
        buckets=_DURATION_BUCKETS_MS,
    ),
    _gauge(
        "bot_memory_bytes",
        "Resident memory of the process.",
        "rss_bytes",
    ),
    _gauge(
        "bot_memory_limit_bytes",
        "Memory that the process or its container may use.",
        "rss_limit_bytes",
        merge="max",
    ),
    _gauge("bot_cpu_percent", "CPU use in percent of one core.", "cpu_percent"),
    _gauge("bot_open_connections", "Open network connections.", "open_connections"),
    _gauge(
        "bot_connections",
        "Network connections by state.",
        "connections_established, connections_close_wait, connections_listen",
        "state",
    ),
    _gauge("bot_open_fds", "Open file descriptors.", "open_fds"),
    _gauge("bot_threads", "Threads of the process.", "threads"),
    _gauge(
        "bot_event_loop_lag_seconds",
        "How late the event loop ran; the worst since the last sample.",
        "loop_lag_ms",
        merge="max",
        scale=0.001,
    ),
    _gauge("bot_gpu_memory_bytes", "GPU memory in use.", "gpu_memory_bytes", "gpu", merge="max"),
    _gauge(
        "bot_gpu_memory_limit_bytes",
        "GPU memory there is.",
        "gpu_memory_limit_bytes",
        "gpu",
        merge="max",
    ),
    _gauge(
        "bot_gpu_utilisation_ratio",
        "How busy the GPU is, 0 to 1.",
        "gpu_percent",
        "gpu",
        merge="max",
        scale=0.01,
    ),
    _gauge(
        "bot_health_check_up",
        "1 while the check passes, 0 while it fails.",
        "health_checked",
        "check",
        merge="min",
    ),
    _gauge(
        "bot_breaker_state",
        "Circuit breaker: 0 closed, 1 half-open, 2 open.",
        "breaker_opened, breaker_half_opened, breaker_closed",
        "breaker",
        merge="max",
    ),
    _counter(
        "bot_breaker_rejected_total",
        "Calls that an open circuit breaker did not let through.",
        "each such call",
        "breaker",
    ),
    _counter(
        "bot_rate_limit_waits_total",
        "Requests that the rate-limit guard held back.",
        "each such request",
        "bucket",
    ),
    _counter(
        "bot_rate_limit_wait_seconds_total",
        "Time for which the rate-limit guard held requests back.",
        "each such request",
        "bucket",
    ),
    _counter("logkit_events_accepted_total", "Events that logkit accepted.", "logkit itself"),
    _counter("logkit_events_written_total", "Events that the output took.", "logkit itself"),
    _counter(
        "logkit_events_dropped_total",
        "Events that were given up because there was no room.",
        "logkit itself",
        "level",
        closed=("level",),
    ),
    _counter("logkit_events_suppressed_total", "Events beyond the flood limit.", "logkit itself"),
    _counter("logkit_events_truncated_total", "Events that were cut.", "logkit itself"),
    _counter("logkit_values_redacted_total", "Secrets taken out of lines.", "logkit itself"),
    _counter("logkit_write_errors_total", "Failed attempts to write.", "logkit itself"),
    _counter(
        "logkit_spans_dropped_total",
        "Spans that were given up or did not reach the collector.",
        "logkit itself",
    ),
    _gauge("logkit_events_pending", "Events that wait to be written.", "logkit itself"),
    _counter(
        "logkit_metric_overflows_total",
        "Label values that were counted under the overflow label, as the metric had too many.",
        "logkit itself",
        "metric",
    ),
    _counter(
        "logkit_metric_errors_total",
        "Events of which a metric could not be derived, as a field was not a number.",
        "logkit itself",
    ),
)

METRICS_BY_NAME: dict[str, Metric] = {metric.name: metric for metric in METRICS}
