"""How an event becomes numbers: one rule for each metric that is derived from events."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from logkit.metrics.table import NONE

Values = Mapping[str, Any]
"""The event's name, its level, and those of its fields that a rule reads."""

_FINISHED = {
    "message_handled": "success",
    "command_handled": "success",
    "message_failed": "error",
    "command_failed": "error",
    "message_handled_failed": "error",
    "command_handled_failed": "error",
}
_TIMED = {"message": "success", "command": "success"}
_PROCESSED = frozenset(_FINISHED | _TIMED)
_ERROR_LEVELS = frozenset({"error", "critical"})
_INVALID_STATUSES = frozenset({401, 403, 429})
_BREAKER_STATES = {"breaker_closed": 0, "breaker_half_opened": 1, "breaker_opened": 2}
_LLM_FIELDS = ("input_tokens", "output_tokens", "cost_usd")


@dataclass(frozen=True, slots=True)
class Rule:
    """What one metric takes from events.

    Attributes:
        metric: Name of the metric.
        labels: Returns the label values for an event, or ``None`` if it does not count.
        reads: Fields that *labels* and *constant* may look at; an event may lack them.
        needs: Fields without which no event counts.
        number: Field with the figure, or ``None`` to count events.
        constant: Returns the figure where it follows from the other values.
        events: Names of the only events that count, or ``None`` for all.
        levels: The only levels that count, or ``None`` for all.
        is_rare: Whether only a few events count, of many label values: what *reads* names is looked
            at with each that may count, as its other values say, and with none of the others.
    """

    metric: str
    labels: Callable[[Values], tuple[object, ...] | None]
    reads: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    number: str | None = None
    constant: Callable[[Values], float] | None = None
    events: frozenset[str] | None = None
    levels: frozenset[str] | None = None
    is_rare: bool = False

    def fits(self, event: str, level: str, names: frozenset[str]) -> bool:
        """Return whether events of that name, level and set of fields may count."""
        return (
            names.issuperset(self.needs)
            and (self.events is None or event in self.events)
            and (self.levels is None or level in self.levels)
        )


def _processed(values: Values) -> str | None:
    event = values["event"]
    # timed("command") ends as "command", a name that others may use for something else.
    return _FINISHED.get(event) or (_TIMED.get(event) if "outcome" in values else None)


def _status(values: Values) -> tuple[object, ...] | None:
    status = _processed(values)
    return None if status is None else (status,)


def _command(values: Values) -> tuple[object, ...] | None:
    return None if _processed(values) is None else (values.get("command", NONE),)


def _is_api_request(values: Values) -> bool:
    has_end = "status_code" in values or "duration_ms" in values
    return has_end and "endpoint" in values and values["event"] != "request_handled"


def _api_request(values: Values) -> tuple[object, ...] | None:
    if not _is_api_request(values):
        return None
    return values["endpoint"], status_class(values.get("status_code"))


def status_class(status_code: object) -> str:
    """Return ``2xx`` for 204, ``none`` for what is no HTTP status."""
    hundreds = status_code // 100 if isinstance(status_code, int) else 0
    return f"{hundreds}xx" if 1 <= hundreds <= 5 else NONE


def _rate_limited(values: Values) -> tuple[object, ...] | None:
    if values["status_code"] != 429 or values["event"] == "request_handled":
        return None
    return values.get("rate_limit_scope", NONE), values.get("rate_limit_bucket", NONE)


def _invalid_request(values: Values) -> tuple[object, ...] | None:
    is_shared = values["status_code"] == 429 and values.get("rate_limit_scope") == "shared"
    is_invalid = values["status_code"] in _INVALID_STATUSES and not is_shared
    return () if is_invalid and values["platform"] == "discord" else None


def _error(values: Values) -> tuple[object, ...]:
    return (values.get("error_type", NONE),)


def _queue(values: Values) -> tuple[object, ...]:
    return (values["queue"],)


def _queue_wait(values: Values) -> tuple[object, ...] | None:
    # A sample's wait is a mean of waits that the queue's own counting has seen one by one.
    return None if values["event"] == "queue_sample" else (values["queue"],)


def _model(values: Values) -> tuple[object, ...] | None:
    is_call = any(name in values for name in _LLM_FIELDS)
    return (values.get("provider", NONE), values["model"]) if is_call else None


def _tokens(direction: str) -> Callable[[Values], tuple[object, ...]]:
    return lambda values: (values.get("provider", NONE), values["model"], direction)


def _always(values: Values) -> tuple[object, ...]:  # noqa: ARG001 - called like the others
    return ()


def _constantly(label: str) -> Callable[[Values], tuple[object, ...]]:
    return lambda _: (label,)


def _gpu(values: Values) -> tuple[object, ...]:
    return (values.get("gpu", "0"),)


def _gauge(metric: str, number: str) -> Rule:
    return Rule(metric, _always, needs=(number,), number=number)


def _gpu_gauge(metric: str, number: str) -> Rule:
    return Rule(metric, _gpu, reads=("gpu",), needs=(number,), number=number)


_API = ("endpoint", "status_code", "duration_ms")

RULES: tuple[Rule, ...] = (
    Rule("bot_events_total", lambda values: (values["event"], values["level"])),
    Rule("bot_messages_processed_total", _status, reads=("outcome",), events=_PROCESSED),
    Rule("bot_api_requests_total", _api_request, reads=_API, needs=("endpoint",)),
    Rule(
        "bot_api_request_duration_seconds",
        lambda values: () if _is_api_request(values) else None,
        reads=_API,
        needs=("endpoint", "duration_ms"),
        number="duration_ms",
    ),
    Rule(
        "bot_command_duration_seconds",
        _command,
        reads=("command", "outcome"),
        needs=("duration_ms",),
        number="duration_ms",
        events=_PROCESSED,
    ),
    Rule(
        "bot_rate_limited_total",
        _rate_limited,
        reads=("rate_limit_scope", "rate_limit_bucket"),
        needs=("status_code",),
        is_rare=True,
    ),
    Rule(
        "bot_invalid_requests_10m",
        _invalid_request,
        reads=("rate_limit_scope",),
        needs=("status_code", "platform"),
        is_rare=True,
    ),
    Rule("bot_errors_total", _error, reads=("error_type",), levels=_ERROR_LEVELS),
    Rule("bot_queue_depth", _queue, needs=("queue", "queue_depth"), number="queue_depth"),
    Rule("bot_queue_limit", _queue, needs=("queue", "queue_limit"), number="queue_limit"),
    Rule(
        "bot_queue_oldest_age_seconds",
        _queue,
        needs=("queue", "queue_oldest_ms"),
        number="queue_oldest_ms",
    ),
    Rule(
        "bot_queue_wait_seconds",
        _queue_wait,
        needs=("queue", "queue_wait_ms"),
        number="queue_wait_ms",
    ),
    Rule("bot_llm_requests_total", _model, reads=("provider", *_LLM_FIELDS), needs=("model",)),
    *(
        Rule(
            "bot_llm_tokens_total",
            _tokens(direction),
            reads=("provider",),
            needs=("model", f"{direction}_tokens"),
            number=f"{direction}_tokens",
        )
        for direction in ("input", "output")
    ),
    *(
        Rule(metric, _model, reads=("provider", *_LLM_FIELDS), needs=("model", field), number=field)
        for metric, field in (
            ("bot_llm_cost_usd_total", "cost_usd"),
            ("bot_llm_first_token_seconds", "ttft_ms"),
        )
    ),
    _gauge("bot_memory_bytes", "rss_bytes"),
    _gauge("bot_memory_limit_bytes", "rss_limit_bytes"),
    _gauge("bot_cpu_percent", "cpu_percent"),
    _gauge("bot_open_connections", "open_connections"),
    *(
        Rule(
            "bot_connections",
            _constantly(state),
            needs=(f"connections_{state}",),
            number=f"connections_{state}",
        )
        for state in ("established", "close_wait", "listen")
    ),
    _gauge("bot_open_fds", "open_fds"),
    _gauge("bot_threads", "threads"),
    _gauge("bot_event_loop_lag_seconds", "loop_lag_ms"),
    _gpu_gauge("bot_gpu_memory_bytes", "gpu_memory_bytes"),
    _gpu_gauge("bot_gpu_memory_limit_bytes", "gpu_memory_limit_bytes"),
    _gpu_gauge("bot_gpu_utilisation_ratio", "gpu_percent"),
    Rule(
        "bot_health_check_up",
        lambda values: (values["check"],),
        reads=("outcome",),
        needs=("check",),
        constant=lambda values: float(values.get("outcome") == "ok"),
        events=frozenset({"health_checked"}),
    ),
    Rule(
        "bot_breaker_state",
        lambda values: (values["breaker"],),
        needs=("breaker",),
        constant=lambda values: _BREAKER_STATES[values["event"]],
        events=frozenset(_BREAKER_STATES),
    ),
)
