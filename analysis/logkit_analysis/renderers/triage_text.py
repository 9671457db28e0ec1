"""A triage as plain text: one screen, the same in a terminal and in a pipe."""

from __future__ import annotations

import math
import textwrap
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from logkit_analysis.renderers.escaping import escape_controls
from logkit_analysis.renderers.sparkline import sparkline
from logkit_analysis.renderers.units import quantity, unit_for
from logkit_analysis.renderers.values import offset

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime, tzinfo

    from logkit_analysis.detect.troubles import Trouble
    from logkit_analysis.time_window import Window
    from logkit_analysis.triage import Triage

_STATES = {
    "broken": "BROKEN   something is failing, slow or silent right now",
    "at_risk": "AT RISK  nothing fails right now, but something will",
    "ok": "OK       nothing is worse than usual right now",
    "no_data": "NO DATA  there are no events in this time",
}
_KINDS = {
    "latency": "slow",
    "error_ratio": "failing",
    "error_lines": "errors",
    "silence": "silent",
    "queue_depth": "queue",
    "cpu_percent": "cpu",
    "open_connections": "conns",
    "rate_limit_storm": "429s",
    "memory": "memory",
}
# Names whose units are those of the metrics.
_NAMES = {
    "latency": "p50_ms",
    "error_ratio": "error_ratio",
    "queue_depth": "depth",
    "cpu_percent": "cpu_percent",
    "open_connections": "connections",
    "rate_limit_storm": "hits",
    "memory": "rss_bytes",
}
# What changes about a level that is never near zero.
_LEVELS = frozenset({"latency", "memory"})
_CHECKS = {
    "clock_skew": "lines with a wrong clock",
    "duplicates": "copies",
    "gap": "silences of 5 minutes or more",
    "missing_timestamp": "lines without a time",
    "seq_holes": "lines lost",
}
_LABEL_WIDTH = 9
_MOST_TROUBLES = 6
_MOST_QUOTAS = 3
_FAILURES_WIDTH = 10
_MARK = "│"
_DAY = timedelta(days=1)
_NO_SERVICE = "no service"


def triage_text(found: Triage, window: Window, zone: tzinfo, width: int) -> str:
    """Return the lines of *found*, which looked at *window*, wrapped to *width* cells."""
    lines = [_STATES[found.state]]
    for title, troubles in (
        ("Now", [one for one in found.troubles if one.is_open]),
        ("Over", [one for one in found.troubles if not one.is_open]),
    ):
        if troubles:
            lines += ["", title, *_troubles(troubles, window, zone, width)]
    if found.endpoints:
        lines += ["", "Worst endpoints", *_endpoints(found.endpoints)]
    if found.errors:
        lines += ["", "Most frequent errors"]
        lines += [line for row in found.errors for line in _error(row, zone, width)]
    if found.quotas:
        lines += ["", "Budgets"]
        lines += [line for row in found.quotas[:_MOST_QUOTAS] for line in _quota(row, zone, width)]
    if found.sides:
        lines += ["", "Us or the platform"]
        lines += [line for row in found.sides for line in _side(row, width)]
    lines += ["", *_labelled("Ban", _ban(found.ban), width)]
    lines += _labelled("Data", _quality(found), width)
    lines += ["", "Next", *(f"  {command}" for command in found.next_commands)]
    return "".join(f"{escape_controls(line)}\n" for line in lines)


def _troubles(troubles: list[Trouble], window: Window, zone: tzinfo, width: int) -> Iterator[str]:
    if len(troubles) > _MOST_TROUBLES:
        yield f"  {len(troubles) - _MOST_TROUBLES} earlier ones (--format json has them all)"
    for one in troubles[-_MOST_TROUBLES:]:
        where = " ".join(filter(None, (one.service or _NO_SERVICE, one.subject)))
        text = f"{where}: {one.figures}{_full(one, zone)}, {_span(one, zone)}"
        yield from _labelled(_KINDS[one.kind], text, width)
        yield from _labelled("", f"{_blame(one)}: {one.because}", width)
        if any(value is not None for value in one.course):
            yield " " * (_LABEL_WIDTH + 2) + _course(one, window, zone)


def _course(one: Trouble, window: Window, zone: tzinfo) -> str:
    """Return the metric over the window, with a bar at the onset and one at the end."""
    step = (window.until - window.since) / len(one.course)
    line = sparkline(one.course, foot=None if one.kind in _LEVELS else 0)
    for at, is_behind in ((one.ended_at, True), (one.started_at, False)):
        if at is not None and window.since < at < window.until:
            cell = math.floor((at - window.since) / step) + is_behind
            line = f"{line[:cell]}{_MARK}{line[cell:]}"
    form = "%m-%d %H:%M" if window.until - window.since > _DAY else "%H:%M"
    since, until = (at.astimezone(zone).strftime(form) for at in (window.since, window.until))
    peak = max(value for value in one.course if value is not None)
    return f"{since} {line} {until}  peak {quantity(peak, unit_for(_NAMES[one.kind], peak))}"


def _blame(one: Trouble) -> str:
    return {"us": "us", "platform": "the platform", "unclear": "cause unclear"}[one.cause]


def _endpoints(rows: list[dict[str, Any]]) -> Iterator[str]:
    yield f"  requests  errors    429s    p95_ms  {'failures':<{_FAILURES_WIDTH}}  endpoint"
    for row in rows:
        p95 = "" if row["p95_ms"] is None else f"{row['p95_ms']:,.0f}"
        name = " ".join(filter(None, (row["method"], row["endpoint"])))
        counts = f"{row['requests']:>10,}{row['errors']:>8,}{row['rate_limited']:>8,}{p95:>10}"
        failures = sparkline(row["failures"], _FAILURES_WIDTH, foot=0).ljust(_FAILURES_WIDTH)
        yield f"{counts}  {failures}  {name} ({row['service'] or _NO_SERVICE})"


def _error(row: dict[str, Any], zone: tzinfo, width: int) -> list[str]:
    names = (row["event"], row["template"], row["endpoint"], row["status_code"], row["error_type"])
    what = " ".join(str(name) for name in names if name is not None)
    service = row["service"] or _NO_SERVICE
    text = f"{what or 'no name'} ({service}), last {_moment(row['last_seen_at'], zone)}"
    return _wrapped(f"{row['errors']:>10,}  ", text, width)


def _quota(row: dict[str, Any], zone: tzinfo, width: int) -> list[str]:
    names = (row["provider"], row["model"], row["bucket"], row["unit"])
    what = " ".join(name for name in names if name is not None) or "no name"
    text = f"{what} ({row['service'] or _NO_SERVICE}): {row['state']}"
    if row["remaining"] is not None:
        size = "" if row["limit_size"] is None else f" of {row['limit_size']:,}"
        text += f", {row['remaining']:,}{size} left"
    if row["back_at"] is not None:
        text += f", back at {_moment(row['back_at'], zone)}"
    return _wrapped("  ", text, width)


def _side(row: dict[str, Any], width: int) -> list[str]:
    theirs = [
        f"{row['server_errors']:,} server errors and {row['timeouts']:,} timeouts",
        f"in {row['calls']:,} calls, {row['shared_limits']:,} shared 429s",
    ]
    if row["heartbeats"]:
        theirs.append(f", heartbeat p95 {row['heartbeat_p95_ms']:,.0f} ms")
    ours = f"{row['own_limits']:,} own 429s, {row['client_errors']:,} other 4xx, "
    ours += f"{row['exceptions']:,} other errors"
    if row["failed_answers"]:
        ours += f", {row['failed_answers']:,} requests answered with 500 or above"
    if row["worst_loop_lag_ms"] is not None:
        ours += f", event loop at most {row['worst_loop_lag_ms']:,.0f} ms late"
    text = f"platform {' '.join(theirs).replace(' ,', ',')}; us {ours}"
    return _wrapped(f"  {row['service'] or _NO_SERVICE}: ", text, width)


def _ban(ban: dict[str, Any] | None) -> str:
    if ban is None:
        return "no calls to Discord in the last 10 minutes"
    text = f"{ban['invalid_requests']:,} of 10,000 invalid requests in the last 10 minutes"
    if ban["seconds_to_ban"] is not None:
        text += f"; banned in {ban['seconds_to_ban']:,.0f} s at this pace"
    return text


def _quality(found: Triage) -> str:
    counts = [f"{found.rejected_line_count:,} rejected lines"]
    counts += [
        f"{count:,} {_CHECKS.get(name, name)}" for name, count in sorted(found.quality.items())
    ]
    return ", ".join(counts)


def _span(one: Trouble, zone: tzinfo) -> str:
    start = _moment(one.started_at, zone)
    if one.ended_at is None:
        return f"since {start}"
    end = _moment(one.ended_at, zone)
    day = end[:11]
    return f"{start} until {end.removeprefix(day) if start.startswith(day) else end}"


def _full(one: Trouble, zone: tzinfo) -> str:
    """Return when memory will be full, to the minute: it is a forecast."""
    at = one.exhausts_at
    return "" if at is None else f", full at {_moment(at, zone, '%Y-%m-%d %H:%M')}"


def _moment(at: datetime, zone: tzinfo, form: str = "%Y-%m-%d %H:%M:%S") -> str:
    local = at.astimezone(zone)
    return f"{local:{form}}" + (offset(local) if local.utcoffset() else "Z")


def _labelled(label: str, text: str, width: int) -> list[str]:
    return _wrapped(f"  {label:<{_LABEL_WIDTH}}", text, width)


def _wrapped(head: str, text: str, width: int) -> list[str]:
    indent = " " * (_LABEL_WIDTH + 2)
    return textwrap.wrap(
        head + text,
        max(width, 60),
        subsequent_indent=indent,
        break_on_hyphens=False,
        drop_whitespace=True,
    )
