"""Alerts for Prometheus: what is worth waking somebody for, over the metrics of logkit."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from logkit.metrics import METRICS

JOB = "bots"
"""Job of the bots in the scrape configuration."""

_WORD = re.compile(r"\b(?:bot|logkit)_\w+")
_SUFFIXES = ("_bucket", "_count", "_sum")


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert.

    Attributes:
        name: Name that Prometheus shows.
        expr: When it holds, in PromQL.
        holds_for: How long it must hold before it fires; ``0s`` fires at once.
        severity: ``page`` wakes somebody, ``ticket`` can wait for the morning.
        summary: One line for people; ``{{ }}`` are Prometheus's own.
        description: What follows from it.
        runbook: Name of its page in ``docs/runbooks``, without the extension.
    """

    name: str
    expr: str
    holds_for: str
    severity: Literal["page", "ticket"]
    summary: str
    description: str
    runbook: str


ALERTS: tuple[Alert, ...] = (
    Alert(
        "BotDown",
        f'up{{job="{JOB}"}} == 0',
        "1m",
        "page",
        "{{ $labels.instance }} does not answer",
        "The process is gone or its metrics cannot be reached. Users get no answer at all.",
        "bot_down",
    ),
    Alert(
        "BotErrorRateHigh",
        'sum by (job) (rate(bot_messages_processed_total{status="error"}[5m]))\n'
        "  / sum by (job) (rate(bot_messages_processed_total[5m])) > 0.05\n"
        "and sum by (job) (increase(bot_messages_processed_total[5m])) >= 20",
        "5m",
        "page",
        "{{ $value | humanizePercentage }} of the messages to {{ $labels.job }} fail",
        "More than 5 % of the messages and commands failed for 5 minutes, at 20 of them or more.",
        "error_rate",
    ),
    Alert(
        "BotSlow",
        "histogram_quantile(0.95, sum by (job, le) (rate(bot_command_duration_seconds_bucket[5m])))"
        " > 2.5\n"
        "and sum by (job) (increase(bot_command_duration_seconds_count[5m])) >= 20",
        "10m",
        "ticket",
        "One command in 20 takes {{ $value | humanizeDuration }} or more in {{ $labels.job }}",
        "The 95th percentile of the duration of commands has been above 2.5 seconds.",
        "slow_commands",
    ),
    Alert(
        "BotRateLimitStorm",
        "sum by (job, scope, bucket) (increase(bot_rate_limited_total[2m])) >= 10",
        "0s",
        "ticket",
        "{{ $value | humanize }} refusals (429) in 2 minutes in {{ $labels.job }}, scope "
        "{{ $labels.scope }}",
        "The platform refuses calls. Commands wait, and who does not wait long enough is banned.",
        "rate_limit_storm",
    ),
    Alert(
        "BotBanNear",
        "sum by (job) (bot_invalid_requests_10m) > 5000",
        "0s",
        "page",
        "{{ $value | humanize }} invalid requests in 10 minutes in {{ $labels.job }}; 10,000 ban",
        "Discord bans an address for an hour or more at 10,000 answers of 401, 403 and 429.",
        "ban_headroom",
    ),
    Alert(
        "BotQueueGrowing",
        "min_over_time(bot_queue_depth[10m]) > 0\nand deriv(bot_queue_depth[10m]) > 0.1",
        "5m",
        "ticket",
        "The queue {{ $labels.queue }} of {{ $labels.instance }} takes in more than it gives out",
        "For 15 minutes it has never been empty, and it has grown by 6 items a minute or more.",
        "queue_growing",
    ),
    Alert(
        "BotMemoryExhaustion",
        "predict_linear(bot_memory_bytes[1h], 4 * 3600) > bot_memory_limit_bytes\n"
        "and bot_memory_bytes > 0.5 * bot_memory_limit_bytes",
        "15m",
        "page",
        "{{ $labels.instance }} will be out of memory within 4 hours",
        "Memory grows as in the last hour. At its limit the process is killed.",
        "memory_exhaustion",
    ),
)


def metrics_of(expr: str) -> set[str]:
    """Return the metrics of logkit that an expression of PromQL names.

    Raises:
        LookupError: There is no metric of such a name.
    """
    names = {metric.name: metric.name for metric in METRICS}
    histograms = [metric.name for metric in METRICS if metric.kind == "histogram"]
    names |= {name + suffix: name for name in histograms for suffix in _SUFFIXES}
    words = set(_WORD.findall(re.sub(r'"[^"]*"', "", expr)))
    if unknown := words - names.keys():
        raise LookupError(f"no metric is named {', '.join(sorted(unknown))}")
    return {names[word] for word in words}
